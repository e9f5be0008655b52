"""The company's books agree with themselves, before and after business goes on."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from intacct_sandbox import Company, ManualClock
from tap_sage_intacct.sources import DATA_SOURCES
from tests.conftest import NOON

# Derived from the journal, and filled no further than the journal tells.
BALANCES = "GLACCOUNTBALANCE"


def amount(value: object) -> Decimal:
    return Decimal(str(value or 0))


def digest(company: Company) -> str:
    text = hashlib.sha256()
    for name in company.definitions:
        for row in company.truth(name):
            text.update(str(row).encode())
    return text.hexdigest()


@pytest.fixture(params=["new", "after-business"])
def books(
    company: Company, clock: ManualClock, request: pytest.FixtureRequest
) -> Company:
    """The books as they were made, and after ten days of changes."""
    if request.param == "after-business":
        for seed in range(10):
            clock.advance(24 * 3600)
            company.change(seed=seed, share=0.05)
            company.recreate("APBILL", next(_numbers(company, "APBILL")))
    return company


def _numbers(company: Company, name: str) -> Iterator[int]:
    return (int(str(row["RECORDNO"])) for row in company.truth(name))


def test_same_seed_makes_the_same_books(tmp_path: Path) -> None:
    made = [
        Company.create(
            tmp_path / name, seed=seed, journal_lines=60, clock=ManualClock(NOON)
        )
        for name, seed in (("one", 7), ("two", 7), ("three", 8))
    ]
    one, two, three = map(digest, made)
    assert one == two != three
    for company in made:
        company.close()


def test_journal_entries_balance(books: Company) -> None:
    sums: dict[object, Decimal] = defaultdict(Decimal)
    for line in books.truth("GLENTRY"):
        sums[line["BATCHNO"]] += amount(line["TR_TYPE"]) * amount(line["AMOUNT"])
    assert len(sums) == books.count("GLBATCH")
    assert set(sums.values()) == {Decimal(0)}


def test_details_follow_posted_entries(books: Company) -> None:
    posted = {b["RECORDNO"] for b in books.truth("GLBATCH") if b["STATE"] == "Posted"}
    lines = {
        line["RECORDNO"]: line
        for line in books.truth("GLENTRY")
        if line["BATCHNO"] in posted
    }
    accrual = [d for d in books.truth("GLDETAIL") if d["BOOKID"] == "ACCRUAL"]
    assert {detail["GLENTRYKEY"] for detail in accrual} == set(lines)
    for detail in accrual:
        line = lines[detail["GLENTRYKEY"]]
        signed = amount(line["TR_TYPE"]) * amount(line["AMOUNT"])
        assert amount(detail["AMOUNT"]) == signed
        debit, credit = amount(detail["DEBITAMOUNT"]), amount(detail["CREDITAMOUNT"])
        assert debit - credit == signed
        stamps = [detail["MODIFIED"], detail["WHENMODIFIED"]]
        assert stamps == sorted(stamps, key=str)


def test_balances_follow_details(books: Company) -> None:
    period = next(
        row
        for row in books.truth("REPORTINGPERIOD")
        if row["NAME"] == "Month Ended June 2025"
    )
    moved: dict[object, Decimal] = defaultdict(Decimal)
    opened: dict[object, Decimal] = defaultdict(Decimal)
    for detail in books.truth("GLDETAIL"):
        key = (detail["BOOKID"], detail["ACCOUNTNO"])
        day = str(detail["ENTRY_DATE"])
        if day < str(period["START_DATE"]):
            opened[key] += amount(detail["AMOUNT"])
        elif day <= str(period["END_DATE"]):
            moved[key] += amount(detail["AMOUNT"])
    name = str(period["NAME"])
    for row in books.truth(BALANCES, where='"PERIOD" = ?', parameters=(name,)):
        key = (row["BOOKID"], row["ACCOUNTNO"])
        opened[key] -= amount(row["OPENBAL"])
        moved[key] -= amount(row["FORBAL"])
        assert amount(row["ENDBAL"]) == amount(row["OPENBAL"]) + amount(row["FORBAL"])
    assert set(opened.values()) | set(moved.values()) == {Decimal(0)}


def test_balances_chain_from_month_to_month(books: Company) -> None:
    def of(period: str, column: str) -> Decimal:
        rows = books.truth(BALANCES, where='"PERIOD" = ?', parameters=(period,))
        return sum((amount(row[column]) for row in rows), Decimal(0))

    for column in ("OPENBAL", "ENDBAL"):
        # Every entry balances, so each book sums to nothing.
        assert of("Month Ended June 2025", column) == 0
    june = books.truth(BALANCES, where="\"PERIOD\" = 'Month Ended June 2025'")
    july = books.truth(BALANCES, where="\"PERIOD\" = 'Month Ended July 2025'")
    ended: dict[object, Decimal] = defaultdict(Decimal)
    for row in june:
        ended[row["BOOKID"], row["ACCOUNTNO"]] += amount(row["ENDBAL"])
    for row in july:
        ended[row["BOOKID"], row["ACCOUNTNO"]] -= amount(row["OPENBAL"])
    assert set(ended.values()) == {Decimal(0)}


@pytest.mark.parametrize(
    ("header", "lines"), [("APBILL", "APBILLITEM"), ("ARINVOICE", "ARINVOICEITEM")]
)
def test_documents_are_the_sums_of_their_lines(
    company: Company, header: str, lines: str
) -> None:
    totals: dict[object, Decimal] = defaultdict(Decimal)
    for line in company.truth(lines):
        totals[line["RECORDKEY"]] += amount(line["AMOUNT"])
    for row in company.truth(header):
        total, paid = amount(row["TOTALENTERED"]), amount(row["TOTALPAID"])
        assert totals[row["RECORDNO"]] == total == paid + amount(row["TOTALDUE"])


@pytest.mark.parametrize("kind", ["BILLING", "REVENUE", "EXPENSE"])
def test_schedules_sum_to_their_contract_line(company: Company, kind: str) -> None:
    sums: dict[object, Decimal] = defaultdict(Decimal)
    for entry in company.truth(f"CONTRACT{kind}SCHEDULEENTRY"):
        sums[entry["SCHEDULEKEY"]] += amount(entry["AMOUNT"])
    lines = {
        line["RECORDNO"]: amount(line["TOTALFLATAMOUNT"])
        for line in company.truth("CONTRACTDETAIL")
    }
    for schedule in company.truth(f"CONTRACT{kind}SCHEDULE"):
        assert sums[schedule["RECORDNO"]] == lines[schedule["CONTRACTDETAILKEY"]]


@pytest.mark.parametrize(
    "name", [source.object_name for source in DATA_SOURCES if not source.needs_period]
)
def test_every_listed_field_has_a_value_somewhere(company: Company, name: str) -> None:
    empty = {field.id for field in company.definitions[name].fields if field.listed}
    for row in company.truth(name):
        empty -= {field for field, value in row.items() if value is not None}
    assert empty == set()


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("APBILL", "{RECORDNO}"),
        ("VENDOR", "{VENDORID}"),
        ("DEPARTMENT", "{RECORDNO}--REC"),
    ],
)
def test_deletion_is_audited_under_the_objects_own_kind_of_key(
    company: Company, name: str, key: str
) -> None:
    number = next(_numbers(company, name))
    row = company.row(name, number)
    company.delete(name, number)
    (entry,) = company.truth("AUDITHISTORY")
    assert entry["OBJECTKEY"] == key.format(**row)
    assert entry["OBJECTTYPE"] == name.lower()
    assert entry["ACCESSMODE"] == "Delete"
    assert entry["ACCESSTIME"] == company.clock.now()


def test_lines_and_derived_rows_are_not_audited(company: Company) -> None:
    company.insert("GLENTRY", {"BATCHNO": 1, "TR_TYPE": 1, "AMOUNT": Decimal(0)})
    assert company.count("AUDITHISTORY") == 0
    with pytest.raises(ValueError, match="follows from the journal"):
        company.delete("GLDETAIL", 1)


def test_number_is_never_given_twice(company: Company) -> None:
    first = company.insert("VENDOR", {"VENDORID": "V-A"})
    company.delete("VENDOR", first)
    assert company.insert("VENDOR", {"VENDORID": "V-B"}) > first
    bill = next(_numbers(company, "APBILL"))
    again = company.recreate("APBILL", bill)
    assert again != bill
    assert company.row("APBILL", again)["RECORDID"] == "DOC-000001"
