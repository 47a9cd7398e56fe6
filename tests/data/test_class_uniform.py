"""Class-uniform sampling: centroids of tiles, equal shares of the classes, crops that hold what was drawn."""

from collections import Counter

import numpy as np
import pytest

from borderlab.data.augment import augment_segmentation
from borderlab.data.class_uniform import Centroids, ClassUniform, centroids_of, label_centroids
from borderlab.data.loader import Normalisation, TrainingLoader
from borderlab.errors import DataError
from borderlab.recipe_spec import AugmentSpec, ClassUniformSpec

# Class 2 is a single pixel of the second label; class 1 half of the first.
LABELS = [np.zeros((8, 12), np.uint8) for _ in range(4)]
LABELS[0][:, 6:] = 1
LABELS[1][7, 11] = 2
LABELS[2][:] = 255
SPEC = ClassUniformSpec(tile_px=4)


def test_centroids_by_hand():
    label = np.full((5, 4), 255, np.uint8)
    label[1, 0:3] = 1  # centre (1, 1)
    label[4, 3] = 0  # in the tile below, one pixel
    assert label_centroids(label, 2, 4) == [(1, 1, 1), (0, 4, 3)]


def test_reference_drops_what_is_left_beside_whole_tiles():
    """In the published code a tile of 1024 pixels finds nothing on a CamVid frame of 720 x 960."""
    assert label_centroids(LABELS[1], 3, 5) != label_centroids(LABELS[1], 3, 5, whole_tiles_only=True)
    assert (2, 7, 11) in label_centroids(LABELS[1], 3, 5)
    assert label_centroids(LABELS[1], 3, 1024, whole_tiles_only=True) == []
    assert label_centroids(LABELS[1], 3, 1024) == [(0, 3, 5), (2, 7, 11)]


def test_each_class_gets_its_share_and_void_none():
    centroids = centroids_of(LABELS, 3, SPEC)
    assert [len(rows) for rows in centroids.of_class] == [4 + 6 + 6, 4, 1]
    drawn = ClassUniform(0.5, centroids, centroids, 9).draw(0, 31, np.random.default_rng(0))
    by_class = Counter(int(LABELS[sample][focus]) for sample, focus in drawn)
    assert len(drawn) == 31
    assert max(by_class.values()) - min(by_class.values()) <= 1
    assert set(by_class) == {0, 1, 2}


def test_extra_frames_join_for_their_classes_until_their_time_is_over():
    own = centroids_of(LABELS[:1], 3, SPEC)
    extra = centroids_of(LABELS[1:2], 3, SPEC).restricted([2])
    both = own.and_also(extra, first_sample=1)
    sampler = ClassUniform(1.0, both, own, extra_until=3)
    random = np.random.default_rng(0)
    assert {sample for sample, _ in sampler.draw(2, 30, random)} == {0, 1}
    assert {sample for sample, _ in sampler.draw(3, 30, random)} == {0}
    # Class 0 of the extra frame was not asked for.
    assert all(LABELS[1][focus] == 2 for sample, focus in sampler.draw(0, 30, random) if sample == 1)


def test_reference_keeps_extra_frames_to_the_end():
    """In the published code `fine_centroids` is the same list, and so still holds the coarse ones after epoch 150."""
    both = centroids_of(LABELS[:1], 3, SPEC).and_also(centroids_of(LABELS[1:2], 3, SPEC).restricted([2]), 1)
    assert 1 in {sample for sample, _ in ClassUniform(1.0, both, both, 3).draw(5, 30, np.random.default_rng(0))}


def test_no_centroid_at_all_is_named():
    nothing = Centroids((np.empty((0, 3), np.int64),) * 2)
    with pytest.raises(DataError, match=r"no tile holds any class; lower recipe\.class_uniform\.tile_px"):
        ClassUniform(0.5, nothing, nothing, 9).draw(0, 4, np.random.default_rng(0))


@pytest.mark.parametrize("scale", [(0.5, 0.5), (1.0, 1.0), (3.0, 3.0), (0.5, 2.0)])
def test_a_crop_holds_its_focus(scale):
    image = np.zeros((40, 60, 3), np.uint8)
    spec = AugmentSpec(crop=(16, 20), scale=scale, flip=True)
    for seed in range(40):
        random = np.random.default_rng(seed)
        focus = int(random.integers(1, 39)), int(random.integers(1, 59))
        label = np.zeros((40, 60), np.uint8)
        label[focus[0] - 1 : focus[0] + 2, focus[1] - 1 : focus[1] + 2] = 1
        _, cropped = augment_segmentation(image, label, spec, (0, 0, 0), random, focus)
        assert (cropped == 1).any(), (scale, seed)


class Frames:
    def __len__(self):
        return len(LABELS)

    def load(self, index):
        return np.full((8, 12, 3), index, np.uint8), LABELS[index]

    def sample_id(self, index):
        return str(index)


def loader(share, n_plain=4, drawn=12, seed=0):
    def change(image, target, random, focus=None):
        return image[:1, :1], np.asarray(target)[:1, :1] if focus is None else np.asarray(target)[focus].reshape(1, 1)

    centroids = centroids_of(LABELS, 3, SPEC)
    return TrainingLoader(
        Frames(),
        change,
        Normalisation((0, 0, 0), (1, 1, 1)),
        batch_size=4,
        seed=seed,
        samples_per_epoch=drawn,
        class_uniform=ClassUniform(share, centroids, centroids, 9),
        n_plain=n_plain,
    )


def test_a_share_of_the_epoch_is_drawn_by_class():
    made = loader(0.5)
    draws = [draw for batch in made.draws() for draw in batch]
    assert len(draws) == 12
    assert sum(focus is not None for *_, focus in draws) == 6
    assert sorted(index for _, _, index, focus in draws if focus is None) == sorted(made.order().tolist())
    assert {int(target) for batch in made for target in batch.target.flatten()} >= {0, 1, 2}


def test_draws_depend_on_seed_and_epoch_alone():
    first, again, other = loader(0.5), loader(0.5), loader(0.5, seed=1)
    assert first.draws() == again.draws() != other.draws()
    again.set_epoch(1)
    assert again.draws() != first.draws()
    again.set_epoch(0, first_batch=1)
    assert again.draws() == first.draws()[1:]


def test_extra_samples_are_never_drawn_alike():
    made = loader(0.5, n_plain=1)
    assert {index for batch in made.draws() for *_, index, focus in batch if focus is None} == {0}
    assert {index for batch in made.draws() for *_, index, focus in batch if focus is not None} > {0}
