"""Identity of a result: the hash that names its folder.

Two results share a folder exactly if they share their specification, the code that makes them and the libraries that
decide numbers. Of data sets, losses, motion models and padding schemes only those in use count, so a new scheme
renames nothing. Nothing here depends on modification times.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import BaseModel

from borderlab.codehash import code_parts, hash_of_parts
from borderlab.data import DATASETS
from borderlab.files import sha256_of_json
from borderlab.libraries import library_versions
from borderlab.losses.names import LOSS_MODULES
from borderlab.motion.names import MOTION_MODEL_MODULES
from borderlab.padding.names import PADDING_MODE_MODULES

HASH_LENGTH = 8

# Modules that cannot change a result: they name it, write it down or report it, or list members that count by
# themselves.
NEUTRAL = frozenset(
    {
        "borderlab.codefacts",
        "borderlab.codehash",
        "borderlab.errors",
        "borderlab.files",
        "borderlab.losses.names",
        "borderlab.models.names",
        "borderlab.motion.names",
        "borderlab.padding.names",
        "borderlab.padding.report",
        "borderlab.provenance",
    }
)


@dataclass(frozen=True)
class Identity:
    """What decides a result, part by part: its settings, the code that makes it, the libraries that decide numbers."""

    spec: dict[str, Any]
    code: dict[str, str]
    libraries: dict[str, str]
    data: dict[str, str] = field(default_factory=dict)
    """Hashes of the user's own copies of data sets that were read: known once those are there, so not in the name. A
    copy that the configuration asks for counts in the specification's data identity."""

    @property
    def short_hash(self) -> str:
        """The hash that ends the result's name."""
        parts = {"spec": self.spec, "code": hash_of_parts(self.code), "libraries": self.libraries}
        return sha256_of_json(parts)[:HASH_LENGTH]


def identity_of(spec: BaseModel, entry: str, members: Iterable[str] = ()) -> Identity:
    """Identity of the result of `spec` made by the module `entry`.

    Args:
        spec: the specification.
        entry: dotted name of the module whose code makes the result.
        members: dotted names of the registry members (data set, padding scheme, ...) that it uses.
    """
    used = tuple(sorted(set(members)))
    code = code_parts((entry, *used), NEUTRAL | (registry_members() - set(used)))
    return Identity(spec.model_dump(mode="json"), code, library_versions())


def result_hash(spec: BaseModel, entry: str, members: Iterable[str] = ()) -> str:
    """Short hash that names the result of `spec` made by the module `entry`."""
    return identity_of(spec, entry, members).short_hash


@cache
def registry_members() -> frozenset[str]:
    """Modules of all registered data sets, losses, motion models and padding schemes."""
    datasets = {dataset.__module__ for dataset in DATASETS.values()}
    return frozenset(
        datasets | {*LOSS_MODULES.values(), *MOTION_MODEL_MODULES.values(), *PADDING_MODE_MODULES.values()}
    )
