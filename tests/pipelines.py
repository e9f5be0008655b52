"""Runs Meltano pipelines over this checkout, and compares tables with the books."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from intacct_sandbox import Company, Sandbox
from tap_sage_intacct.catalog.sources import DataSource, ReadFunction

ROOT = Path(__file__).parent.parent


def meltano_run(sandbox: Sandbox, loader: str, period: str, **settings: str) -> None:
    finished = run_of_meltano(sandbox, loader, period, **settings)
    assert finished.returncode == 0, finished.stderr[-3000:]


def run_of_meltano(
    sandbox: Sandbox, loader: str, period: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """However it ends."""
    command, environment = command_of_meltano(sandbox, loader, period, **settings)
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )


def command_of_meltano(
    sandbox: Sandbox, loader: str, period: str, **settings: str
) -> tuple[list[str], dict[str, str]]:
    """The command, and its environment."""
    meltano = os.environ.get("MELTANO")
    if meltano is None:
        pytest.skip("MELTANO does not name the command: run `make test-long`")
    environment = {
        **os.environ,
        **{f"TAP_SAGE_INTACCT_{k.upper()}": v for k, v in sandbox.config().items()},
        "TAP_SAGE_INTACCT_BALANCE_PERIODS": json.dumps([period]),
        # In place of what meltano.yml sets for Pigment.
        "TAP_SAGE_INTACCT__SELECT": '["*.*"]',
        "TAP_SAGE_INTACCT__METADATA": "{}",
        "TAP_SAGE_INTACCT_INCLUDE_DELETES": "false",
        "TAP_SAGE_INTACCT_KEY_STORE": "",
        **settings,
    }
    # A state of its own for every test.
    state = f"--state-id-suffix=test-{abs(hash(str(settings)))}"
    return [meltano, "run", state, "tap-sage-intacct", loader], environment


def truth(company: Company, source: DataSource, period: str) -> list[dict[str, Any]]:
    where = f"\"PERIOD\" = '{period}'" if source.needs_period else "1"
    if source.functions[0] is ReadFunction.READ_BY_QUERY:
        where += ' AND "_private" = 0'
    return list(company.truth(source.object_name, where=where))


def assert_same(
    loaded: list[dict[str, Any]], expected: list[dict[str, Any]], source: DataSource
) -> None:
    """Rows and values; sensitive fields are deselected by default, so not compared."""
    assert len(loaded) == len(expected), source.stream_name
    fields = sorted(set(loaded[0]) & set(expected[0]))
    assert len(fields) > len(expected[0]) * 0.7
    key = source.primary_keys[0] if not source.needs_period else None
    for one, other in zip(
        in_order(loaded, key, fields), in_order(expected, key, fields), strict=True
    ):
        different = {n: (one[n], other[n]) for n in fields if one[n] != other[n]}
        assert not different, f"{source.stream_name}: {different}"


def in_order(
    records: list[dict[str, Any]], key: str | None, fields: list[str]
) -> list[dict[str, Any]]:
    """By key, or by all fields where the company gives no key."""
    name = key if key in fields or key is None else key.lower()
    chosen = [name] if name else fields
    return sorted(records, key=lambda record: str([record[n] for n in chosen]))
