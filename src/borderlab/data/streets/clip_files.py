"""The files of a clip: how they are named, and whether they are all there.

    <split>/<clip>/frame_000.png           RGB
                   label_000.png           train ids, 255 for void
                   flow_fwd_000.npy        float16 (2, h, w) to the next frame; none for the last
                   flow_bwd_001.npy        float16 (2, h, w) to the previous frame; none for the first
                   occlusion_fwd_000.png   255 where the pixel is not visible in the next frame
                   occlusion_bwd_001.png   likewise in the previous frame

It imports neither OpenCV nor the renderer: the workflow plans with it.
"""

from pathlib import Path

_DIRECTION = {1: "fwd", -1: "bwd"}


def clip_name(index: int) -> str:
    """Name of the clip's folder."""
    return f"clip_{index:04d}"


def frame_path(clip: Path, index: int) -> Path:
    """Image of a frame."""
    return clip / f"frame_{index:03d}.png"


def label_path(clip: Path, index: int) -> Path:
    """Label of a frame."""
    return clip / f"label_{index:03d}.png"


def flow_path(clip: Path, index: int, step: int) -> Path:
    """Flow of frame `index` to the next (`step` 1) or the previous frame (-1)."""
    return clip / f"flow_{_DIRECTION[step]}_{index:03d}.npy"


def occlusion_path(clip: Path, index: int, step: int) -> Path:
    """Occlusion of frame `index` in the next (`step` 1) or the previous frame (-1)."""
    return clip / f"occlusion_{_DIRECTION[step]}_{index:03d}.png"


def clip_paths(clip: Path, frames: int) -> list[Path]:
    """All files of a clip of that many frames."""
    neighbours = [(index, 1) for index in range(frames - 1)] + [(index, -1) for index in range(1, frames)]
    return [
        *(path(clip, index) for path in (frame_path, label_path) for index in range(frames)),
        *(path(clip, *neighbour) for path in (flow_path, occlusion_path) for neighbour in neighbours),
    ]


def is_whole(clip: Path, frames: int) -> bool:
    """Whether a clip lies there with all its files; folders are renamed into place only when they are complete."""
    return all(path.is_file() for path in clip_paths(clip, frames))
