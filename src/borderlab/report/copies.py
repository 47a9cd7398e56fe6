"""Results that were made from different copies of one data set do not stand in one table."""

from collections.abc import Iterable
from pathlib import Path

from borderlab.errors import RunError
from borderlab.explanation import FILE, read_identity


def check_copies(folders: Iterable[Path]) -> None:
    """Compare the copies of the user's own data sets that trainings read, as far as their folders tell.

    Raises:
        RunError: if two of them differ.
        DataError: if an identity cannot be read.
    """
    first: dict[str, tuple[str, Path]] = {}
    for folder in folders:
        data = read_identity(folder).data if (folder / FILE).is_file() else {}
        for name, digest in data.items():
            known, other = first.setdefault(name, (digest, folder))
            if known != digest:
                raise RunError(
                    f"{folder}: was made from another copy of {name} than {other} ({digest[:8]}, not {known[:8]}); "
                    "delete the folders of the wrong ones and run again, and name the copy in `datasets`, `content`"
                )
