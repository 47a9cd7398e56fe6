"""The head of the page in words: what this experiment ran, and what of the papers it did not."""

from collections.abc import Iterable

from borderlab.report.style import padding_order
from borderlab.report.tabulate import Tables

MOST_NAMES = 12


def coverage(tables: Tables) -> list[tuple[str, str]]:
    """Pairs of a heading and a sentence; nothing about papers where none were read."""
    runs = tables["runs"]
    trained = [
        _names("data sets", sorted(set(runs["dataset"]))),
        _names("networks", sorted(set(runs["backbone"]))),
        _names("padding", padding_order(runs["padding_mode"])),
        _names("propagated samples", sorted(set(runs["propagation_kind"]) - {"none"})),
        _names("losses", sorted(set(runs["loss"]))),
    ]
    found = [("Trained", "; ".join(filter(None, trained)) + ".")] if len(runs) else []
    return [*found, *_of_papers(tables)]


def _of_papers(tables: Tables) -> Iterable[tuple[str, str]]:
    claims, cells = tables["claims"], tables["paper_cells"]
    own = claims[claims["evidence"] == "experiment"]
    if own.empty:
        return
    known = dict.fromkeys(zip(own["paper"], own["claim"], strict=True))
    run = own[own["verdict"] != "not run"]
    tested = set(zip(run["paper"], run["claim"], strict=True))
    untested = [claim for paper, claim in known if (paper, claim) not in tested]
    yield (
        "Put to the test",
        f"{len(tested)} of {len(known)} claims of the papers; "
        f"{int((cells['status'] == 'measured').sum())} of {len(cells)} published numbers have runs here.",
    )
    if untested:
        yield "Not run", f"{', '.join(untested)}."


def _names(what: str, names: list[str]) -> str:
    if not names:
        return ""
    return f"{what}: {', '.join(names)}" if len(names) <= MOST_NAMES else f"{len(names)} {what}"
