"""Bring every fault about and write the table: `python -m tests.workflow.faults [NAME ...]` (root; `make faults`).

Writes docs/faults.md between its marks, and benchmarks/faults.json. A fault that cannot be brought about here is
skipped, and its row says so.
"""

import json
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.workflow.faults import cluster, processes, storage
from tests.workflow.faults.bench import Bench, Outcome
from tests.workflow.running import ROOT

PAGE, ARTIFACT = ROOT / "docs" / "faults.md", ROOT / "benchmarks" / "faults.json"
BEGIN, END = "<!-- begin: faults -->\n", "<!-- end: faults -->"
FAULTS: dict[str, Callable[[Bench], Outcome]] = {
    made.__name__: made
    for made in (
        processes.killed_training,
        processes.killed_synthesis,
        processes.terminated_training,
        processes.killed_controller,
        processes.two_controllers,
        storage.truncated_checkpoint,
        storage.flipped_bit,
        storage.deleted_frame,
        storage.disk_full,
        storage.remote_unreachable,
        storage.remote_garbage,
        cluster.walltime,
        cluster.memory,
        cluster.preemption,
        cluster.node_lost,
        cluster.node_drained,
    )
}


def main(names: list[str]) -> int:
    """Run the faults `names`, or all; the exit status is the number of rows that did not end as they should."""
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        raise SystemExit(f"unknown fault {unknown[0]!r}; there are: {', '.join(FAULTS)}")
    # As an exception, so that daemons and mounts are taken down on the way out.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    rows = json.loads(ARTIFACT.read_text()) if names and ARTIFACT.exists() else {}
    for name in names or FAULTS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                rows[name] = FAULTS[name](Bench(Path(folder))).as_dict()
            except cluster.UnavailableError as reason:
                rows[name] = {"same": None, "skipped": f"not run here: {reason}"}
        sys.stdout.write(f"{name}: {rows[name]}\n")
        sys.stdout.flush()
        ARTIFACT.parent.mkdir(exist_ok=True)
        ARTIFACT.write_text(json.dumps(rows, indent=2) + "\n")
    text = PAGE.read_text()
    PAGE.write_text(text[: text.index(BEGIN) + len(BEGIN)] + table(rows) + text[text.index(END) :])
    return sum(row["same"] is False for row in rows.values())


def table(rows: dict[str, dict[str, object]]) -> str:
    """The rows as Markdown, in the order of `FAULTS`."""
    lines = ["| fault | times | what the user sees | begun again | same bits |", "|---|---|---|---|---|"]
    for name in FAULTS:
        row = rows.get(name)
        if row is None or row["same"] is None:
            reason = "not run" if row is None else row["skipped"]
            lines.append(f"| {name.replace('_', ' ')} | 0 | {reason} | | |")
            continue
        seen = str(row["seen"]).replace("|", "\\|")
        lines.append(
            f"| {row['fault']} | {row['trials']} | {seen} | {row['again']['told']} | {'yes' if row['same'] else 'NO'} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
