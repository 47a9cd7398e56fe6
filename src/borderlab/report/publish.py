"""Published results: tables, page and summary under stable names, with a stamp that says which report they are.

The stamp's name carries the report's; it is removed first and written last, so a folder with a stamp is whole, and a
folder with another report's stamp is out of date.
"""

import shutil
from pathlib import Path

from borderlab.errors import RunError
from borderlab.files import atomic_file, sha256_of_file, write_json
from borderlab.workflow import Workflow


def publish_experiment(workflow: Workflow) -> Path:
    """Copy the finished report of the experiment to results/; return the stamp's path.

    Raises:
        RunError: if the report is not finished; what is published stays.
    """
    report = workflow.plan.experiment_id
    made = Path(workflow.paths.report_folder(report))
    published = Path(workflow.paths.results)
    sources = [Path(path) for path in (*workflow.paths.report(report), *workflow.paths.tables(report))]
    for source in sources:
        if not source.is_file():
            raise RunError(f"{source}: is missing; run the experiment to its end before it is published")
    _remove_stamps(published)
    copies = {}
    for source in sources:
        name = source.relative_to(made)
        with atomic_file(published / name) as part:
            shutil.copyfile(source, part)
        copies[name.as_posix()] = sha256_of_file(published / name)
    stamp = published / f"published-{report}.json"
    write_json(stamp, {"report": report, "scale": workflow.plan.config.scale, "sha256": copies})
    return stamp


def _remove_stamps(folder: Path) -> None:
    for stamp in folder.glob("published-*.json"):
        stamp.unlink()
