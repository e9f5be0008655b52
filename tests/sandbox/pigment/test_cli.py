"""The command `intacct-sandbox pigment`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from intacct_sandbox.cli import main


def test_a_workspace_is_served_and_kept(tmp_path: Path) -> None:
    lists = tmp_path / "lists.json"
    lists.write_text(json.dumps([{"name": "GL accounts", "columns": ["id"]}]))
    ready = tmp_path / "url"
    workspace = tmp_path / "workspace.sqlite"
    command = [sys.executable, "-m", "intacct_sandbox.cli", "pigment", "--port", "0"]
    command += ["--workspace", str(workspace), "--lists", str(lists)]
    command += ["--ready-file", str(ready)]
    for _ in range(2):
        ready.unlink(missing_ok=True)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            while not (ready.exists() and ready.read_text().endswith("\n")):
                assert process.poll() is None
                time.sleep(0.02)
            page = requests.get(ready.read_text().strip(), timeout=10).text
            process.send_signal(signal.SIGTERM)
            told, _ = process.communicate()
        assert process.returncode == 0
        assert "GL accounts" in page
        assert "export TARGET_PIGMENT_API_KEY=" in told
        assert "export PIGMENT_GL_ACCOUNTS_ID=" in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "intacct-sandbox: "),
        ('[{"name": "a", "columns": ["x"], "type": "Table"}]', "'Table' is not a"),
    ],
)
def test_wrong_lists_leave_no_workspace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    lists, workspace = tmp_path / "lists.json", tmp_path / "workspace.sqlite"
    lists.write_text(text)
    arguments = ["--workspace", str(workspace), "--lists", str(lists)]
    assert main(["pigment", *arguments]) == 1
    assert words in capsys.readouterr().err
    assert not workspace.exists()
