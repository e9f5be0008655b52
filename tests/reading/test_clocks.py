"""Clocks that are wrong: whatever tells a wrong time, no row is lost by it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from intacct_sandbox import Company, ManualClock, Sandbox
from tests.loading import Loader, Run, shipped_catalog

MakeLoader = Callable[..., Loader]
STREAM, OBJECT = "departments", "DEPARTMENT"
DAY = 24 * 3600


def switch(sandbox: Sandbox, **switches: Any) -> None:
    sandbox.switches = replace(sandbox.switches, **switches)


def run(target: Loader) -> Run:
    return target.run(catalog=shipped_catalog(STREAM, config=target.settings))


@pytest.mark.parametrize(
    "wrong",
    [
        {"http_date_ahead": DAY},
        {"http_date_ahead": DAY, "session_timestamp": "sign_in"},
        {"http_date_ahead": -DAY},
        {"clock_ahead": DAY},
        {"clock_ahead": -DAY},
        {"http_date_ahead": None},
        {"session_timestamp": "none"},
        {"session_timestamp": "sign_in"},
    ],
    ids=str,
)
@pytest.mark.parametrize("response_format", ["xml", "json"])
def test_run_with_a_wrong_clock_loses_nothing_of_the_next_sync(
    sandbox: Sandbox,
    company: Company,
    clock: ManualClock,
    loader: MakeLoader,
    wrong: dict[str, Any],
    response_format: str,
) -> None:
    target = loader(response_format=response_format, page_size=5)
    right = sandbox.switches
    switch(sandbox, **wrong)
    run(target)
    sandbox.switches = right
    clock.advance(3 * 3600)
    numbers = [company.insert(OBJECT, {"TITLE": f"new {n}"}) for n in range(10)]
    clock.advance(60)
    found = {record["RECORDNO"] for record in run(target).records(STREAM)}
    assert found >= set(numbers)


@pytest.mark.parametrize("kind", ["call", "sign_in"])
def test_clock_goes_on_between_sign_ins(
    sandbox: Sandbox, clock: ManualClock, loader: MakeLoader, kind: str
) -> None:
    """Also where every answer repeats when the session began."""
    switch(sandbox, session_timestamp=kind)
    target = loader(page_size=5)

    def tick(_call: object) -> None:
        clock.advance(600)

    sandbox.faults.between_calls = tick
    run(target)
    assert target.state is not None
    bookmark = target.state["bookmarks"][STREAM]["replication_key_value"]
    assert clock.now() - datetime.fromisoformat(bookmark) <= timedelta(hours=8)


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({"http_date_ahead": DAY}, "Date header of Intacct's answers is 1 day"),
        ({"clock_ahead": DAY}, "Date header of Intacct's answers is 1 day"),
        (
            {"http_date_ahead": None, "session_timestamp": "none"},
            "do not tell the time",
        ),
        ({"http_date_ahead": 120}, None),
        ({"http_date_ahead": None}, None),
        ({"session_timestamp": "sign_in"}, None),
    ],
    ids=str,
)
def test_clocks_that_differ_are_said_once(
    sandbox: Sandbox,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
    switches: dict[str, Any],
    expected: str | None,
) -> None:
    switch(sandbox, **switches)
    run(loader(page_size=5))
    said = [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING
        and record.name == "tap_sage_intacct.intacct.http.clock"
    ]
    assert len(said) == (expected is not None)
    assert all(str(expected) in text for text in said)
