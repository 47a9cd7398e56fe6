"""Receipts: proof that one split of a data set was fetched and verified, and of which content."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from borderlab.data.base import Dataset, FetchSettings, check_split
from borderlab.data.content import check_content, content_of
from borderlab.errors import DataError
from borderlab.files import read_json, write_json


def fetch_split(
    dataset: Dataset,
    folder: Path,
    split: str,
    *,
    mirror: str | None,
    receipt: Path,
    wanted: Mapping[str, str] | None = None,
    own_folder: bool = False,
    progress: bool = True,
) -> dict[str, Any]:
    """Make `split` complete in `folder`, count its samples, and write the receipt.

    Args:
        dataset: the data set.
        folder: the data set's own folder.
        split: one of its splits.
        mirror: folder or address asked before the public one; by default the environment's
            `BORDERLAB_MIRROR_<NAME>`.
        receipt: file to write.
        wanted: hashes of the copy that is asked for (`borderlab.data.content`); any where absent.
        own_folder: whether the user named `folder`, so that what is there is hashed whatever the data set.
        progress: whether to show a progress bar.

    Raises:
        DataError: if the split does not exist, cannot be made complete, or is of another copy than wanted; if
            the mirror is a folder that does not exist.
    """
    check_split(dataset, split)
    named = mirror or os.environ.get(f"BORDERLAB_MIRROR_{dataset.info.name.upper()}")
    settings = FetchSettings(mirror=named, progress=progress)
    if settings.mirror_folder is not None and not settings.mirror_folder.is_dir():
        raise DataError(f"mirror {named}: no such folder; name one with the layout of {dataset.info.name}, or none")
    dataset.fetch(folder, split, settings)
    found = content_of(dataset, folder, split, own_folder)
    check_content(found, wanted or {}, split, folder)
    content = {
        "dataset": dataset.info.name,
        "version": dataset.info.version,
        "identity": dataset.identity,
        "licence": dataset.info.licence,
        "split": split,
        "samples": dataset.count(folder, split),
        "content": found,
    }
    write_json(receipt, content)
    return content


def content_in(receipt: Path) -> dict[str, str]:
    """Hashes of the copy that `receipt` proves; none where it is absent, or of a version that wrote none."""
    found: dict[str, str] = read_json(receipt).get("content", {}) if receipt.is_file() else {}
    return found
