"""What the text of a Python file comes to: its hash without comments and docstrings, and the names that it imports.

Both are kept in the user's cache folder, under the hash of the text: every command plans, and parsing the package
anew would be the largest part of that. A cache that cannot be read or written is done without.
"""

import ast
import atexit
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from borderlab.files import write_text

# A change of this module's meaning needs another number; what one Python's parser found is not another's to read.
_VERSION = f"2-{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class CodeFacts:
    """Hash of what a file's code does, and the dotted names that it imports anywhere, sorted."""

    digest: str
    imports: tuple[str, ...]


@cache
def facts_of(source: Path) -> CodeFacts:
    """Facts of the Python file `source`."""
    text = source.read_bytes()
    key = hashlib.sha256(text).hexdigest()
    kept = _kept()
    if key not in kept:
        kept[key] = _parsed(text.decode("utf-8"))
        _keep_at_exit()
    return kept[key]


def cache_file() -> Path:
    """Where facts are kept: below XDG_CACHE_HOME, or ~/.cache."""
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "borderlab" / f"code-{_VERSION}.json"


def _parsed(text: str) -> CodeFacts:
    tree = ast.parse(text)
    imports = tuple(sorted(set(_imported(tree))))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [child for child in node.body if not _is_text(child)] or [ast.Pass()]
    return CodeFacts(hashlib.sha256(canonical(tree).encode()).hexdigest(), imports)


def canonical(node: object) -> str:
    """Text of a syntax tree, the same in every version of Python: `ast.dump` shows fields that others do not know.

    Empty fields are left out, so `type_params`, new in 3.12, counts only where it is used. So are empty strings within
    f-strings, which 3.12 adds after a nested width.
    """
    if isinstance(node, ast.JoinedStr):
        return f"JoinedStr({canonical([part for part in node.values if not _is_empty_text(part)])})"
    if isinstance(node, ast.AST):
        fields = ((name, getattr(node, name, None)) for name in node._fields)
        shown = (f"{name}={canonical(value)}" for name, value in fields if value is not None and value != [])
        return f"{type(node).__name__}({','.join(shown)})"
    if isinstance(node, list):
        return f"[{','.join(map(canonical, node))}]"
    return repr(node)


def _is_empty_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == ""


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@cache
def _kept() -> dict[str, CodeFacts]:
    try:
        entries = json.loads(cache_file().read_text(encoding="utf-8"))
        return {key: CodeFacts(str(digest), tuple(map(str, imports))) for key, (digest, imports) in entries.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


@cache
def _keep_at_exit() -> None:
    """Write the cache once, when the process ends."""
    atexit.register(_write)


def _write() -> None:
    entries = {key: [facts.digest, list(facts.imports)] for key, facts in _kept().items()}
    with suppress(OSError, RuntimeError):
        write_text(cache_file(), json.dumps(entries))
