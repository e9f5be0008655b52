"""The command `intacct-sandbox`."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from intacct_sandbox.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def company_file(books: Path, tmp_path: Path) -> str:
    return str(shutil.copy(books, tmp_path / "company.sqlite"))


def test_truth_is_one_json_line_a_row(
    company_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["truth", "--company-file", company_file, "APBILL"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert main(["truth", "--company-file", company_file, "--count", "APBILL"]) == 0
    assert capsys.readouterr().out == f"{len(lines)}\n"
    row = json.loads(lines[0])
    assert isinstance(row["TOTALENTERED"], str)
    assert isinstance(row["RECORDNO"], int)


def test_change_tells_what_it_changed(
    company_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["change", "--company-file", company_file, "--share", "0.1"]) == 0
    assert json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "arguments",
    [
        ["truth", "--company-file", "absent.sqlite", "APBILL"],
        ["change", "--company-file", "absent.sqlite"],
    ],
)
def test_missing_file_is_one_line_on_stderr(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert capsys.readouterr().err == "intacct-sandbox: no company file absent.sqlite\n"


def test_unknown_object_is_one_line_on_stderr(
    company_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["truth", "--company-file", company_file, "NOTHING"]) == 1
    assert "no object NOTHING" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_server_prints_its_settings_and_stops_on_a_signal(
    company_file: str, tmp_path: Path, number: signal.Signals
) -> None:
    ready = tmp_path / "ready"
    command = [sys.executable, "-m", "intacct_sandbox.cli", "serve", "--port", "0"]
    command += ["--company-file", company_file, "--ready-file", str(ready)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            first = server.stdout.readline()
            lines = [server.stdout.readline() for _ in range(6)]
        finally:
            server.send_signal(number)
        assert server.wait(timeout=10) == 0
    url = first.split()[2]
    assert ready.read_text() == f"{url}\n"
    assert f"export TAP_SAGE_INTACCT_API_URL={url}\n" in lines
