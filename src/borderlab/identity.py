"""Identity of a result: the hash that names its folder.

Two results share a folder exactly if they share their specification, the code that makes them and the libraries that
decide numbers. Of data sets, losses, motion models and padding schemes only those in use count, so a new scheme
renames nothing. Nothing here depends on modification times.
"""

from collections.abc import Iterable
from functools import cache

from pydantic import BaseModel

from borderlab.codehash import code_hash
from borderlab.data import DATASETS
from borderlab.files import sha256_of_json
from borderlab.libraries import library_versions
from borderlab.losses.names import LOSS_MODULES
from borderlab.motion.names import MOTION_MODEL_MODULES
from borderlab.padding.names import PADDING_MODE_MODULES

HASH_LENGTH = 8

# Modules that cannot change a result: they write it down or report it, or list members that count by themselves.
NEUTRAL = frozenset(
    {
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


def result_hash(spec: BaseModel, entry: str, members: Iterable[str] = ()) -> str:
    """Short hash that names the result of `spec` made by the module `entry`.

    Args:
        spec: the specification.
        entry: dotted name of the module whose code makes the result.
        members: dotted names of the registry members (data set, padding scheme, ...) that it uses.
    """
    used = tuple(sorted(set(members)))
    parts = {
        "spec": spec.model_dump(mode="json"),
        "code": code_hash((entry, *used), NEUTRAL | (registry_members() - set(used))),
        "libraries": library_versions(),
    }
    return sha256_of_json(parts)[:HASH_LENGTH]


@cache
def registry_members() -> frozenset[str]:
    """Modules of all registered data sets, losses, motion models and padding schemes."""
    datasets = {dataset.__module__ for dataset in DATASETS.values()}
    return frozenset(
        datasets | {*LOSS_MODULES.values(), *MOTION_MODEL_MODULES.values(), *PADDING_MODE_MODULES.values()}
    )
