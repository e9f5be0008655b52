"""README's way from nothing to a schedule, every command as it stands there."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import duckdb
import pytest

from intacct_sandbox import Company, SystemClock

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("meltano_alone")]

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(
    r"<!-- run by tests/test_cold_reader\.py -->\n```\n(.*?)```", re.DOTALL
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project as it is after `make demo`, its plugins installed but nothing run."""
    for name in (".venv", ".venv-meltano"):
        if not (ROOT / name).is_dir():
            pytest.skip(f"No {name}: run `make test-long`")
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "meltano.yml", tmp_path)
    (tmp_path / "output").mkdir()
    for kind in ("extractors", "loaders"):
        (tmp_path / ".meltano").mkdir(exist_ok=True)
        (tmp_path / ".meltano" / kind).symlink_to(ROOT / ".meltano" / kind)
    return tmp_path


def test_commands_of_the_readme_lead_to_a_schedule(project: Path) -> None:
    found = BLOCK.search((ROOT / "README.md").read_text("utf-8"))
    assert found is not None
    # A port that is free here.
    commands = found[1].replace(
        "intacct-sandbox serve", "intacct-sandbox serve --port 0"
    )
    log = project / "commands.log"
    with log.open("w") as output:
        shell = subprocess.Popen(
            ["bash", "-e", "-c", commands],  # noqa: S607 - as the reader's shell
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
    assert shown.count("Block run completed") == 2
    assert_loaded(project)
    # Nothing that a load of one's own company would go on from, or overwrite.
    assert not (project / ".env").exists()
    assert not (project / ".meltano" / "meltano.db").exists()
    assert not (project / "output" / "intacct.duckdb").exists()


def assert_loaded(project: Path) -> None:
    """The chosen rows, and none twice."""
    company = Company.open(project / "intacct-sandbox.sqlite", clock=SystemClock())
    vendors = {
        v["VENDORID"] for v in company.truth("VENDOR", where="STATUS = 'active'")
    }
    bills = {
        int(str(b["RECORDNO"]))
        for b in company.truth("APBILL", where="TOTALDUE > 1000")
    }
    with duckdb.connect(
        str(project / "output/sandbox.duckdb"), read_only=True
    ) as database:
        loaded = database.sql("select vendorid from vendors").fetchall()
        assert len(loaded) == len(vendors)
        assert {row[0] for row in loaded} == vendors
        loaded = database.sql("select recordno from bills").fetchall()
        assert sorted(row[0] for row in loaded) == sorted(bills)
