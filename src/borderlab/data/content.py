"""Which copy of a data set is there: a hash over every byte of it.

What is public or embedded is checked against sums on record, or made by code that counts in names. A user's own copy,
and whatever lies in a folder of the user's own, may be complete or not, resized, encoded again: its receipt says which
one it is, a configuration can ask for one by its hash (`datasets.NAME.content`), and results of two copies do not enter
one table.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from borderlab.data.base import ClassificationDataset, Dataset, LabelledImage, SegmentationDataset
from borderlab.errors import DataError
from borderlab.files import sha256_of_file, sha256_of_json

# Files that are read at a time: a network's file system answers slowly, and many at once.
READERS = 8


def content_of(dataset: Dataset, root: Path, split: str, own_folder: bool = False) -> dict[str, str]:
    """SHA-256 of the content of `split` below `root`; empty where `dataset.identity` decides every byte.

    Args:
        dataset: the data set.
        root: its folder.
        split: one of its splits.
        own_folder: whether the user named `root`: nothing there was checked when it was fetched.

    Returns:
        The split's name to the hash of its samples, and `<split>_video` to that of all frames of its clips, if they
        are there. Names of samples count, folders do not.
    """
    if dataset.has_fixed_content and not own_folder:
        return {}
    if isinstance(dataset, ClassificationDataset):
        return {split: _hash_of(map(_files_of_image, dataset.images(root, split)))}
    if not isinstance(dataset, SegmentationDataset):
        raise TypeError(f"{dataset.info.name}: neither classification nor segmentation")
    frames = ((frame.sample_id, _present(frame.image, frame.label)) for frame in dataset.frames(root, split))
    return {split: _hash_of(frames), **_content_of_video(dataset, root, split)}


def check_content(found: Mapping[str, str], wanted: Mapping[str, str], split: str, place: Path) -> None:
    """Compare what `content_of` found with what the configuration asks for, as far as it speaks of `split`.

    Raises:
        DataError: if another copy is there than the one that was asked for.
    """
    for name in (split, f"{split}_video"):
        if name in wanted and found.get(name) != wanted[name]:
            raise DataError(
                f"{place}: {name} is another copy than the configuration's `content` says: "
                f"{found.get(name, 'absent')}, not {wanted[name]}; get that one, or give this one's hash"
            )


def _content_of_video(dataset: SegmentationDataset, root: Path, split: str) -> dict[str, str]:
    try:
        clips = dataset.clips(root, split)
    except DataError:
        # Sets have their video apart, and most experiments do without.
        return {}
    frames = ((f"{clip.name} {frame.sample_id}", _present(frame.image)) for clip in clips for frame in clip.frames)
    return {f"{split}_video": _hash_of(frames)} if clips else {}


def _files_of_image(image: LabelledImage) -> tuple[str, list[Path]]:
    name = f"{image.sample_id} {image.class_id}"
    if isinstance(image.image, Path):
        return name, [image.image]
    return f"{name} {hashlib.sha256(image.image.tobytes()).hexdigest()}", []


def _present(*paths: Path | None) -> list[Path]:
    return [path for path in paths if path is not None]


def _hash_of(samples: Iterable[tuple[str, list[Path]]]) -> str:
    """One hash of names and file contents, in order."""
    listed = list(samples)
    with ThreadPoolExecutor(READERS) as readers:
        hashes = readers.map(lambda sample: [sha256_of_file(path) for path in sample[1]], listed)
        digest = hashlib.sha256()
        for line in _lines(listed, hashes):
            digest.update(line)
    return digest.hexdigest()


def _lines(listed: list[tuple[str, list[Path]]], hashes: Iterable[list[str]]) -> Iterator[bytes]:
    for (name, _), found in zip(listed, hashes, strict=True):
        yield f"{name} {' '.join(found)}\n".encode()


def identity_with(identity: str, content: Mapping[str, str]) -> str:
    """The data set's identity, with the copy that a configuration asks for."""
    return sha256_of_json({"data": identity, "content": dict(content)}) if content else identity
