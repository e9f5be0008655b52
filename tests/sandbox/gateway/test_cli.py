"""The command `intacct-sandbox`."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from intacct_sandbox.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator


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


@pytest.fixture
def busy_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield str(taken.getsockname()[1])


@pytest.mark.parametrize("command", ["serve", "pigment"])
def test_busy_port_is_one_line_on_stderr_and_leaves_no_file(
    tmp_path: Path, busy_port: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    option = {"serve": "--company-file", "pigment": "--workspace"}[command]
    file = tmp_path / "file.sqlite"
    assert main([command, "--port", busy_port, option, str(file)]) == 1
    assert not file.exists()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == (
        f"intacct-sandbox: port {busy_port} is in use; "
        "choose another one with --port, or --port 0 for any free one\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "--port", "0", "--company-file"],
        ["change", "--company-file"],
        ["truth", "APBILL", "--company-file"],
        ["pigment", "--port", "0", "--workspace"],
    ],
    ids=lambda arguments: arguments[0],
)
@pytest.mark.parametrize("content", [b"no database at all, but some text\n", b""])
def test_file_of_something_else_is_one_line_that_names_it(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    content: bytes,
) -> None:
    other = tmp_path / "other.sqlite"
    other.write_bytes(content)
    if arguments[0] == "pigment" and not content:
        pytest.skip("An empty file is an empty workspace.")
    assert main([*arguments, str(other)]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"intacct-sandbox: {other}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["serve", "--company-file"], ["pigment", "--workspace"]]
)
def test_folder_that_is_not_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    absent = tmp_path / "absent" / "file.sqlite"
    assert main([*arguments, str(absent), "--port", "0"]) == 1
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .startswith(f"intacct-sandbox: {absent}")
    )


@pytest.mark.parametrize("port", ["-1", "65536", "x"])
def test_port_that_is_none_is_refused(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["serve", f"--port={port}"])
    assert f"{port} is no port" in capsys.readouterr().err


def test_readme_goes_no_further_than_a_sandbox_that_did_not_start(
    tmp_path: Path,
) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
    found = re.search(
        r"^\(set -e.*?^\. output/sandbox\.env$", readme, re.MULTILINE | re.DOTALL
    )
    assert found is not None
    begin = re.sub(r"\S*intacct-sandbox serve", "false", found[0])
    (tmp_path / "output").mkdir()
    shell = subprocess.run(
        ["bash", "-c", f"{begin}\necho went on\n)"],  # noqa: S607 - as the reader's shell
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert shell.returncode != 0
    assert shell.stdout == ""


@pytest.mark.parametrize(
    ("number", "flags"),
    [(signal.SIGINT, []), (signal.SIGTERM, ["--plain-passwords"])],
)
def test_server_prints_its_settings_and_stops_on_a_signal(
    company_file: str, tmp_path: Path, number: signal.Signals, flags: list[str]
) -> None:
    ready = tmp_path / "ready"
    command = [sys.executable, "-m", "intacct_sandbox.cli", "serve", "--port", "0"]
    command += ["--company-file", company_file, "--ready-file", str(ready), *flags]
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
    passwords = [line.partition("=")[2] for line in lines if "_PASSWORD=" in line]
    needs_escape = [any(c in password for c in '&<"') for password in passwords]
    assert needs_escape == [not flags] * 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["change", "--share", "7", "--company-file", "x"], "7 is no share"),
        (["change", "--share", "nan", "--company-file", "x"], "nan is no share"),
        (["serve", "--scale", "0"], "at least 40"),
    ],
)
def test_number_out_of_range_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", '{"a": 1}', "[5]", "[{}]", "\udcff"])
def test_lists_that_are_none_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    lists = tmp_path / "lists.json"
    lists.write_bytes(text.encode(errors="surrogateescape"))
    workspace = tmp_path / "new.sqlite"
    assert main(["pigment", "--workspace", str(workspace), "--lists", str(lists)]) == 1
    assert "lists.json" in capsys.readouterr().err
    assert not workspace.exists()
