"""Inputs that cannot be used: named, counted, and never skipped without a word."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from borderlab.errors import DataError

log = logging.getLogger(__name__)


@dataclass
class BrokenInputs:
    """What could not be made, each with the place that it would have had and the reason."""

    entries: list[dict[str, Any]] = field(default_factory=list)

    def note(self, fault: DataError, **place: str | int) -> None:
        """Add one, and say so at once."""
        self.entries.append({**place, "reason": str(fault)})
        log.warning("%s", fault)

    def stop_beyond(self, allowed: int, n_asked_for: int, what: str) -> None:
        """Raise `DataError` with count and first reason if more than `allowed` of `n_asked_for` are broken."""
        if len(self.entries) > allowed:
            raise DataError(
                f"{len(self.entries)} of {n_asked_for} {what} cannot be made (allow_broken: {allowed}), the first "
                f"because of {self.entries[0]['reason']}"
            )


def broken_reason(entries: Iterable[dict[str, Any]], **place: str | int) -> str | None:
    """Why the entry at `place` is broken; None if it is not."""
    for entry in entries:
        if all(entry[key] == value for key, value in place.items()):
            return str(entry["reason"])
    return None
