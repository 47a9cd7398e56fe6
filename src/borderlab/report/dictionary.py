"""Writes the data dictionary: `python -m borderlab.report.dictionary docs/data_dictionary.md`."""

import sys
from pathlib import Path

from borderlab.files import write_text
from borderlab.report.schemas import dictionary_text

if __name__ == "__main__":
    write_text(Path(sys.argv[1]), dictionary_text())
