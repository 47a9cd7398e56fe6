"""Receipts: proof that one split of a data set was fetched and verified, and of which content."""

import os
from pathlib import Path
from typing import Any

from borderlab.data.base import Dataset, FetchSettings, check_split
from borderlab.files import write_json


def fetch_split(
    dataset: Dataset, folder: Path, split: str, *, mirror: str | None, receipt: Path, progress: bool = True
) -> dict[str, Any]:
    """Make `split` complete in `folder`, count its samples, and write the receipt.

    Args:
        dataset: the data set.
        folder: the data set's own folder.
        split: one of its splits.
        mirror: folder or address asked before the public one; by default the environment's
            `BORDERLAB_MIRROR_<NAME>`.
        receipt: file to write.
        progress: whether to show a progress bar.

    Raises:
        DataError: if the split does not exist or cannot be made complete.
    """
    check_split(dataset, split)
    named = mirror or os.environ.get(f"BORDERLAB_MIRROR_{dataset.info.name.upper()}")
    dataset.fetch(folder, split, FetchSettings(mirror=named, progress=progress))
    content = {
        "dataset": dataset.info.name,
        "version": dataset.info.version,
        "identity": dataset.identity,
        "licence": dataset.info.licence,
        "split": split,
        "samples": dataset.count(folder, split),
    }
    write_json(receipt, content)
    return content
