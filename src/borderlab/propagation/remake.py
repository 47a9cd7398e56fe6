"""One propagated sample made again from its manifest and the data set alone: no stored flow, no stored sample.

For a sample that was lost, or that somebody doubts: on the same machine and libraries it comes out bit for bit.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from borderlab.data import create_dataset
from borderlab.data.base import SegmentationDataset
from borderlab.data.decode import read_pair
from borderlab.errors import DataError
from borderlab.motion.registry import create_motion_model
from borderlab.propagation.estimate import clip_reader, stored_precision
from borderlab.propagation.keyframes import path_between
from borderlab.propagation.moving import Pair, Step, move_at_once, move_step
from borderlab.spec import SynthesisSpec


def remake_sample(manifest: Mapping[str, Any], sample_id: str, root: Path, trained: Path | None = None) -> Pair:
    """Image (h w 3) and train ids (h w) of the sample `sample_id` of a synthesis.

    Args:
        manifest: of the synthesis.
        sample_id: name of one of its samples.
        root: folder of the data set.
        trained: folder of the learned motion model; absent for models of the registry.

    Raises:
        DataError: if there is no such sample, the data set is not the one that the manifest names, or a frame of it
            is broken.
        ConfigError: if data set or motion model are not known here.
    """
    spec = SynthesisSpec.model_validate(manifest["spec"])
    sample = next((entry for entry in manifest["samples"] if entry["sample_id"] == sample_id), None)
    if sample is None:
        raise DataError(f"{sample_id}: is none of the manifest's {len(manifest['samples'])} samples")
    dataset = _dataset(spec)
    clip = next((clip for clip in dataset.clips(root, spec.split) if clip.name == sample["clip"]), None)
    if clip is None:
        raise DataError(f"{root}: has no clip {sample['clip']!r} in {spec.split}; fetch the data set")
    model = create_motion_model(spec.motion, trained)
    reader = clip_reader(dataset, root, spec.split, clip, spec.reference)

    def step(near: int, far: int) -> Step:
        back = stored_precision(model.flow(reader, near, far)) if spec.void_occluded else None
        return Step(stored_precision(model.flow(reader, far, near)), back)

    pair = read_pair(clip.frames[sample["key_index"]], dataset.label_lut)
    steps = [step(*frames) for frames in path_between(sample["key_index"], sample["target_index"])]
    if spec.method == "accumulated":
        return move_at_once(pair, steps, spec.reference)
    for index, one in enumerate(steps):
        pair = move_step(pair, one, index == 0, spec.reference)
    return pair


def _dataset(spec: SynthesisSpec) -> SegmentationDataset:
    dataset = create_dataset(spec.dataset.name, spec.dataset.options)
    if not isinstance(dataset, SegmentationDataset) or dataset.identity != spec.dataset.identity:
        raise DataError(f"{spec.dataset.name}: is not of the version that the manifest names; check out its commit")
    return dataset
