"""The company's books agree with themselves, before and after business goes on."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from intacct_sandbox import Company, ManualClock
from intacct_sandbox.company.store import Value
from tap_sage_intacct.catalog.sources import DATA_SOURCES
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


@pytest.fixture(scope="module", params=["new", "after-business"])
def books(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Company]:
    """The books as they were made, and after ten days of changes; only to be read."""
    path = tmp_path_factory.mktemp("books") / "company.sqlite"
    clock = ManualClock(NOON)
    found = Company.create(path, clock=clock)
    if request.param == "after-business":
        for seed in range(10):
            clock.advance(24 * 3600)
            found.change(seed=seed, share=0.05)
            found.recreate("APBILL", next(_numbers(found, "APBILL")))
    yield found
    found.close()


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


@pytest.mark.parametrize(
    ("name", "location"),
    [("GLENTRY", "LOCATION"), ("GLDETAIL", "LOCATIONID"), (BALANCES, "LOCATIONID")],
)
def test_posting_belongs_to_the_entity_of_its_location(
    company: Company, name: str, location: str
) -> None:
    rows = company.connection().execute(
        f'''SELECT DISTINCT coalesce(l."PARENTID", l."LOCATIONID"), r."_entity",
            r."_private" FROM "{name}" r JOIN "LOCATION" l
            ON l."LOCATIONID" = r."{location}"'''
    )
    assert set(rows) == {("E100", "E100", 0), ("E200", "E200", 0), ("E300", "E300", 1)}


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
    books: Company, header: str, lines: str
) -> None:
    totals: dict[object, Decimal] = defaultdict(Decimal)
    for line in books.truth(lines):
        totals[line["RECORDKEY"]] += amount(line["AMOUNT"])
    for row in books.truth(header):
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
    # Most objects hold only what all entities share.
    assert empty <= {"MEGAENTITYKEY", "MEGAENTITYID", "MEGAENTITYNAME"}


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


def test_audit_trail_may_name_all_by_number_or_say_nothing(company: Company) -> None:
    company.audit_by_number = True
    vendor, bill = next(_numbers(company, "VENDOR")), next(_numbers(company, "APBILL"))
    company.delete("VENDOR", vendor)
    company.recreate("APBILL", bill, audited=False)
    gone = [e for e in company.truth("AUDITHISTORY") if e["ACCESSMODE"] == "Delete"]
    assert [(e["OBJECTTYPE"], e["OBJECTKEY"]) for e in gone] == [
        ("vendor", str(vendor))
    ]


def test_lines_and_derived_rows_are_not_audited(company: Company) -> None:
    company.insert("GLENTRY", {"BATCHNO": 1, "TR_TYPE": 1, "AMOUNT": Decimal(0)})
    assert company.count("AUDITHISTORY") == 0
    with pytest.raises(ValueError, match="follows from the journal"):
        company.delete("GLDETAIL", 1)


@pytest.mark.parametrize("name", ["VENDOR", "APBILL", "GLBATCH"])
def test_number_is_never_given_twice(company: Company, name: str) -> None:
    highest = max(_numbers(company, name))
    company.delete(name, highest)
    second = company.insert(name, {})
    company.delete(name, second)
    assert highest < second < company.insert(name, {})


def test_number_of_a_line_is_not_given_again_when_its_document_goes(
    company: Company,
) -> None:
    highest = max(_numbers(company, "APBILLITEM"))
    company.delete("APBILL", max(_numbers(company, "APBILL")))
    assert company.insert("APBILLITEM", {}) > highest


@pytest.mark.parametrize(
    ("header", "lines", "parent_key"),
    [
        ("APBILL", "APBILLITEM", "RECORDKEY"),
        ("ARINVOICE", "ARINVOICEITEM", "RECORDKEY"),
        ("GLBATCH", "GLENTRY", "BATCHNO"),
    ],
)
def test_recreation_brings_the_lines_back_under_new_numbers(
    company: Company, header: str, lines: str, parent_key: str
) -> None:
    def lines_of(number: int) -> list[dict[str, Value]]:
        where = f'"{parent_key}" = ?'
        return list(company.truth(lines, where=where, parameters=(number,)))

    for number in (1, max(_numbers(company, header))):
        row, before = company.row(header, number), lines_of(number)
        again = company.recreate(header, number)
        assert again > number
        after = lines_of(again)
        assert [line["AMOUNT"] for line in after] == [line["AMOUNT"] for line in before]
        assert not {line["RECORDNO"] for line in after} & {
            line["RECORDNO"] for line in before
        }
        assert lines_of(number) == []
        assert company.row(header, again)["STATE"] == row["STATE"]


def test_recreation_keeps_the_owner(company: Company) -> None:
    values: dict[str, Value] = {"VENDORID": "V-P"}
    number = company.insert("APBILL", values, private=True, entity="E300")
    again = company.recreate("APBILL", number)
    (owner,) = company.connection().execute(
        'SELECT "_private", "_entity" FROM "APBILL" WHERE "RECORDNO" = ?', (again,)
    )
    assert owner == (1, "E300")


def test_recreation_keeps_the_owners_of_lines(company: Company) -> None:
    connection = company.connection()
    query = (
        'SELECT "_private", "_entity" FROM "GLENTRY" WHERE "BATCHNO" = ? '
        'ORDER BY "RECORDNO"'
    )
    (entry,) = connection.execute(
        'SELECT max("BATCHNO") FROM "GLENTRY" WHERE "_private" = 1'
    ).fetchone()
    owners = connection.execute(query, (entry,)).fetchall()
    again = company.recreate("GLBATCH", entry)
    assert connection.execute(query, (again,)).fetchall() == owners


def test_amount_of_less_than_a_cent_is_refused_and_leaves_the_books_alone(
    company: Company,
) -> None:
    before = digest(company)
    with pytest.raises(ValueError, match="whole cents"):
        company.update("GLENTRY", 1, {"AMOUNT": Decimal("1.234")})
    assert digest(company) == before


def test_long_amount_reaches_the_balances_exactly(company: Company) -> None:
    entry = next(
        number
        for number in _numbers(company, "GLBATCH")
        if company.row("GLBATCH", number)["STATE"] == "Posted"
    )
    long_amount = Decimal("9007199254740993.01")
    (line, *_) = company.truth("GLENTRY", where='"BATCHNO" = ?', parameters=(entry,))
    company.update("GLENTRY", int(str(line["RECORDNO"])), {"AMOUNT": long_amount})
    details = company.truth(
        "GLDETAIL", where='"GLENTRYKEY" = ?', parameters=(str(line["RECORDNO"]),)
    )
    assert {detail["DEBITAMOUNT"] for detail in details} == {long_amount}


def test_other_threads_see_a_change_with_all_that_follows_from_it(
    company: Company,
) -> None:
    details = company.count("GLDETAIL")
    seen: set[int] = set()
    finished = threading.Event()

    def watch() -> None:
        while not finished.is_set():
            seen.add(company.count("GLDETAIL"))
        company.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in list(_numbers(company, "GLBATCH"))[:25]:
        company.update("GLBATCH", number, {"BATCH_TITLE": "Retitled"})
    finished.set()
    watcher.join()
    assert seen == {details}


def test_transaction_is_undone_as_a_whole(company: Company) -> None:
    before = digest(company)

    def add_and_fail() -> None:
        with company.transaction():
            company.insert("VENDOR", {"VENDORID": "V-GONE"})
            company.delete("VENDOR", 999_999)

    with pytest.raises(LookupError):
        add_and_fail()
    assert digest(company) == before
