"""Identity of a result: the hash that names its folder.

Two results share a folder exactly if they share their specification, the code that makes them and the libraries that
decide numbers. Code is hashed by what it does, not by how it is written: comments, docstrings and layout do not count,
and neither does any module that the entry module does not import. Nothing here depends on modification times.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel

from borderlab.data import DATASETS
from borderlab.files import sha256_of_json
from borderlab.losses.names import LOSS_MODULES
from borderlab.motion.names import MOTION_MODEL_MODULES
from borderlab.padding.names import PADDING_MODE_MODULES

HASH_LENGTH = 8
PACKAGE = "borderlab"
LIBRARIES = ("numpy", "opencv-python-headless", "timm", "torch")

# Rooms where a registry names one module for each member: only the members in use belong to a result.
REGISTRIES = ("borderlab.data", "borderlab.losses", "borderlab.motion", "borderlab.padding")


def result_hash(spec: BaseModel, entry: str, members: Iterable[str] = ()) -> str:
    """Short hash that names the result of `spec` made by the module `entry`.

    Args:
        spec: the specification.
        entry: dotted name of the module whose code makes the result.
        members: dotted names of the registry members (data set, padding scheme, ...) that it uses.
    """
    parts = {
        "spec": spec.model_dump(mode="json"),
        "code": code_hash(entry, tuple(sorted(set(members)))),
        "libraries": libraries(),
    }
    return sha256_of_json(parts)[:HASH_LENGTH]


@cache
def libraries() -> dict[str, str]:
    """Versions of the libraries that decide numbers, without local labels: a CPU and a CUDA build share a result."""
    return {name: version(name).split("+")[0] for name in LIBRARIES}


@cache
def code_hash(entry: str, members: tuple[str, ...] = ()) -> str:
    """Hash of the code of `entry`, of `members`, and of all modules of the package that they import."""
    digest = hashlib.sha256()
    for module in code_modules(entry, members):
        digest.update(f"{module}\0{_module_hash(_source_of(module))}\0".encode())
    return digest.hexdigest()


@cache
def code_modules(entry: str, members: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Dotted names of the modules that `code_hash` covers, sorted."""
    found: set[str] = set()
    waiting = [entry, *members]
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found.add(module)
        waiting += [name for name in _imports(module) if not _is_unused_member(name, module, members)]
    return tuple(sorted(found))


def _is_unused_member(name: str, importer: str, members: tuple[str, ...]) -> bool:
    """Whether `importer` is a registry that merely lists `name`."""
    return importer in REGISTRIES and name in _registry_members() and name not in members


@cache
def _registry_members() -> frozenset[str]:
    """Modules of all registered data sets, losses, motion models and padding schemes."""
    datasets = {dataset.__module__ for dataset in DATASETS.values()}
    return frozenset(
        datasets | {*LOSS_MODULES.values(), *MOTION_MODEL_MODULES.values(), *PADDING_MODE_MODULES.values()}
    )


@cache
def _imports(module: str) -> tuple[str, ...]:
    """Modules of the package that `module` imports, anywhere in its text."""
    names: set[str] = set()
    for node in ast.walk(_tree(_source_of(module))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(sorted(name for name in names if name.split(".")[0] == PACKAGE and _exists(name)))


@cache
def _module_hash(source: Path) -> str:
    tree = _tree(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [child for child in node.body if not _is_text(child)] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _tree(source: Path) -> ast.Module:
    return ast.parse(source.read_text(encoding="utf-8"))


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
