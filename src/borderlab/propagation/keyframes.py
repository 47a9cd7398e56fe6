"""Key frames: the frames of a clip that keep their label."""

from borderlab.spec import KeyframesSpec


def keyframe_indices(n_frames: int, keyframes: KeyframesSpec) -> list[int]:
    """Indices of the key frames of a clip of `n_frames` frames."""
    return list(range(keyframes.offset, n_frames, keyframes.stride))


def targets(n_frames: int, keyframes: KeyframesSpec, distance: int) -> list[tuple[int, int]]:
    """(key frame, target frame) pairs at a signed distance that lie in the clip."""
    pairs = ((key, key + distance) for key in keyframe_indices(n_frames, keyframes))
    return [(key, target) for key, target in pairs if 0 <= target < n_frames]


def needed_pairs(n_frames: int, keyframes: KeyframesSpec, max_distance: int) -> list[tuple[int, int]]:
    """(from, to) pairs of neighbouring frames within `max_distance` of a key frame, in both directions, each once."""
    pairs: set[tuple[int, int]] = set()
    for distance in range(1, max_distance + 1):
        for sign in (-1, 1):
            for _, target in targets(n_frames, keyframes, sign * distance):
                pairs |= {(target, target - sign), (target - sign, target)}
    return sorted(pairs)


def path_between(key: int, target: int) -> list[tuple[int, int]]:
    """(nearer, farther) pairs of neighbouring frames on the way from a key frame to its target, nearest first."""
    sign = 1 if target > key else -1
    return [(frame, frame + sign) for frame in range(key, target, sign)]
