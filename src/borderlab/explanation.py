"""Why a result has its name, and why another one has not: identities compared part by part.

A run's folder keeps its identity beside its results (`identity.json`), so that a run made by other code, on another
machine or years ago can still be compared with what would be made today.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from borderlab.errors import DataError
from borderlab.files import write_json
from borderlab.identity import HASH_LENGTH, Identity

FILE = "identity.json"
ABSENT = "absent"
# Hashes of code and data say only that they differ.
_DIGITS = 8


@dataclass(frozen=True)
class Difference:
    """One part in which two identities differ; `kind` is setting, code, library or data."""

    kind: str
    name: str
    one: str
    other: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.one} -> {self.other}"


def write_identity(identity: Identity, folder: Path, data: Mapping[str, str] | None = None) -> None:
    """Keep `identity`, with the hashes of the copies of data that are read, in `folder`, made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / FILE, asdict(replace(identity, data=dict(data or {}))))


def read_identity(folder: Path) -> Identity:
    """The identity kept in `folder`.

    Raises:
        DataError: if there is none, or none that can be read.
    """
    path = folder / FILE
    if not path.exists():
        raise DataError(f"{folder}: is no run of this experiment, and no folder of one; `borderlab plan` lists runs")
    try:
        return Identity(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as fault:
        raise DataError(f"{path}: cannot be read ({fault}); make the run again") from None


def differences(one: Identity, other: Identity) -> list[Difference]:
    """Every part in which `other` differs from `one`: settings, code, libraries, and copies of data if both know."""
    known = one.data.keys() & other.data.keys()
    data = [_short({name: own.data[name] for name in known}) for own in (one, other)]
    parts: tuple[tuple[str, dict[str, str], dict[str, str]], ...] = (
        ("setting", dict(flattened(one.spec)), dict(flattened(other.spec))),
        ("code", _short(one.code), _short(other.code)),
        ("library", one.libraries, other.libraries),
        ("data", data[0], data[1]),
    )
    return [
        Difference(kind, name, left.get(name, ABSENT), right.get(name, ABSENT))
        for kind, left, right in parts
        for name in sorted({*left, *right})
        if left.get(name) != right.get(name)
    ]


def flattened(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Dotted names and JSON texts of all leaves of a specification; a list is a leaf."""
    if isinstance(value, dict) and value:
        for key, entry in value.items():
            yield from flattened(entry, f"{name}.{key}" if name else key)
    else:
        yield name, json.dumps(value)


def siblings(folder: Path) -> list[Path]:
    """Folders beside `folder` whose names differ in the hash alone, and that keep an identity."""
    front = folder.name[:-HASH_LENGTH]
    found = [path.parent for path in folder.parent.glob(f"{front}*/{FILE}")]
    same_front = [path for path in found if len(path.name) == len(folder.name)]
    return sorted(path for path in same_front if path.name != folder.name)


def _short(digests: dict[str, str]) -> dict[str, str]:
    return {name: digest[:_DIGITS] for name, digest in digests.items()}
