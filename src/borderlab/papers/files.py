"""Which files a folder of papers holds. Light: the workflow asks each time it plans."""

from pathlib import Path

from borderlab.files import sha256_of_file

PAPER_FILE = "paper.yaml"
CLAIMS_FILE = "claims.yaml"


def paper_folders(folder: Path) -> list[Path]:
    """Folders of papers below `folder`, by name; none if there is no such folder."""
    return sorted(path.parent for path in folder.glob(f"*/{PAPER_FILE}"))


def paper_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of the papers below `folder`, by its name there: part of what decides a report."""
    found = [path for paper in paper_folders(folder) for path in paper.iterdir() if path.suffix in (".csv", ".yaml")]
    return {path.relative_to(folder).as_posix(): sha256_of_file(path) for path in sorted(found)}
