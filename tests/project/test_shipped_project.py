"""meltano.yml as it ships: each of its jobs holds the books after two days of business.

Only credentials are set, and where the loader writes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Template
from typing import Any

import duckdb
import psycopg
import pytest
from psycopg.rows import dict_row

from intacct_sandbox import Company, Sandbox
from tap_sage_intacct.tap import TapSageIntacct
from tests import postgres
from tests.shipped_project import (
    PROJECT,
    ROOT,
    assert_is_the_books,
    copy_of_project,
    selected_fields,
)

JOBS = {
    job["name"]: tuple(task.split()) for job in PROJECT["jobs"] for task in job["tasks"]
}
EXTRACTORS = {plugin["name"]: plugin for plugin in PROJECT["plugins"]["extractors"]}
LOADERS = {plugin["name"] for plugin in PROJECT["plugins"]["loaders"]}
FIELDS = selected_fields(PROJECT)

TABLE = re.compile(
    r"measured by tests/project/test_shipped_project\.py -->\n(.*?)\n\n", re.DOTALL
)
FIGURE = re.compile(r"\| (\d+)[^|]* \|$", re.MULTILINE)

Rows = list[dict[str, Any]]
long = pytest.mark.long
alone = pytest.mark.usefixtures("meltano_alone")


def test_each_loader_has_a_job_and_an_extractor_of_its_own() -> None:
    assert {loader for _, loader in JOBS.values()} == LOADERS
    extractors = [extractor for extractor, _ in JOBS.values()]
    assert sorted(extractors) == sorted(EXTRACTORS)


def test_each_pipeline_has_a_key_store_of_its_own() -> None:
    path = Template(EXTRACTORS["tap-sage-intacct"]["config"]["key_store"])
    stores = [
        path.substitute(
            MELTANO_PROJECT_ROOT="",
            MELTANO_ENVIRONMENT=environment["name"],
            MELTANO_EXTRACTOR_NAME=extractor,
        )
        for environment in PROJECT["environments"]
        for extractor in EXTRACTORS
    ]
    assert len(set(stores)) == len(PROJECT["environments"]) * len(EXTRACTORS)


def test_meltano_knows_what_the_tap_can_do() -> None:
    """Among it structured logging, without which every line looks like an `info`."""
    stated = set(EXTRACTORS["tap-sage-intacct"]["capabilities"])
    assert stated == {capability.value for capability in TapSageIntacct.capabilities}


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    programs = postgres.programs()
    if programs is None:
        pytest.skip("PostgreSQL's initdb and postgres are not installed")
    with postgres.running(programs) as found:
        yield found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy_of_project(tmp_path)


@pytest.fixture
def sandbox_of_run(living_company: Company) -> Iterator[Sandbox]:
    with Sandbox(living_company) as found:
        yield found


@pytest.fixture
def run(
    living_company: Company, sandbox_of_run: Sandbox, project: Path
) -> Callable[..., str]:
    """Runs a job of the project."""
    year = living_company.clock.now().year
    months = {"from": f"{year}-01", "type": "month"}
    settings = {
        f"TAP_SAGE_INTACCT_{name.upper()}": value
        for name, value in sandbox_of_run.config().items()
    }
    settings["TAP_SAGE_INTACCT_BALANCE_PERIODS"] = json.dumps(months)

    def start(job: str, *, fails: bool = False, **own: str) -> str:
        finished = subprocess.run(
            [project / ".venv-meltano/bin/meltano", "run", job],
            cwd=project,
            env={**os.environ, **settings, **own},
            check=False,
            capture_output=True,
            text=True,
        )
        shown = finished.stdout + finished.stderr
        assert bool(finished.returncode) is fails, shown[-3000:]
        return shown

    return start


def assert_two_days(
    company: Company, load: Callable[[], object], read: Callable[[str], Rows]
) -> None:
    """The books, after a first load and after each of two days."""
    for day in range(3):
        if day:
            company.change(seed=day, share=0.05)
        load()
        for stream, fields in FIELDS.items():
            assert_is_the_books(read(stream), company, stream, fields)


@long
@alone
def test_duckdb_holds_the_books(
    living_company: Company, run: Callable[..., str], project: Path
) -> None:
    def read(stream: str) -> Rows:
        with duckdb.connect(str(project / "output/intacct.duckdb")) as database:
            cursor = database.execute(f'SELECT * FROM main."{stream}"')
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    assert_two_days(living_company, lambda: run("intacct-to-duckdb"), read)
    stores = (project / ".meltano").glob("keys-*.sqlite")
    assert [path.name for path in stores] == [
        "keys-dev-tap-sage-intacct--duckdb.sqlite"
    ]


@long
@alone
def test_postgres_holds_the_books(
    living_company: Company, run: Callable[..., str], server: postgres.Server
) -> None:
    def load() -> None:
        run(
            "intacct-to-postgres",
            TARGET_POSTGRES_HOST=server.host,
            TARGET_POSTGRES_PORT=str(server.port),
            TARGET_POSTGRES_USER=server.user,
            TARGET_POSTGRES_PASSWORD=server.password,
            TARGET_POSTGRES_DATABASE=server.database,
        )

    def read(stream: str) -> Rows:
        query = psycopg.sql.SQL(
            "SELECT * FROM sage_intacct.{} WHERE _sdc_deleted_at IS NULL"
        ).format(psycopg.sql.Identifier(stream))
        with server.connect() as database:
            return database.cursor(row_factory=dict_row).execute(query).fetchall()

    assert_two_days(living_company, load, read)


@long
@alone
def test_files_hold_the_books(
    living_company: Company, run: Callable[..., str], project: Path
) -> None:
    def read(stream: str) -> Rows:
        lines = (project / "output" / f"{stream}.jsonl").read_text().splitlines()
        records = [json.loads(line) for line in lines]
        key = "_balance_key" if "balances" in stream else "RECORDNO"
        latest = {record[key]: record for record in records}
        return [row for row in latest.values() if row["_sdc_deleted_at"] is None]

    assert_two_days(living_company, lambda: run("intacct-to-jsonl"), read)


@long
@alone
def test_warnings_and_errors_look_like_that_under_meltano(
    run: Callable[..., str],
) -> None:
    shown = run("intacct-to-jsonl", fails=True, TAP_SAGE_INTACCT_USER_PASSWORD="x")
    assert level_of("user_password", shown) == "critical"
    shown = run(
        "intacct-to-jsonl",
        TAP_SAGE_INTACCT_KEY_STORE="",
    )
    assert level_of("set key_store", shown) == "warning"


def level_of(words: str, shown: str) -> str:
    """What Meltano shows before a line of the tap."""
    (line, *_) = (line for line in shown.splitlines() if words in line)
    found = re.search(r"\[(\w+) *\]", line)
    assert found is not None, line
    return found[1]


@long
@alone
def test_a_run_in_which_nothing_changed_makes_the_calls_that_the_page_says(
    living_company: Company, run: Callable[..., str], sandbox_of_run: Sandbox
) -> None:
    page = (ROOT / "docs/operating.md").read_text("utf-8")
    found = TABLE.search(page)
    assert found is not None
    *fixed, latest, earlier = (int(n) for n in FIGURE.findall(found[1]))
    months = living_company.clock.now().month
    # What other tests changed a moment ago would be looked back at.
    no_lookback = {"TAP_SAGE_INTACCT_LOOKBACK_MINUTES": "0"}
    run("intacct-to-jsonl", **no_lookback)
    sandbox_of_run.forget_calls()
    run("intacct-to-jsonl", **no_lookback)
    calls = sum(fixed) + min(months, 2) * latest + max(months - 2, 0) * earlier
    assert len(sandbox_of_run.calls) == calls
    assert f"That is {sum(fixed) + 2 * latest} calls and {earlier} for each" in page


@long
@alone
def test_a_damaged_state_is_reset_by_the_command_of_the_page(
    run: Callable[..., str], project: Path
) -> None:
    page = (ROOT / "docs/errors.md").read_text("utf-8")
    found = re.search(r"`meltano (state clear) (\S+)`", page)
    assert found is not None
    state = (
        found[2]
        .replace("target-pigment", "target-jsonl")
        .replace("tap-sage-intacct-to", "tap-sage-intacct--jsonl-to")
    )
    damaged = '{"singer_state": {"bookmarks": {"vendors": 1}}}'
    meltano(project, "state", "set", "--force", state, damaged)
    assert "The state of vendors is damaged" in run("intacct-to-jsonl", fails=True)
    meltano(project, *found[1].split(), "--force", state)
    run("intacct-to-jsonl")


def meltano(project: Path, *arguments: str) -> None:
    command = [str(project / ".venv-meltano/bin/meltano"), *arguments]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
