"""The command as it is installed, and what all of its commands have in common."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result
from rich.console import Console

from intacct_sandbox import Fault, FaultKind, Sandbox
from tap_sage_intacct.companion.cli import main
from tap_sage_intacct.companion.invocation import Surroundings
from tests.companion.conftest import Command

SCRIPT = Path(sys.executable).parent / "sage-intacct"
PAGE = Path(__file__).parents[2] / "docs" / "companion.md"
COMMANDS = ("doctor", "fields", "plan", "preview", "reports", "select", "sources")


def run(
    *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SCRIPT), *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_installed_script_takes_its_settings_from_the_environment(
    sandbox: Sandbox,
) -> None:
    settings = sandbox.config()
    environment = {
        f"TAP_SAGE_INTACCT_{name.upper()}": value for name, value in settings.items()
    }
    well = run("doctor", "--config=ENV", "--json", environment=environment)
    assert well.returncode == 0, well.stderr
    assert json.loads(well.stdout)["ok"] is True
    broken = run(
        "preview",
        "vendors",
        environment={**environment, "TAP_SAGE_INTACCT_USER_PASSWORD": "x"},
    )
    assert (broken.returncode, broken.stdout) == (1, "")
    assert broken.stderr.startswith("sage-intacct: Sign-in failed")
    assert len(broken.stderr.splitlines()) == 1


def test_reader_that_has_seen_enough_is_no_error() -> None:
    with subprocess.Popen(
        [str(SCRIPT), "fields", "vendors"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(timeout=60) == 1
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_terminal_without_ticks_gets_words(command: Command) -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    screen = Console(file=file, force_terminal=True, width=100)
    result = command("doctor", surroundings=Surroundings(screen=screen))
    file.seek(0)
    assert result.exit_code == 0
    assert "ok" in file.read()


def test_help_says_where_settings_come_from_and_which_wins(
    offline: Callable[..., Result],
) -> None:
    text = " ".join(offline("--help").stdout.split())
    places = ["meltano.yml", "TAP_SAGE_INTACCT_...", ".env", "--config"]
    assert sorted(places, key=text.index) == places
    assert "the later one wins" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_json_config_and_a_place_in_the_page(
    offline: Callable[..., Result], name: str
) -> None:
    text = offline(name, "--help").stdout
    assert "--json" in text
    assert "--config FILE" in text
    assert f"sage-intacct {name}" in PAGE.read_text(encoding="utf-8")


def test_the_commands_are_these() -> None:
    assert tuple(sorted(main.commands)) == COMMANDS
    assert all(isinstance(part, click.Command) for part in main.commands.values())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("docter",), "No such command 'docter'"),
        (("preview",), "Missing argument 'SOURCE'"),
        (("doctor", "--colour"), "No such option"),
    ],
)
def test_misuse_is_one_line(
    offline: Callable[..., Result], arguments: tuple[str, ...], words: str
) -> None:
    result = offline(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_wrong_settings_are_one_line_each_problem_named(command: Command) -> None:
    line = command.error("sources", page_size=0, start_date="soon")
    assert "page_size: 0" in line
    line = command.error("sources", start_date="soon", api_url="http://example.com")
    assert "start_date 'soon' is not a date" in line
    assert "api_url must be an https address" in line


def test_warnings_of_the_tap_go_to_stderr(command: Command, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(FaultKind.HTTP_503, function="query"))
    result = command("preview", "vendors", "-n", "1", "--json")
    assert result.exit_code == 0
    assert "Retry 1" in result.stderr
    assert json.loads(result.stdout)["total"] == 40
