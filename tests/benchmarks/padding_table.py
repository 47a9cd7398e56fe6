"""Prints the padding benchmark as Markdown: `python -m tests.benchmarks.padding_table padding.json`."""

import json
import sys
from pathlib import Path
from typing import Any


def table(report: dict[str, Any]) -> str:
    """Rows of medians with their quartiles; one column for each padding mode."""
    found = [entry["extra_info"] for entry in report["benchmarks"] if "ratio_to_zeros" in entry["extra_info"]]
    blocks = []
    for arms in dict.fromkeys(tuple(row["ratio_to_zeros"]) for row in found):
        rows = [row for row in found if tuple(row["ratio_to_zeros"]) == arms]
        head = ["case", "pass", "floor of partial", *arms[1:]]
        lines = ["| " + " | ".join(head) + " |", "|---|---|" + "---:|" * (len(head) - 2)]
        lines += ["| " + " | ".join(_cells(row, arms[1:])) + " |" for row in rows]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _cells(row: dict[str, Any], arms: tuple[str, ...]) -> list[str]:
    floor = row.get("floor")
    passes = "forward + backward" if row["backward"] else "forward"
    return [row["case"], passes, "–" if floor is None else f"{floor:.2f}", *(_cell(row, arm) for arm in arms)]


def _cell(row: dict[str, Any], arm: str) -> str:
    ratio = row["ratio_to_zeros"][arm]
    return f"{ratio['median']:.2f} ({ratio['quartile_low']:.2f}–{ratio['quartile_high']:.2f})"


if __name__ == "__main__":
    print(table(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))  # noqa: T201
