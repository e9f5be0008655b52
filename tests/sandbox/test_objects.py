"""Objects beside the 22 data sources: enough of them for other clients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from intacct_sandbox import Company, ManualClock, Sandbox
from intacct_sandbox.company.definitions import load_definitions
from tests.conftest import NOON
from tests.sandbox.gateway.client import Client, column, query, read_by_query

BESIDE = Path(__file__).parents[3] / "shared"
RECORDED = ("USERINFO", "REPORTINGPERIOD")
# What the two public taps ask for in discovery: all of it, or they fail.
ASKED_BY_TAPS = [
    "APBILL",
    "APPYMT",
    "VENDOR",
    "PROVIDERBANKACCOUNT",
    "CHECKINGACCOUNT",
    "SAVINGSACCOUNT",
    "CREDITCARD",
    "CLASS",
    "TASK",
    "GLACCOUNT",
    "GLDETAIL",
    "GLBATCH",
    "GLENTRY",
    "PROJECT",
    "ARINVOICE",
    "ARADJUSTMENT",
    "CUSTOMER",
    "DEPOSIT",
    "ITEM",
    "ARINVOICEITEM",
    "ARADJUSTMENTITEM",
    "DEPARTMENT",
    "LOCATION",
    "APADJUSTMENT",
    "APADJUSTMENTITEM",
    "APPYMTDETAIL",
    "EMPLOYEE",
    "GLBUDGETHEADER",
    "GLBUDGETITEM",
    "LOCATIONENTITY",
    "PODOCUMENT",
    "WAREHOUSE",
    "AFFILIATEENTITY",
]


def described(client: Client, name: str) -> dict[str, str]:
    """Fields and their types, as lookup has them."""
    data = client.data(f"<lookup><object>{name}</object></lookup>")
    return {
        field.findtext("ID") or "": field.findtext("DATATYPE") or ""
        for field in data.iter("Field")
    }


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Signed in to a company that nothing changes."""
    path = tmp_path_factory.mktemp("company") / "company.sqlite"
    company = Company.create(path, journal_lines=40, clock=ManualClock(NOON))
    sandbox = Sandbox(company)
    sandbox.start()
    found = Client(sandbox)
    found.sign_in()
    yield found
    found.close()
    sandbox.stop()
    company.close()


@pytest.mark.parametrize("name", ASKED_BY_TAPS)
def test_object_of_a_public_tap_is_described_and_read(
    client: Client, name: str
) -> None:
    fields = described(client, name)
    assert {"RECORDNO", "WHENMODIFIED", "RECORD_URL"} <= fields.keys()
    assert fields["WHENMODIFIED"] == "TIMESTAMP"
    options = "<showprivate>true</showprivate>"
    asked = query(name, "RECORDNO", "WHENMODIFIED", options=options)
    assert len(column(client.data(asked))) == client.sandbox.company.count(name)
    by_query = client.data(read_by_query(name))
    assert int(by_query.get("totalcount") or 0) <= client.sandbox.company.count(name)


def test_there_is_every_standard_object() -> None:
    notes = BESIDE / "facts" / "intacct-api.md"
    if not notes.exists():
        pytest.skip("The notes are not beside us.")
    listed = notes.read_text("utf-8").split("## Appendix A")[1].split("```")[1]
    names = {
        part.split()[0] for part in listed.replace("\n", "|").split("|") if part.strip()
    }
    names.discard("text")
    # How those are read that have no record number is not known.
    unknown = {
        "ADVAUDITHISTORY",
        "INVENTORYTOTALDETAIL",
        "INVENTORYWQORDER",
        "JOBQUEUERECORD",
    }
    assert len(names) == 260
    assert names - load_definitions().keys() == unknown


@pytest.mark.parametrize("name", RECORDED)
def test_fields_are_those_of_the_recorded_lookup(client: Client, name: str) -> None:
    path = BESIDE / "data" / "lookup" / f"{name}.xml"
    if not path.exists():
        pytest.skip("The recorded lookups are not beside us.")
    recorded = {
        field.findtext("ID"): field.findtext("DATATYPE")
        for field in etree.parse(path).iter("Field")
        if field.findtext("ISCUSTOM") == "false"
    }
    assert described(client, name) == recorded


def test_types_that_surprise(client: Client) -> None:
    assert described(client, "CONTRACTDETAIL")["LINENO"] == "TEXT"
    assert described(client, "SODOCUMENT")["RECORDNO"] == "TEXT"
    assert described(client, "APPYMT")["WHENCREATED"] == "DATE"


def test_rows_refer_to_rows_that_are_there(client: Client) -> None:
    company = client.sandbox.company

    def column_of(name: str, field: str) -> set[object]:
        return {row[field] for row in company.truth(name)}

    for name, field, parent, key in (
        ("TASK", "PROJECTKEY", "PROJECT", "RECORDNO"),
        ("PROJECT", "CUSTOMERID", "CUSTOMER", "CUSTOMERID"),
        ("CONTRACTDETAIL", "CONTRACTKEY", "CONTRACT", "RECORDNO"),
        ("CONTRACTDETAIL", "ITEMID", "ITEM", "ITEMID"),
        ("ARINVOICEITEM", "CUSTOMERDIMKEY", "CUSTOMER", "RECORDNO"),
        ("APBILLITEM", "VENDORID", "VENDOR", "VENDORID"),
        ("APPYMT", "VENDORID", "VENDOR", "VENDORID"),
        ("CHECKINGACCOUNT", "GLACCOUNTNO", "GLACCOUNT", "ACCOUNTNO"),
    ):
        found = column_of(name, field)
        assert found
        assert found <= column_of(parent, key), name


def test_payments_are_what_the_documents_say_was_paid(client: Client) -> None:
    company = client.sandbox.company
    for document, payment in (("APBILL", "APPYMT"), ("ARINVOICE", "ARPYMT")):
        paid = [row["TOTALPAID"] for row in company.truth(document) if row["TOTALPAID"]]
        assert sorted(map(str, paid)) == sorted(
            str(row["TOTALENTERED"]) for row in company.truth(payment)
        )


def test_company_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "company.sqlite"
    older = dict(load_definitions())
    del older["TASK"]
    with pytest.raises(KeyError):
        Company.create(
            path, journal_lines=40, clock=ManualClock(NOON), definitions=older
        )
    # Half a company leaves no file.
    assert not path.exists()
    older = dict(load_definitions())
    del older["UOM"]
    Company.create(
        path, journal_lines=40, clock=ManualClock(NOON), definitions=older
    ).close()
    with pytest.raises(OSError, match="no company of this version"):
        Company.open(path, clock=ManualClock(NOON))
