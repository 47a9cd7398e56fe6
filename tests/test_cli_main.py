"""The command line's entry point: one line for what the user can put right."""

import errno

import pytest

from borderlab import cli
from borderlab.errors import DataError

FULL = (errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (DataError("x.png: is missing"), "x.png: is missing"),
        (DataError("http://me:word@host/x: refused"), "http://***@host/x: refused"),
        (DataError("'https://host/x?sig=word': refused (403)"), "'https://host/x?***': refused (403)"),
        (OSError(*FULL, "x.csv"), "x.csv: No space left on device; check the path, its owner and the disk"),
        (OSError(*FULL, "from", None, "to"), "to: No space left on device; check the path, its owner and the disk"),
        (OSError("8 requested"), "a file: 8 requested; check the path, its owner and the disk"),
    ],
)
def test_fault_is_one_line(
    fault: Exception, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def app() -> None:
        raise fault

    monkeypatch.setattr(cli, "app", app)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"borderlab: error: {line}\n"
