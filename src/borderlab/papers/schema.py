"""What the files of a paper's folder hold (docs/papers.md): its tables, cell by cell, and its claims."""

from decimal import Decimal
from functools import cached_property
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Value = bool | int | float | str
Selector = dict[str, Value | list[Value]]
"""Values that columns of a results table must have; a list names several that will do."""

Verified = Literal["primary", "secondary", "no"]
ResultsTable = Literal["runs", "cross_test"]
Kind = Literal["gain", "no_gain", "equivalent"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PaperInfo(_Strict):
    """paper.yaml."""

    title: str
    authors: str
    year: int
    arxiv: str = ""
    note: str = Field("", description="What a reader should know about where the numbers come from.")


class PublishedCell(_Strict):
    """One cell of a published table: a row of its CSV file."""

    row: str = Field(min_length=1)
    column: str = Field(min_length=1)
    metric: str = Field(min_length=1)
    published: Decimal | None
    spread: Decimal | None
    n: int | None
    runs: tuple[Decimal, ...]
    verified: Verified
    source: str
    note: str

    @field_validator("published", "spread", "n", mode="before")
    @classmethod
    def _empty_is_absent(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("runs", mode="before")
    @classmethod
    def _split(cls, value: str) -> list[str]:
        return [part.strip() for part in value.split(";") if part.strip()]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if (self.published is None) != (self.verified == "no"):
            raise ValueError("a value needs verified: primary or secondary, and no value needs verified: no")
        if self.published is not None and not self.source:
            raise ValueError("a value needs its source")
        if self.runs and self.published is not None:
            if len(self.runs) != self.n:
                raise ValueError(f"n is {self.n}, but runs holds {len(self.runs)} values")
            mean = sum(self.runs, Decimal(0)) / len(self.runs)
            if abs(mean - self.published) > unit_of_last_place(self.published):
                raise ValueError(f"the mean of runs is {mean:.4f}, but published says {self.published}")
        return self


class TableSpec(_Strict):
    """NAME.yaml beside NAME.csv: what the table is, and which runs make each cell again."""

    title: str
    place: str
    results: ResultsTable = Field("runs", description="Results table that holds the runs.")
    measure: Literal["evaluation", "best"] = Field("evaluation", description="Which result of a run the paper prints.")
    config: str = Field(description="Configuration that has the runs.")
    study: str = Field("", description="Study of it.")
    select: Selector = Field(default_factory=dict, description="What holds for every cell.")
    against: Selector | None = Field(None, description="The other side, if cells are differences.")
    rows: dict[str, Selector | None] = Field(description="What a row adds; null: no run here makes it.")
    columns: dict[str, Selector | None]


class PublishedTable(_Strict):
    """A table with its cells."""

    name: str
    spec: TableSpec
    cells: tuple[PublishedCell, ...]

    def selector(self, cell: PublishedCell) -> Selector | None:
        """What the runs of a cell have in common; None if no run of this project makes it."""
        row, column = self.spec.rows[cell.row], self.spec.columns[cell.column]
        return None if row is None or column is None else {**self.spec.select, **row, **column}


class PublishedSides(_Strict):
    """The published runs of a claim: two columns compared in each row, or two rows in each column."""

    table: str
    axis: Literal["row", "column"]
    left: str
    right: str


class Claim(_Strict):
    """A statement of a paper and the rule that decides it: the left side's mean minus the right side's."""

    id: str
    text: str
    place: str
    verified: Verified
    kind: Kind
    margin_points: float = Field(gt=0, description="Smallest difference that counts, in percentage points.")
    results: ResultsTable = "runs"
    measure: Literal["evaluation", "best"] = "evaluation"
    where: Selector = Field(default_factory=dict)
    left: Selector
    right: Selector
    free: list[str] = Field(default_factory=list, description="Columns that may differ beside those of the sides.")
    paper_setting: Selector = Field(description="What a case must have, at paper scale, to be the paper's own.")
    published: PublishedSides | None = None


class Paper(_Strict):
    """A paper's folder."""

    name: str
    info: PaperInfo
    tables: tuple[PublishedTable, ...]
    claims: tuple[Claim, ...]

    @cached_property
    def table_by_name(self) -> dict[str, PublishedTable]:
        """Tables by name."""
        return {table.name: table for table in self.tables}


def unit_of_last_place(value: Decimal) -> Decimal:
    """One unit of the last printed place: 0.001 for 73.610."""
    return Decimal(1).scaleb(int(value.as_tuple().exponent))
