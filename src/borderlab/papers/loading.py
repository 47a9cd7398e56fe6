"""From a folder of papers to checked tables and claims, or one line that says what is wrong and where."""

import csv
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from borderlab.errors import ConfigError
from borderlab.papers.files import CLAIMS_FILE, PAPER_FILE, paper_folders
from borderlab.papers.schema import Claim, Paper, PaperInfo, PublishedCell, PublishedTable, Selector, TableSpec
from borderlab.papers.selection import PLANNED
from borderlab.report.schemas import SCHEMAS

Model = TypeVar("Model", bound=BaseModel)


def load_papers(folder: Path) -> list[Paper]:
    """Every paper below `folder`; none if there is no such folder.

    Raises:
        ConfigError: one line with file, place and what to put right.
    """
    return [load_paper(path) for path in paper_folders(folder)]


def load_paper(folder: Path) -> Paper:
    """The paper in `folder`.

    Raises:
        ConfigError: one line with file, place and what to put right.
    """
    tables = tuple(_load_table(path) for path in sorted(folder.glob("*.csv")))
    claims = _validated(TypeAdapter(tuple[Claim, ...]), _yaml(folder / CLAIMS_FILE), folder / CLAIMS_FILE)
    info = _validated(TypeAdapter(PaperInfo), _yaml(folder / PAPER_FILE), folder / PAPER_FILE)
    paper = Paper(name=folder.name, info=info, tables=tables, claims=claims)
    _check_claims(paper, folder / CLAIMS_FILE)
    return paper


def _load_table(path: Path) -> PublishedTable:
    spec_path = path.with_suffix(".yaml")
    spec = _validated(TypeAdapter(TableSpec), _yaml(spec_path), spec_path)
    table = PublishedTable(name=path.stem, spec=spec, cells=tuple(_cells(path)))
    seen: set[tuple[str, str]] = set()
    for cell in table.cells:
        for kind, label, known in (("row", cell.row, spec.rows), ("column", cell.column, spec.columns)):
            if label not in known:
                raise ConfigError(f"{spec_path}: {kind}s: has no {label!r}, which {path.name} holds; add it")
        key = (cell.row, cell.column)
        if key in seen:
            raise ConfigError(f"{path}: row {cell.row!r}, column {cell.column!r} stands there twice; keep one")
        seen.add(key)
    own = [spec.select, spec.against, *spec.rows.values(), *spec.columns.values()]
    chosen = [selector for selector in own if selector]
    _check_columns(chosen, spec.results, spec_path)
    planned = PLANNED[spec.results]
    for name in (name for selector in chosen for name in selector if name not in planned):
        raise ConfigError(f"{spec_path}: {name!r} is known after runs only; cells select by {', '.join(planned)}")
    return table


def _cells(path: Path) -> Iterable[PublishedCell]:
    with StringIO(_text(path), newline="") as stream:
        reader = csv.DictReader(stream)
        wanted = list(PublishedCell.model_fields)
        if reader.fieldnames is None or list(reader.fieldnames) != wanted:
            raise ConfigError(f"{path}: the first line must be {','.join(wanted)}")
        for values in reader:
            place = f"{path}: line {reader.line_num}"
            if None in values or None in values.values():
                raise ConfigError(f"{place}: must hold {len(wanted)} values")
            yield _validated(TypeAdapter(PublishedCell), values, place)


def _check_claims(paper: Paper, path: Path) -> None:
    ids = [claim.id for claim in paper.claims]
    for claim in paper.claims:
        place = f"{path}: {claim.id}"
        if ids.count(claim.id) > 1:
            raise ConfigError(f"{place}: stands there twice; ids must differ")
        _check_columns((claim.where, claim.left, claim.right, claim.paper_setting), claim.results, place)
        _check_columns((dict.fromkeys(claim.free, ""),), claim.results, place)
        if claim.published is not None:
            _check_published(paper, claim, place)


def _check_published(paper: Paper, claim: Claim, place: str) -> None:
    sides = claim.published
    assert sides is not None  # noqa: S101  (the caller's condition)
    if sides.table not in paper.table_by_name:
        known = ", ".join(paper.table_by_name)
        raise ConfigError(f"{place}: published: no table {sides.table!r}; this paper has {known}")
    spec = paper.table_by_name[sides.table].spec
    labels = spec.rows if sides.axis == "row" else spec.columns
    for label in (sides.left, sides.right):
        if label not in labels:
            raise ConfigError(f"{place}: published: table {sides.table} has no {sides.axis} {label!r}")


def _check_columns(selectors: Iterable[Selector], table: str, place: object) -> None:
    known = SCHEMAS[table].columns
    for selector in selectors:
        for name in selector:
            if name not in known:
                raise ConfigError(f"{place}: {name!r} is no column of results table {table} (docs/data_dictionary.md)")


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return stream.read()
    except UnicodeDecodeError as fault:
        raise ConfigError(f"{path}: is not UTF-8 (byte {fault.start}); save it as UTF-8") from fault
    except OSError as fault:
        raise ConfigError(f"{path}: cannot be read ({fault.strerror}); every table needs a CSV and a YAML") from fault


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(_text(path))
    except yaml.YAMLError as fault:
        raise ConfigError(f"{path}: is not YAML: {' '.join(str(fault).split())}") from fault


def _validated(adapter: TypeAdapter[Any], values: Any, place: object) -> Any:
    try:
        return adapter.validate_python(values)
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{place}: {f'{where}: ' if where else ''}{message[:1].lower() + message[1:]}") from fault
