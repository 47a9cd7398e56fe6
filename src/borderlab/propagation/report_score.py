"""A propagation score on disk: its rows, and pictures of some samples at every distance."""

from collections.abc import Mapping
from pathlib import Path

from borderlab.data.base import SegmentationDataset
from borderlab.data.decode import read_image, read_label, read_pair
from borderlab.files import atomic_folder, write_json
from borderlab.pictures import colour_label, spread, write_pictures
from borderlab.propagation.score import score_propagation
from borderlab.propagation.synthesis import TRAIN_ID_LUT, read_manifest
from borderlab.spec import ScoreSpec

PICTURES = 2


def write_score(
    dataset: SegmentationDataset,
    root: Path,
    spec: ScoreSpec,
    synthesis_folders: Mapping[int, Path],
    motion_folder: Path,
    folder: Path,
) -> None:
    """Score the samples of `synthesis_folders` and fill `folder` with score.json and pictures."""
    rows = score_propagation(dataset, root, spec.split, synthesis_folders, motion_folder)
    content = {
        "dataset": spec.dataset.key,
        "split": spec.split,
        "motion": spec.title,
        "void_occluded": spec.void_occluded,
        "rows": rows,
    }
    with atomic_folder(folder) as part:
        _write_pictures(dataset, root, spec, synthesis_folders, part / "pictures")
        write_json(part / "score.json", content)


def _write_pictures(
    dataset: SegmentationDataset, root: Path, spec: ScoreSpec, synthesis_folders: Mapping[int, Path], folder: Path
) -> None:
    """Pictures of two key frames that reach every distance."""
    clips = {clip.name: clip for clip in dataset.clips(root, spec.split)}
    samples = {
        distance: {(sample["clip"], sample["key_index"]): sample for sample in read_manifest(synthesis)["samples"]}
        for distance, synthesis in synthesis_folders.items()
    }
    common = sorted(set.intersection(*(set(by_key) for by_key in samples.values())))
    for clip, key in [common[index] for index in spread(len(common), PICTURES)]:
        for distance, by_key in samples.items():
            sample = by_key[clip, key]
            frame, label = read_pair(clips[clip].frames[sample["target_index"]], dataset.label_lut)
            synthesis = synthesis_folders[distance]
            pictures = {
                "frame": frame,
                "label": colour_label(label),
                "moved_frame": read_image(synthesis / sample["image"]),
                "moved_label": colour_label(read_label(synthesis / sample["label"], TRAIN_ID_LUT)),
            }
            write_pictures(folder / f"{clip}-{key:05d}" / f"{distance:+d}", pictures)
