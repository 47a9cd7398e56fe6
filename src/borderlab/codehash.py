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
    return dict(_parts(entries, left_out))


@cache
def _parts(entries: tuple[str, ...], left_out: frozenset[str]) -> tuple[tuple[str, str], ...]:
    # An experiment has hundreds of results and a handful of entries.
    return tuple((module, facts_of(_source_of(module)).digest) for module in code_modules(entries, left_out))


def hash_of_parts(parts: Mapping[str, str]) -> str:
    """One hash of the hashes of modules."""
    return hashlib.sha256("".join(f"{module}\0{part}\0" for module, part in parts.items()).encode()).hexdigest()


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
    return tuple(name for name in names if name in _sources())


def _source_of(module: str) -> Path:
    if module not in _sources():
        raise ModuleNotFoundError(f"no module {module!r} in {PACKAGE}")
    return _sources()[module]


@cache
def _sources() -> dict[str, Path]:
    """File of each module of the package, by dotted name."""
    root = Path(str(files(PACKAGE)))
    return {_dotted_name(path.relative_to(root)): path for path in root.rglob("*.py")}


def _dotted_name(path: Path) -> str:
    place = path.parent if path.name == "__init__.py" else path.with_suffix("")
    return ".".join((PACKAGE, *place.parts))
