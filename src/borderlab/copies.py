"""Which copies of the user's own data sets a result was made from; results of two copies do not stand in one table.

A training keeps the hashes in its identity.json; an evaluation, a probe and a score of moved labels keep them in a
data.json of their own, for each may be made on another day, beside weights that were pulled.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from borderlab.errors import DataError, RunError
from borderlab.explanation import FILE, read_identity
from borderlab.files import read_json, write_json

DATA_FILE = "data.json"


def keep_copies(folder: Path, data: Mapping[str, str]) -> None:
    """Keep the hashes of the copies that a finished result read in its folder; no file where it read none."""
    if data:
        write_json(folder / DATA_FILE, dict(data))


def copies_of(folder: Path) -> dict[str, str]:
    """Hashes of the copies that the result in `folder` read, as far as it tells.

    Raises:
        DataError: if they cannot be read.
    """
    if (folder / FILE).is_file():
        return read_identity(folder).data
    path = folder / DATA_FILE
    try:
        return dict(read_json(path)) if path.is_file() else {}
    except (OSError, ValueError, TypeError) as fault:
        raise DataError(f"{path}: cannot be read ({fault}); delete {folder} and run again") from fault


def check_copies(folders: Iterable[Path]) -> None:
    """Compare the copies of the user's own data sets that results were made from, as far as their folders tell.

    Raises:
        RunError: if two of them differ.
        DataError: if what a folder tells cannot be read.
    """
    first: dict[str, tuple[str, Path]] = {}
    for folder in folders:
        for name, digest in copies_of(folder).items():
            known, other = first.setdefault(name, (digest, folder))
            if known != digest:
                raise RunError(
                    f"{folder}: was made from another copy of {name} than {other} ({digest[:8]}, not {known[:8]}); "
                    "delete the folders of the wrong ones and run again, and name the copy in `datasets`, `content`"
                )
