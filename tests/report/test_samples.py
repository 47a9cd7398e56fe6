"""Which sample pictures are chosen, and how they are arranged."""

import numpy as np
import pytest
from tests.report.conftest import CLASSES

from borderlab.pictures import colour_label
from borderlab.report.pictures import Album
from borderlab.report.samples import colour_keys, moved_viewers, prediction_galleries
from borderlab.report.tabulate import tabulate
from borderlab.spec import PropagationSpec


def galleries_of(experiment):
    return prediction_galleries(tabulate(experiment.inputs), experiment.inputs, Album(repeats=True))


def test_a_gallery_shows_truth_then_each_padding_mode_in_order(make_experiment, make_spec) -> None:
    experiment = make_experiment()
    for mode in ("partial", "zeros", "reflect"):
        experiment.add_run(make_spec(padding_mode=mode), 50.0)
    galleries = galleries_of(experiment)
    assert [gallery.caption for gallery in galleries] == [
        "streets, resnet18, seed 0: clip0_005",
        "streets, resnet18, seed 0: clip1_005",
    ]
    assert [title for title, _ in galleries[0].columns] == ["truth", "zeros", "reflect", "partial"]
    assert [role for role, _ in galleries[0].columns[1][1]] == ["Prediction", "Error"]


@pytest.mark.slow
def test_padding_counts_from_the_image_border_and_propagation_from_objects(make_experiment, make_spec) -> None:
    experiment = make_experiment()
    moved = PropagationSpec(kind="joint", motion="dis_fast", max_distance=1)
    for changes in ({}, {"padding_mode": "partial"}, {"propagation": moved}):
        experiment.add_run(make_spec(**changes), 50.0)
    padding, _, propagation = galleries_of(experiment)
    assert (padding.borders.border, propagation.borders.border) == ("the image border", "an object's border")
    # The truth has no errors, each prediction a text for each reach and one for all of it.
    for gallery in (padding, propagation):
        n_texts = len(gallery.borders.reaches_px) + 1
        assert [len(texts) for texts in gallery.borders.shares] == [0, n_texts, n_texts]


def test_colours_are_named_in_the_order_of_the_classes(make_experiment, make_spec) -> None:
    experiment = make_experiment()
    experiment.add_run(make_spec(), 50.0)
    experiment.add_run(make_spec("digits"), 90.0)
    experiment.add_score("clips", "dis_fast", reach=1)
    keys = colour_keys(tabulate(experiment.inputs), experiment.inputs)
    assert [key.title for key in keys] == ["Colours of clips", "Colours of streets"]
    for key in keys:
        assert [name for name, _ in key.entries] == [*CLASSES, "void"]
        rgb = [tuple(bytes.fromhex(colour[1:])) for _, colour in key.entries[:-1]]
        assert rgb == [tuple(colour) for colour in colour_label(np.arange(len(CLASSES), dtype=np.uint8)[None])[0]]


def test_the_seed_is_one_that_all_modes_have(make_experiment, make_spec) -> None:
    experiment = make_experiment()
    for mode, seeds in (("zeros", (0, 3, 4)), ("partial", (3, 4))):
        for seed in seeds:
            experiment.add_run(make_spec(padding_mode=mode, seed=seed), 50.0)
    gallery = galleries_of(experiment)[0]
    assert "seed 3" in gallery.caption
    assert [title for title, _ in gallery.columns] == ["truth", "zeros", "partial"]


def test_runs_without_pictures_or_comparison_have_no_gallery(make_experiment, make_spec) -> None:
    experiment = make_experiment()
    experiment.add_run(make_spec(), 50.0)
    for mode in ("zeros", "partial"):
        experiment.add_run(make_spec("digits", padding_mode=mode), 50.0)
    assert galleries_of(experiment) == []


def test_a_viewer_opens_at_the_next_frame_of_a_model_that_moves(make_experiment) -> None:
    experiment = make_experiment()
    for motion, void_occluded in (("copy", True), ("dis_fast", True), ("dis_fast", False)):
        experiment.add_score("streets", motion, void_occluded, reach=2)
    album = Album()
    [viewer] = moved_viewers(experiment.inputs, album)
    assert viewer.motions == ["dis_fast", "dis_fast, occluded kept", "copy"]
    assert viewer.distances == [-2, -1, 1, 2]
    assert viewer.distances[viewer.start] == 1
    assert viewer.first["moved_label"] == album.addresses[viewer.frames["dis_fast"]["1"]["moved_label"]]
    assert viewer.frames["copy"]["2"]["frame"] == viewer.frames["dis_fast"]["2"]["frame"]


def test_a_full_album_leaves_out_the_farthest_distances(make_experiment) -> None:
    experiment = make_experiment()
    experiment.add_score("streets", "dis_fast", reach=3)
    everything = Album()
    moved_viewers(experiment.inputs, everything)
    [viewer] = moved_viewers(experiment.inputs, Album(budget_bytes=everything.used_bytes // 2))
    assert set(viewer.distances) <= {-2, -1, 1, 2}
    assert {-1, 1} <= set(viewer.distances)
