"""Account balances: which periods are read, when again, and what is gone from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intacct_sandbox import Company, ManualClock, Sandbox
from tap_sage_intacct.errors import InvalidSettings
from tests.loading import Loader, as_json

MakeLoader = Callable[..., Loader]
STREAM = "gl_account_balances"
MONTHS = ("March", "April", "May", "June", "July", "August")
PERIODS = [f"Month Ended {month} 2025" for month in MONTHS]
NOTHING = "TOTDEBIT = '0' AND TOTCREDIT = '0' AND FORBAL = '0' AND ENDBAL = '0'"


def truth(company: Company, periods: list[str], where: str = "1") -> list[str]:
    names = ", ".join(f"'{name}'" for name in periods)
    rows = company.truth(
        "GLACCOUNTBALANCE",
        where=f'"_private" = 0 AND "PERIOD" IN ({names}) AND {where}',
    )
    return sorted(
        comparable({name: as_json(value) for name, value in row.items()})
        for row in rows
    )


def comparable(row: dict[str, Any]) -> str:
    return str(sorted((k, v) for k, v in row.items() if not k.startswith("_")))


def loaded(target: Loader) -> list[str]:
    return sorted(map(comparable, target.tables[STREAM].values()))


def post(company: Company, day: str, account: int = 1) -> int:
    """A posted line on a day; the balances of its period and of all later ones move."""
    accounts = list(company.truth("GLACCOUNT"))
    chosen = accounts[account]
    batch = company.insert(
        "GLBATCH", {"BATCH_DATE": day, "STATE": "Posted", "MODULE": "2.GL"}
    )
    for side in (1, -1):
        company.insert(
            "GLENTRY",
            {
                "BATCHNO": batch,
                "TR_TYPE": side,
                "ENTRY_DATE": day,
                "BATCH_DATE": day,
                "AMOUNT": 10 if side == 1 else 4,
                "ACCOUNTNO": chosen["ACCOUNTNO"],
                "ACCOUNTKEY": chosen["RECORDNO"],
                "CURRENCY": "USD",
                "STATE": "Posted",
            },
        )
    return batch


def read_periods(sandbox: Sandbox) -> list[str]:
    """The periods whose balances were fetched, not only counted."""
    return [
        name
        for call in sandbox.calls
        if call.object_name == "GLACCOUNTBALANCE" and call.rows > 1
        for name in PERIODS
        if f"PERIOD = '{name}'".encode() in call.body
    ]


def test_closed_periods_are_not_read_again(
    company: Company, clock: ManualClock, sandbox: Sandbox, loader: MakeLoader
) -> None:
    target = loader(balance_periods=PERIODS)
    target.run(STREAM)
    assert loaded(target) == truth(company, PERIODS)
    clock.advance(24 * 3600)
    sandbox.forget_calls()
    target.run(STREAM)
    assert read_periods(sandbox) == PERIODS[-2:]
    assert loaded(target) == truth(company, PERIODS)


@pytest.mark.parametrize("upto", [30, 161, 400, 700])
def test_run_that_dies_after_a_period_that_changed_forgets_no_later_one(
    company: Company, clock: ManualClock, loader: MakeLoader, upto: int
) -> None:
    """Whose stamps the posting may not have moved, though it moved their balances."""
    company.stamps_later_balances = False
    post(company, "2025-04-10")
    clock.advance(24 * 3600)
    target = loader(balance_periods=PERIODS, balance_reread_periods=0)
    target.run(STREAM)
    clock.advance(24 * 3600)
    # The same account once more: no balance is new, so that their number stays.
    post(company, "2025-04-15")
    # Beyond the lookback, by which the next run would notice it once more.
    clock.advance(5 * 3600)
    target.run(STREAM, upto=upto)
    clock.advance(24 * 3600)
    target.run(STREAM)
    assert loaded(target) == truth(company, PERIODS)


@pytest.mark.parametrize("latest", [0, 1, 6])
def test_latest_periods_are_read_again_as_many_as_wanted(
    clock: ManualClock, sandbox: Sandbox, loader: MakeLoader, latest: int
) -> None:
    target = loader(balance_periods=PERIODS, balance_reread_periods=latest)
    target.run(STREAM)
    clock.advance(24 * 3600)
    sandbox.forget_calls()
    target.run(STREAM)
    assert read_periods(sandbox) == PERIODS[len(PERIODS) - latest :]


def test_period_that_changed_is_read_again_and_all_later_ones(
    company: Company, clock: ManualClock, sandbox: Sandbox, loader: MakeLoader
) -> None:
    target = loader(balance_periods=PERIODS, balance_reread_periods=0)
    target.run(STREAM)
    clock.advance(24 * 3600)
    post(company, "2025-04-15")
    clock.advance(5)
    sandbox.forget_calls()
    target.run(STREAM)
    assert read_periods(sandbox) == PERIODS[1:]
    assert loaded(target) == truth(company, PERIODS)


def test_balances_that_vanished_are_told_as_deleted(
    company: Company, clock: ManualClock, loader: MakeLoader, tmp_path: Path
) -> None:
    post_at = "2025-05-20"
    batch = post(company, post_at, account=3)
    clock.advance(24 * 3600)
    target = loader(
        balance_periods=PERIODS,
        balance_reread_periods=0,
        include_deletes=True,
        key_store=str(tmp_path / "keys.sqlite"),
    )
    target.run(STREAM)
    assert loaded(target) == truth(company, PERIODS)
    clock.advance(24 * 3600)
    company.delete("GLBATCH", batch)
    clock.advance(5)
    second = target.run(STREAM)
    assert loaded(target) == truth(company, PERIODS)
    gone = [r for r in second.records(STREAM) if r["_sdc_deleted_at"]]
    assert gone
    assert all(set(r) <= {"_balance_key", "PERIOD", "_sdc_deleted_at"} for r in gone)
    clock.advance(24 * 3600)
    assert target.run(STREAM).counts[STREAM] == 0


def test_vanished_balance_is_told_once(
    company: Company, clock: ManualClock, loader: MakeLoader, tmp_path: Path
) -> None:
    batch = post(company, "2025-08-20", account=3)
    clock.advance(24 * 3600)
    target = loader(
        balance_periods=PERIODS,
        include_deletes=True,
        key_store=str(tmp_path / "keys.sqlite"),
    )
    target.run(STREAM)
    clock.advance(24 * 3600)
    company.delete("GLBATCH", batch)
    told = []
    for _ in range(3):
        clock.advance(60)
        records = target.run(STREAM).records(STREAM)
        told.append(sum(record["_sdc_deleted_at"] is not None for record in records))
    assert told == [1, 0, 0]
    assert loaded(target) == truth(company, PERIODS)


def test_run_that_dies_goes_on_with_the_next_period(
    company: Company, clock: ManualClock, sandbox: Sandbox, loader: MakeLoader
) -> None:
    target = loader(balance_periods=PERIODS, balance_reread_periods=0)
    first = target.run(STREAM)
    places = [n for n, m in enumerate(first.messages) if m["type"] == "STATE"]
    again = loader(balance_periods=PERIODS, balance_reread_periods=0)
    again.run(STREAM, upto=places[2] + 1)
    clock.advance(60)
    sandbox.forget_calls()
    again.run(STREAM)
    assert PERIODS[0] not in read_periods(sandbox)
    assert PERIODS[-1] in read_periods(sandbox)
    assert loaded(again) == truth(company, PERIODS)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"from": "2025-04", "to": "2025-06", "type": "month"},
            ["Month Ended April 2025", "Month Ended May 2025", "Month Ended June 2025"],
        ),
        (
            {"from": "2025-01-01", "to": "2025-12-31", "type": "quarter"},
            [
                f"Quarter Ended {m} 2025"
                for m in ("March", "June", "September", "December")
            ],
        ),
        (
            {"from": "2024-01", "to": "2024-12", "type": "year"},
            ["Calendar Year Ended December 2024"],
        ),
        # Without `to`: up to the day of the run, which is in January 2026.
        (
            {"from": "2025-12", "type": "month"},
            ["Month Ended December 2025", "Month Ended January 2026"],
        ),
    ],
)
def test_range_of_periods(
    company: Company, loader: MakeLoader, given: dict[str, str], expected: list[str]
) -> None:
    target = loader(balance_periods=given)
    run = target.run(STREAM)
    partitions = run.states[-1]["bookmarks"][STREAM]["partitions"]
    assert [part["context"]["PERIOD"] for part in partitions] == expected
    assert loaded(target) == truth(company, expected)


def test_periods_of_the_same_days_are_the_same_money(
    company: Company, loader: MakeLoader
) -> None:
    company.insert(
        "REPORTINGPERIOD",
        {
            "NAME": "May, once more",
            "START_DATE": "2025-05-01",
            "END_DATE": "2025-05-31",
            "BUDGETING": "true",
            "STATUS": "active",
        },
    )
    target = loader(
        balance_periods={"from": "2025-05", "to": "2025-05", "type": "month"}
    )
    target.run(STREAM)
    assert loaded(target) == truth(company, ["Month Ended May 2025"])


def test_books_and_zero_rows(company: Company, loader: MakeLoader) -> None:
    post(company, "2025-03-02")
    target = loader(
        balance_periods=PERIODS[:2],
        balance_books=["ACCRUAL"],
        balance_leave_out_zero=True,
    )
    target.run(STREAM)
    where = f"BOOKID = 'ACCRUAL' AND NOT ({NOTHING})"
    assert loaded(target) == truth(company, PERIODS[:2], where)
    assert loaded(target) != truth(company, PERIODS[:2])


def test_filter_of_pigments_page_works_as_typed(
    company: Company, loader: MakeLoader
) -> None:
    target = loader(
        balance_periods=[], filters={STREAM: "PERIOD = 'Month Ended June 2024'"}
    )
    target.run(STREAM)
    assert loaded(target) == truth(company, ["Month Ended June 2024"]) != []


@pytest.mark.parametrize(
    ("periods", "words"),
    [
        (["Month Ended Jun 2025"], "did you mean Month Ended June 2025"),
        (["Current Month"], "not budgetable"),
        ({"from": "1999-01", "to": "1999-12", "type": "month"}, "no budgetable month"),
    ],
)
def test_wrong_period_is_refused_before_any_data_moves(
    loader: MakeLoader, periods: Any, words: str
) -> None:
    target = loader(balance_periods=periods)
    with pytest.raises(InvalidSettings, match=words):
        target.run("bills", STREAM)
    assert target.tables == {}


def test_periods_that_may_not_be_read_skip_the_stream(
    sandbox: Sandbox, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    target = loader(balance_periods=PERIODS)
    catalog = target.catalog(["vendors", STREAM])
    sandbox.switches = replace(
        sandbox.switches, denied_objects=frozenset({"REPORTINGPERIOD"})
    )
    run = target.run(catalog=catalog)
    assert run.counts[STREAM] == 0 < run.counts["vendors"]
    assert f"{STREAM} is skipped" in caplog.text


def test_book_that_the_company_has_not_is_refused(
    loader: Callable[..., Loader], sandbox: Sandbox
) -> None:
    target = loader(balance_books=["ACRUAL"])
    catalog = target.catalog(["gl_account_balances"])
    before = len(sandbox.calls)
    with pytest.raises(
        InvalidSettings, match=r"no book 'ACRUAL': did you mean ACCRUAL"
    ):
        target.run(catalog=catalog)
    assert len(sandbox.calls) - before < 10
    assert not target.tables


def test_standard_book_without_balances_is_taken(
    loader: Callable[..., Loader], sandbox: Sandbox
) -> None:
    target = loader(balance_books=["TAXADJCASH"])
    target.run("gl_account_balances")
    assert all(call.object_name != "GLDETAIL" for call in sandbox.calls[-8:])
