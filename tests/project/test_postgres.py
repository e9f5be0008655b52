"""The whole pipeline into a real PostgreSQL: every table is the company's books."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from intacct_sandbox import Company, Sandbox
from tap_sage_intacct.catalog.sources import DATA_SOURCES, DataSource
from tests import postgres
from tests.pipelines import assert_same, meltano_run, truth

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("meltano_alone")]

READ_WHOLE = ("customers", "departments", "vendors")
"""FULL_TABLE streams: ACTIVATE_VERSION tells what is gone from them."""


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    programs = postgres.programs()
    if programs is None:
        pytest.skip("PostgreSQL's initdb and postgres are not installed")
    with postgres.running(programs) as found:
        yield found


def load(
    sandbox: Sandbox, server: postgres.Server, period: str, tmp_path: Path
) -> None:
    whole = {name: {"replication-method": "FULL_TABLE"} for name in READ_WHOLE}
    meltano_run(
        sandbox,
        "target-postgres",
        period,
        TARGET_POSTGRES_HOST=server.host,
        TARGET_POSTGRES_PORT=str(server.port),
        TARGET_POSTGRES_USER=server.user,
        TARGET_POSTGRES_PASSWORD=server.password,
        TARGET_POSTGRES_DATABASE=server.database,
        TAP_SAGE_INTACCT__METADATA=json.dumps(whole),
        TAP_SAGE_INTACCT_INCLUDE_DELETES="true",
        TAP_SAGE_INTACCT_KEY_STORE=str(tmp_path / "keys.sqlite"),
    )


def test_postgres_holds_the_companys_truth_after_each_run(
    living_company: Company, server: postgres.Server, tmp_path: Path, period: str
) -> None:
    """A first load, then changes and deletions that an incremental run brings."""
    with Sandbox(living_company) as sandbox, server.connect() as database:
        load(sandbox, server, period, tmp_path)
        assert_tables(database, living_company, period, gone={})
        assert_types(database)
        first = stamps(database)
        gone = let_a_day_pass(living_company)
        load(sandbox, server, period, tmp_path)
        assert_tables(database, living_company, period, gone=gone)
        # The second run was incremental: most rows did not come again.
        again = stamps(database).items() - first.items()
        assert 0 < len(again) < len(first) / 2


def stamps(database: psycopg.Connection) -> dict[int, datetime]:
    """When each bill arrived."""
    query = 'SELECT "RECORDNO", "_sdc_batched_at" FROM sage_intacct.bills'
    found: dict[int, datetime] = dict(database.execute(query).fetchall())
    database.rollback()
    return found


def let_a_day_pass(company: Company) -> dict[str, set[Any]]:
    """Change the books; the RECORDNOs that are gone, by stream."""
    names = {
        source.stream_name: source.object_name
        for source in DATA_SOURCES
        if not source.needs_period
    }
    before = {stream: numbers(company, name) for stream, name in names.items()}
    company.change(seed=5, share=0.05)
    for name in ("VENDOR", "CUSTOMER", "GLBATCH", "APBILL"):
        company.delete(name, min(numbers(company, name)))
    gone = {
        stream: before[stream] - numbers(company, name)
        for stream, name in names.items()
    }
    assert gone["vendors"]
    assert gone["gl_journal_entry_lines"]
    return gone


def numbers(company: Company, object_name: str) -> set[Any]:
    return {row["RECORDNO"] for row in company.truth(object_name)}


def assert_tables(
    database: psycopg.Connection,
    company: Company,
    period: str,
    *,
    gone: dict[str, set[Any]],
) -> None:
    for source in DATA_SOURCES:
        expected = [
            {name.lower(): value for name, value in row.items()}
            for row in truth(company, source, period)
        ]
        rows = rows_of(database, source)
        deleted = [row for row in rows if row["_sdc_deleted_at"] is not None]
        assert_same([row for row in rows if row not in deleted], expected, source)
        if not source.needs_period:
            found = {row["recordno"] for row in deleted}
            assert found == gone.get(source.stream_name, set()), source.stream_name


def rows_of(database: psycopg.Connection, source: DataSource) -> list[dict[str, Any]]:
    query = sql.SQL("SELECT * FROM sage_intacct.{}").format(
        sql.Identifier(source.stream_name)
    )
    with database.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query).fetchall()
    database.rollback()
    return [
        {name.lower(): as_instant(value) for name, value in row.items()} for row in rows
    ]


def as_instant(value: object) -> object:
    """target-postgres keeps timestamps without their zone; the tap writes all in UTC."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=timezone.utc)
    return value


def assert_types(database: psycopg.Connection) -> None:
    found: dict[str, str] = dict(
        database.execute(
            "SELECT lower(column_name), data_type FROM information_schema.columns "
            "WHERE table_schema = 'sage_intacct' AND table_name = 'bills'"
        ).fetchall()
    )
    assert found["totalentered"] == "numeric"
    assert found["whendue"] == "date"
    assert found["whenmodified"] == "timestamp without time zone"
    assert found["recordno"] == "bigint"
