"""README's way from nothing to a schedule, every command as it stands there."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from pathlib import Path

import duckdb
import pytest
import yaml

from intacct_sandbox import Company, SystemClock
from tests.shipped_project import assert_is_the_books, copy_of_project, selected_fields

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("meltano_alone")]

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"<!-- run by tests/project/test_cold_reader\.py -->\n```\n(.*?)```", re.DOTALL
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy_of_project(tmp_path)


def test_commands_of_the_readme_lead_to_a_schedule(project: Path) -> None:
    found = BLOCK.search((ROOT / "README.md").read_text("utf-8"))
    assert found is not None
    # A port that is free here.
    commands = with_another_day(found[1]).replace(
        "intacct-sandbox serve", "intacct-sandbox serve --port 0"
    )
    log = project / "commands.log"
    with log.open("w") as output:
        shell = subprocess.Popen(
            ["bash", "-c", commands],  # noqa: S607 - as the reader's shell
            cwd=project,
            env={k: v for k, v in os.environ.items() if not k.startswith("TAP_SAGE_")},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            exit_code = shell.wait(timeout=200)
        finally:
            # Also the sandbox, where a command failed before it was to end.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGTERM)
    shown = log.read_text("utf-8")
    assert exit_code == 0, shown[-4000:]
    assert "All is well" in shown
    assert shown.count("Block run completed") == 3
    assert_loaded(project)
    # Nothing that a load of one's own company would go on from, or overwrite.
    assert not (project / ".env").exists()
    assert not (project / ".meltano" / "meltano.db").exists()
    assert not list((project / ".meltano").glob("keys-*"))
    assert not (project / "output" / "intacct.duckdb").exists()


def with_another_day(commands: str) -> str:
    """The commands, with the day of business and the scheduled run once more."""
    lines = commands.splitlines()
    (change,) = (line for line in lines if " change " in line)
    (run,) = (line for line in lines if "schedule run" in line)
    end = lines.index(")")
    again = [change.replace(" change ", " change --seed 2 "), run]
    return "\n".join([*lines[:end], *again, *lines[end:]])


def assert_loaded(project: Path) -> None:
    """The books, row for row, of what was chosen."""
    company = Company.open(project / "intacct-sandbox.sqlite", clock=SystemClock())
    chosen = selected_fields(yaml.safe_load((project / "meltano.yml").read_text()))
    where = {"vendors": "STATUS = 'active'", "bills": "TOTALDUE > 1000"}
    assert set(where) <= set(chosen)
    with duckdb.connect(
        str(project / "output/sandbox.duckdb"), read_only=True
    ) as database:
        for stream, fields in chosen.items():
            cursor = database.execute(f'SELECT * FROM main."{stream}"')
            names = [column[0] for column in cursor.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            assert_is_the_books(rows, company, stream, fields, where=where.get(stream))
    company.close()
