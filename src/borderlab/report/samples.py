"""Galleries of predictions and viewers of moved labels, from the pictures that evaluations and scores leave."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from borderlab.data.base import IGNORE_INDEX
from borderlab.pictures import colour_label
from borderlab.report.artifacts import ScoreArtifacts, TabulationInput, read_classes, read_score
from borderlab.report.borders import Kind, borders_of
from borderlab.report.effects import PADDING, PROPAGATION, Comparison
from borderlab.report.pictures import Album, sample_folders
from borderlab.report.settings import Setting, settings
from borderlab.report.style import KIND_COLOURS, MOTION_COLOURS, PADDING_COLOURS, ordered
from borderlab.report.tabulate import Tables
from borderlab.report.view import Gallery, Key, Viewer

SAMPLES_PER_SETTING = {PADDING: 2, PROPAGATION: 1}
# Padding acts at the image's border, moved labels and relaxation at those of objects.
BORDER_KINDS: dict[Comparison, Kind] = {PADDING: "image", PROPAGATION: "object"}
MOVED_ROLES = ("frame", "moved_frame", "label", "moved_label")


def prediction_galleries(tables: Tables, inputs: TabulationInput, album: Album) -> list[Gallery]:
    """Predictions and errors side by side, for every setting that compares padding or propagation."""
    folders = {run.name: run.evaluation_folder for run in inputs.runs}
    galleries: list[Gallery] = []
    for comparison in SAMPLES_PER_SETTING:
        for setting in settings(tables["runs"], comparison):
            galleries += _setting_galleries(setting, comparison, folders, album, first=len(galleries))
    return galleries


def moved_viewers(inputs: TabulationInput, album: Album) -> list[Viewer]:
    """One viewer for each data set, split and first sample whose labels were moved."""
    groups: dict[tuple[str, str], list[ScoreArtifacts]] = {}
    for score in inputs.scores:
        groups.setdefault((score.dataset, score.split), []).append(score)
    viewers: list[Viewer] = []
    for (dataset, split), scores in sorted(groups.items()):
        viewer = _viewer(f"viewer-{len(viewers)}", f"{dataset}, {split}", scores, album)
        if viewer is not None:
            viewers.append(viewer)
    return viewers


def colour_keys(tables: Tables, inputs: TabulationInput) -> list[Key]:
    """What the colours of labels mean, for each data set of the experiment that has label pictures."""
    folders = {run.name: run.evaluation_folder for run in inputs.runs}
    segmentation = tables["runs"][tables["runs"]["task"] == "segmentation"]
    names = {
        str(dataset): read_classes(folders[run])
        for dataset, run in segmentation.groupby("dataset")["run"].first().items()
        if sample_folders(folders[run])
    }
    for score in inputs.scores:
        if score.dataset not in names and sample_folders(score.folder):
            names[score.dataset] = list(read_score(score).rows[0].classes)
    return [Key(f"Colours of {dataset}", _coloured(classes)) for dataset, classes in sorted(names.items())]


def _coloured(classes: Sequence[str]) -> list[tuple[str, str]]:
    ids = np.array([[*range(len(classes)), IGNORE_INDEX]], np.uint8)
    colours = ["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in colour_label(ids)[0]]
    return list(zip([*classes, "void"], colours, strict=True))


def _setting_galleries(
    setting: Setting, comparison: Comparison, folders: dict[str, Path], album: Album, first: int
) -> list[Gallery]:
    seed = _most_common_seed(setting, comparison)
    runs = _one_run_each(setting, comparison, seed)
    samples = sample_folders(folders[next(iter(runs.values()))])
    galleries: list[Gallery] = []
    for sample in samples[: SAMPLES_PER_SETTING[comparison]]:
        own = {name: folders[run] / "pictures" / sample.name for name, run in runs.items()}
        columns = _columns(sample, own, album)
        if columns is not None:
            errors = [None, *(folder / "error.png" for folder in own.values())]
            borders = borders_of(BORDER_KINDS[comparison], sample / "label.png", errors)
            caption = f"{setting.dataset}, {setting.title}{f' ({setting.detail})' if setting.detail else ''}, "
            caption += f"seed {seed}: {sample.name}"
            galleries.append(Gallery(f"gallery-{first + len(galleries)}", caption, columns, borders=borders))
    return galleries


def _most_common_seed(setting: Setting, comparison: Comparison) -> int:
    """The seed that most values of the factor have; the smallest of several."""
    counts = setting.rows.groupby("seed")[comparison.factor].nunique()
    return int(min(counts.index[counts == counts.max()]))


def _one_run_each(setting: Setting, comparison: Comparison, seed: int) -> dict[str, str]:
    """The run of `seed` for each value of the factor that has one, in the factor's order."""
    rows = setting.rows[setting.rows["seed"] == seed]
    known: Iterable[str] = PADDING_COLOURS
    if comparison is PROPAGATION:
        known = sorted(rows["propagation"], key=lambda name: (list(KIND_COLOURS).index(name.split(" ")[0]), name))
    by_value = rows.set_index(comparison.factor)["run"]
    return {name: str(by_value[name]) for name in ordered(by_value.index, known)}


def _columns(sample: Path, folders: dict[str, Path], album: Album) -> list[tuple[str, list[tuple[str, str]]]] | None:
    """Truth first, then one column of prediction and error for each run; None if the album is full."""
    wanted = {"truth": [("Frame", sample / "frame.png"), ("Label", sample / "label.png")]}
    for name, folder in folders.items():
        wanted[name] = [("Prediction", folder / "prediction.png"), ("Error", folder / "error.png")]
    flat = {f"{title} {role}": path for title, column in wanted.items() for role, path in column}
    found = album.add(flat)
    if found is None:
        return None
    return [
        (title, [(role, album.addresses[found[f"{title} {role}"]]) for role, _ in column])
        for title, column in wanted.items()
    ]


def _viewer(identity: str, place: str, scores: Sequence[ScoreArtifacts], album: Album) -> Viewer | None:
    frames: dict[str, dict[str, dict[str, int]]] = {}
    sample_name = ""
    for title, score in _titled(scores).items():
        for sample in sample_folders(score.folder)[:1]:
            found = _distances(sample, album)
            if found:
                frames[title] = found
                sample_name = sample.name
    if not frames:
        return None
    # Standing still is the baseline, not what a reader wants to see first.
    motions = sorted(ordered(frames, MOTION_COLOURS), key=lambda title: title.startswith("copy"))
    distances = sorted({int(distance) for found in frames.values() for distance in found})
    own = frames[motions[0]]
    start = "1" if "1" in own else next(iter(own))
    first = {role: album.addresses[own[start][role]] for role in MOVED_ROLES}
    return Viewer(identity, f"{place}: {sample_name}", motions, distances, frames, first, distances.index(int(start)))


def _titled(scores: Sequence[ScoreArtifacts]) -> dict[str, ScoreArtifacts]:
    """Scores by what a reader calls them: the motion model, and whether occluded pixels were kept."""
    return {f"{score.motion}{'' if read_score(score).void_occluded else ', occluded kept'}": score for score in scores}


def _distances(sample: Path, album: Album) -> dict[str, dict[str, int]]:
    """Indices of pictures by role, by signed distance as text; distances that do not fit are left out."""
    found = {}
    for folder in sorted(sample.iterdir(), key=lambda path: (abs(int(path.name)), path.name)):
        indices = album.add({role: folder / f"{role}.png" for role in MOVED_ROLES})
        if indices is not None:
            found[str(int(folder.name))] = indices
    return found
