"""Clips that pan over painted blocks by whole pixels: labels, images, flow and visibility are known exactly."""

import cv2
import numpy as np
import pytest

from borderlab.data.base import IGNORE_INDEX, Clip, DatasetInfo, Frame, SegmentationDataset
from borderlab.files import sha256_of_json
from borderlab.propagation.estimate import estimate_motion
from borderlab.propagation.synthesis import synthesise
from borderlab.spec import DatasetSpec, KeyframesSpec, SynthesisSpec

PAN = (2, -1)
SIZE = (24, 32)
CLIPS = {"long": 9, "short": 4}
# Label ids are not train ids, so that a mixed-up table shows. 7 is void.
LABEL_IDS = (10, 20, 30, 7)


class Blocks(SegmentationDataset):
    """Frame i shows the plane from column 2 i and row 10 - i on."""

    info = DatasetInfo("blocks", "Blocks", "1", ("red", "green", "blue"), "embedded", "", "CC0-1.0")
    splits = ("val", "still")

    @property
    def label_lut(self):
        lut = np.full(256, -1, np.int16)
        lut[list(LABEL_IDS)] = [0, 1, 2, IGNORE_INDEX]
        return lut

    def fetch(self, root, split, settings):
        random = np.random.default_rng(3)
        for name, n_frames in CLIPS.items():
            (root / name).mkdir()
            # Class by block of 4 x 4 pixels, void in one block of ten; colours by pixel.
            blocks = random.choice([0, 1, 2, 3], (12, 16), p=[0.3, 0.3, 0.3, 0.1])
            plane = np.array(LABEL_IDS, np.uint8)[np.kron(blocks, np.ones((4, 4), int))]
            colours = random.integers(0, 256, (*plane.shape, 3)).astype(np.uint8)
            for index in range(n_frames):
                seen = np.s_[10 + PAN[1] * index :, PAN[0] * index :]
                for kind, pixels in (("image", colours), ("label", plane)):
                    view = pixels[seen][: SIZE[0], : SIZE[1]]
                    assert view.shape[:2] == SIZE
                    cv2.imwrite(str(root / name / f"{kind}_{index}.png"), view)

    def frames(self, root, split):
        return [frame for clip in self.clips(root, split) for frame in clip.frames]

    def clips(self, root, split):
        if split == "still":
            return []
        return [
            Clip(
                name,
                tuple(
                    Frame(f"{name}/{i}", root / name / f"image_{i}.png", root / name / f"label_{i}.png")
                    for i in range(n_frames)
                ),
                0.1,
            )
            for name, n_frames in CLIPS.items()
        ]

    def true_flow(self, root, split, clip, from_index, to_index):
        flow = np.empty((2, *SIZE), np.float32)
        flow[:] = -(to_index - from_index) * np.array(PAN, np.float32)[:, None, None]
        return flow


class Laboratory:
    """Motion and syntheses of `Blocks` in a temporary folder; key frames 1 and 5 of `long`, 1 of `short`."""

    keyframes = KeyframesSpec(stride=4, offset=1)
    split = "val"

    def __init__(self, folder):
        self.folder, self.root, self.dataset = folder, folder / "data", Blocks()
        self.root.mkdir()
        self.dataset.fetch(self.root, self.split, None)

    @property
    def clips(self):
        return {clip.name: clip for clip in self.dataset.clips(self.root, self.split)}

    def spec(self, distance, void_occluded=True, model="truth", **options):
        dataset = DatasetSpec(key="blocks", name="blocks", identity=self.dataset.identity)
        return SynthesisSpec(
            dataset=dataset,
            split=self.split,
            keyframes=self.keyframes,
            motion=model,
            distance=distance,
            void_occluded=void_occluded,
            **options,
        )

    def estimate(self, model="truth", max_distance=3, split=None, reference=()):
        folder = self.folder / "-".join(["motion", model, *reference])
        manifest = estimate_motion(
            self.dataset,
            self.root,
            split or self.split,
            self.keyframes,
            model,
            max_distance,
            folder,
            reference=reference,
        )
        return folder, manifest

    def synthesise(self, motion, distance, previous=None, split=None, **options):
        spec = self.spec(distance, **options)
        folder = self.folder / f"{motion.name}{distance:+d}-{sha256_of_json(spec.model_dump(mode='json'))[:8]}"
        manifest = synthesise(self.dataset, self.root, split or self.split, spec, motion, previous, folder)
        return folder, manifest

    def synthesise_all(self, motion, max_distance=3, **options):
        """Folders by signed distance, each made from the one before."""
        folders = {}
        for sign in (-1, 1):
            for step in range(1, max_distance + 1):
                previous = folders.get(sign * (step - 1)) if options.get("method") != "accumulated" else None
                folders[sign * step], _ = self.synthesise(motion, sign * step, previous, **options)
        return folders


@pytest.fixture
def lab(tmp_path):
    return Laboratory(tmp_path)
