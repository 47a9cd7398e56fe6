"""Hash of what code does: of one module and of all modules of the package that it imports.

Comments, docstrings and layout do not count, and neither does any module that is not imported: an edit to the report
leaves the hash of the training code as it was.

Every command plans, so what a file's text comes to is kept between processes, under the hash of the text
(`borderlab.codefacts`).
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from borderlab.codefacts import facts_of

PACKAGE = "borderlab"


@cache
def code_hash(entries: tuple[str, ...], left_out: frozenset[str] = frozenset()) -> str:
    """Hash of the code of the modules `entries` and of all that they import, without the modules `left_out`."""
    return hash_of_parts(code_parts(entries, left_out))


def code_parts(entries: tuple[str, ...], left_out: frozenset[str] = frozenset()) -> dict[str, str]:
    """Hash of each module that `code_hash` covers, by dotted name."""
    return {module: facts_of(_source_of(module)).digest for module in code_modules(entries, left_out)}


def hash_of_parts(parts: Mapping[str, str]) -> str:
    """One hash of the hashes of modules."""
    digest = hashlib.sha256()
    for module, part in parts.items():
        digest.update(f"{module}\0{part}\0".encode())
    return digest.hexdigest()


@cache
def code_modules(entries: tuple[str, ...], left_out: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Dotted names of the modules that `code_hash` covers, sorted."""
    found: set[str] = set()
    waiting = list(entries)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += [name for name in _imports(module) if name not in left_out]
    return tuple(sorted(found))


@cache
def _imports(module: str) -> tuple[str, ...]:
    """Modules of the package that `module` imports, anywhere in its text."""
    names = facts_of(_source_of(module)).imports
    return tuple(name for name in names if name.split(".")[0] == PACKAGE and _exists(name))


def _exists(module: str) -> bool:
    return _path_of(module) is not None


def _source_of(module: str) -> Path:
    path = _path_of(module)
    if path is None:
        raise ModuleNotFoundError(f"no module {module!r} in {PACKAGE}")
    return path


@cache
def _path_of(module: str) -> Path | None:
    root = Path(str(files(PACKAGE)))
    place = root.joinpath(*module.split(".")[1:])
    for candidate in (place / "__init__.py", place.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None
