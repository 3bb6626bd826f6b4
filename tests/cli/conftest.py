from __future__ import annotations

import sys
from pathlib import Path

import pytest

from judgekit import cli
from tests.cli.command import Call, Outcome


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Run the command line in this process; a traceback would fail the test."""

    def run(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["judgekit", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return Outcome(int(left.value.code or 0), *capfd.readouterr())

    return run
