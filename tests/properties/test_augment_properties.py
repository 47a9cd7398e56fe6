"""What holds for every image, crop and draw."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from numpy.typing import NDArray

from borderlab.data.augment import augment_classification, augment_segmentation, centre_crop, random_part, resize_image
from borderlab.data.base import IGNORE_INDEX
from borderlab.spec import AugmentSpec, EvaluationSpec

FILL = (124, 116, 104)
SIDES = st.integers(1, 70)
SIZES = st.tuples(SIDES, SIDES)
SEEDS = st.integers(0, 2**32 - 1)
LESS = settings(max_examples=40, deadline=None)


def scene(size: tuple[int, int], seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    random = default_rng(seed)
    return random.integers(0, 256, (*size, 3), dtype=np.uint8), random.integers(0, 5, size, dtype=np.uint8)


@st.composite
def specs(draw: st.DrawFn) -> AugmentSpec:
    low = draw(st.floats(0.3, 2))
    width = st.floats(0, 0.5)
    return AugmentSpec(
        crop=draw(st.tuples(st.integers(1, 50), st.integers(1, 50))),
        scale=(low, draw(st.floats(low, 2.5))),
        flip=draw(st.booleans()),
        brightness=draw(width),
        contrast=draw(width),
        saturation=draw(width),
        hue=draw(width),
        blur_sigma=(0.0, draw(st.floats(0, 2))),
    )


@LESS
@given(SIZES, specs(), SEEDS)
def test_same_seed_same_bits_and_nothing_given_is_written_to(
    size: tuple[int, int], spec: AugmentSpec, seed: int
) -> None:
    image, label = scene(size, seed)
    before = image.copy(), label.copy()
    image.flags.writeable = label.flags.writeable = False
    first = augment_segmentation(image, label, spec, FILL, default_rng(seed))
    second = augment_segmentation(*before, spec, FILL, default_rng(seed))
    assert np.array_equal(image, before[0])
    assert np.array_equal(label, before[1])
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


@LESS
@given(SIZES, specs(), SEEDS)
def test_samples_have_the_crops_size_and_no_new_class(size: tuple[int, int], spec: AugmentSpec, seed: int) -> None:
    image, label = scene(size, seed)
    out, ids = augment_segmentation(image, label, spec, FILL, default_rng(seed))
    assert (out.shape, out.dtype) == ((*spec.crop, 3), np.uint8)
    assert (ids.shape, ids.dtype) == (spec.crop, np.uint8)
    assert set(np.unique(ids)) <= set(np.unique(label)) | {IGNORE_INDEX}


@LESS
@given(SIZES, SIZES, st.floats(0.3, 2.5), SEEDS)
def test_an_image_of_the_fills_colour_stays_it(
    size: tuple[int, int], crop: tuple[int, int], factor: float, seed: int
) -> None:
    """No scale, crop, padding or flip makes a colour that was not there."""
    image = np.full((*size, 3), FILL, np.uint8)
    spec = AugmentSpec(crop=crop, scale=(factor, factor))
    out, _ = augment_segmentation(image, image[..., 0].copy(), spec, FILL, default_rng(seed))
    assert (out == FILL).all()


@LESS
@given(SIZES, SEEDS)
def test_whole_image_at_scale_one_is_the_identity(size: tuple[int, int], seed: int) -> None:
    image, label = scene(size, seed)
    spec = AugmentSpec(crop=size, scale=(1.0, 1.0), flip=False)
    out, ids = augment_segmentation(image, label, spec, FILL, default_rng(seed))
    assert np.array_equal(out, image)
    assert np.array_equal(ids, label)


@LESS
@given(st.integers(5, 90), st.floats(0.4, 2.5), SEEDS)
def test_an_edge_stays_where_the_labels_is(edge: int, factor: float, seed: int) -> None:
    """The image crosses half its step within half a pixel of the label's border, wherever and however it is scaled."""
    label = np.zeros((40, 95), np.uint8)
    label[:, edge:] = 1
    image = np.repeat((label * 200)[..., None], 3, axis=2)
    spec = AugmentSpec(crop=(30, 40), scale=(factor, factor))
    out, ids = augment_segmentation(image, label, spec, (0, 0, 0), default_rng(seed))
    inside = ids != IGNORE_INDEX
    # An output pixel may lie exactly on the edge, or beside void, whose colour it then shares, or at the sample's own
    # border, where the filter is cut short and a tie may go either way.
    beside_void = np.pad(~inside, 2, mode="constant", constant_values=True)
    near = np.any([np.roll(beside_void, (i, j), (0, 1)) for i in range(-2, 3) for j in range(-2, 3)], axis=0)[
        2:-2, 2:-2
    ]
    wrong = ((out[..., 0] > 100) != (ids == 1)) & ~near
    on_the_edge = np.abs(out[..., 0].astype(int) - 100) <= 2
    assert not (wrong & ~on_the_edge).any()


@LESS
@given(st.tuples(st.integers(8, 300), st.integers(8, 300)), SEEDS)
def test_parts_lie_inside(size: tuple[int, int], seed: int) -> None:
    spec = AugmentSpec(scale=(0.08, 1.0), aspect=(0.75, 4 / 3))
    top, left, height, width = random_part(size, spec, default_rng(seed))
    assert 0 <= top < top + height <= size[0]
    assert 0 <= left < left + width <= size[1]


@LESS
@given(SIZES, specs(), SEEDS)
def test_classification_is_decided_by_its_generator(size: tuple[int, int], spec: AugmentSpec, seed: int) -> None:
    image, _ = scene(size, seed)
    spec = spec.model_copy(update={"scale": (0.2, 1.0), "aspect": (0.5, 2.0)})
    first, second = (augment_classification(image, spec, default_rng(seed)) for _ in range(2))
    assert first.shape == (*spec.crop, 3)
    assert np.array_equal(first, second)


@LESS
@given(SIZES, SIZES)
def test_resizing_keeps_a_mirrored_image_mirrored(size: tuple[int, int], target: tuple[int, int]) -> None:
    """Pixel centres, not corners: no drift to either side."""
    image, _ = scene(size, 1)
    mirrored = resize_image(np.ascontiguousarray(image[::-1, ::-1]), target)[::-1, ::-1]
    assert np.abs(mirrored.astype(int) - resize_image(image, target)).max() <= 1


@LESS
@given(st.tuples(st.integers(10, 90), st.integers(10, 90)), st.integers(5, 60))
def test_centre_crop_is_in_the_centre(size: tuple[int, int], resize: int) -> None:
    image, _ = scene(size, 2)
    crop = (max(1, resize - 3), max(1, resize - 2))
    whole = centre_crop(image, EvaluationSpec(resize=resize))
    assert min(whole.shape[:2]) == resize
    part = centre_crop(image, EvaluationSpec(resize=resize, crop=crop))
    top, left = (whole.shape[0] - crop[0]) // 2, (whole.shape[1] - crop[1]) // 2
    assert np.array_equal(part, whole[top : top + crop[0], left : left + crop[1]])
