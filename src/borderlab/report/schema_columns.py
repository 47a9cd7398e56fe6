"""Columns of the tables, by what they hold."""

from typing import Any

import pandera.pandas as pa


def text(description: str, **checks: Any) -> pa.Column:
    """A text, never absent."""
    return pa.Column(str, description=description, **checks)


def whole(description: str, minimum: int | None = 0, nullable: bool = False) -> pa.Column:
    """A whole number."""
    checks = [] if minimum is None else [pa.Check.ge(minimum)]
    return pa.Column("Int64" if nullable else int, checks, nullable=nullable, description=description)


def number(description: str, nullable: bool = False, minimum: float | None = 0.0) -> pa.Column:
    """A number."""
    checks = [] if minimum is None else [pa.Check.ge(minimum)]
    return pa.Column(float, checks, nullable=nullable, description=description)


def share(description: str, nullable: bool = False) -> pa.Column:
    """A share in percent."""
    return pa.Column(float, pa.Check.in_range(0, 100), nullable=nullable, description=f"{description}, in percent.")


def points(description: str) -> pa.Column:
    """A difference in percentage points; may be absent."""
    description = f"{description}, in percentage points."
    return pa.Column(float, pa.Check.in_range(-100, 100), nullable=True, description=description)


def table(description: str, columns: dict[str, pa.Column], key: list[str]) -> pa.DataFrameSchema:
    """The schema of a whole table; `key` names the columns that no two rows share."""
    return pa.DataFrameSchema(columns, description=description, strict=True, ordered=True, unique=key)
