"""Pages: refused fields, lost pages of a result set, keys that rows share."""

from __future__ import annotations

from typing import Any

import pytest

from intacct_sandbox import Fault, FaultKind, Sandbox, Switches
from tap_sage_intacct.catalog.sources import DATA_SOURCE_BY_STREAM, RECORD_NUMBER
from tap_sage_intacct.intacct.errors import DatabaseRefused, FieldsRefused, PagesMoved
from tap_sage_intacct.intacct.gateway import GatewaySettings
from tap_sage_intacct.intacct.pages.key_set import KeySetPaging
from tap_sage_intacct.intacct.pages.paging_key import KeyField, PagingKey
from tap_sage_intacct.intacct.pages.result_set import ResultSetPaging
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.values import ValueType
from tap_sage_intacct.intacct.xml.gateway import XmlGateway
from tap_sage_intacct.settings.settings import Settings

DETAIL_KEY = DATA_SOURCE_BY_STREAM["gl_details"].paging_key


def reader(
    sandbox: Sandbox, object_name: str, *fields: str, page_size: int
) -> ObjectReader:
    settings = Settings.from_config(sandbox.config()).gateway
    assert isinstance(settings, GatewaySettings)
    gateway = XmlGateway(settings)
    return ObjectReader(gateway, object_name, fields, page_size=page_size)


def truth(sandbox: Sandbox, object_name: str) -> list[str]:
    return sorted(str(row["RECORDNO"]) for row in sandbox.company.truth(object_name))


def snapshot(sandbox: Sandbox, page_size: int = 50) -> list[str]:
    found = reader(
        sandbox, "REVRECSCHEDULEENTRY", "RECORDNO", "AMOUNT", page_size=page_size
    )
    return [
        row["RECORDNO"] for page in ResultSetPaging(found).pages() for row in page.rows
    ]


@pytest.mark.parametrize("wording", ["bracketed", "dotted", "unnamed"])
def test_unknown_fields_are_dropped_however_intacct_names_them(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, wording: Any
) -> None:
    sandbox.switches = Switches(unknown_fields=wording)
    fields = ("NAME", "GONE", "STATUS", "LOST", "VENDORID", "CREDITLIMIT")
    found = reader(sandbox, "VENDOR", *fields, page_size=10)
    rows = [
        row for page in KeySetPaging(found, RECORD_NUMBER).pages() for row in page.rows
    ]
    assert len(rows) == len(truth(sandbox, "VENDOR"))
    assert set(rows[0]) == {"RECORDNO", *fields} - {"GONE", "LOST"}
    assert caplog.text.count("GONE") == caplog.text.count("LOST") == 1


def test_refusal_that_no_field_causes_is_not_blamed_on_fields(
    sandbox: Sandbox,
) -> None:
    sandbox.faults.add(Fault(FaultKind.DATABASE_ERROR, function="query", times=None))
    found = reader(sandbox, "VENDOR", *("NAME", "STATUS") * 20, page_size=10)
    with pytest.raises(DatabaseRefused):
        list(KeySetPaging(found, RECORD_NUMBER).pages())
    assert len([call for call in sandbox.calls if call.function == "query"]) == 9


def test_refused_key_is_not_dropped(sandbox: Sandbox) -> None:
    key = PagingKey((KeyField("NOSUCHKEY", ValueType.INTEGER),))
    found = reader(sandbox, "VENDOR", "NAME", page_size=10)
    with pytest.raises(FieldsRefused):
        list(KeySetPaging(found, key).pages())


def test_snapshot_is_read_whole(sandbox: Sandbox) -> None:
    assert sorted(snapshot(sandbox)) == truth(sandbox, "REVRECSCHEDULEENTRY")


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.DROP_BEFORE_HEADERS,
        FaultKind.DROP_AFTER_HEADERS,
        FaultKind.TRUNCATED,
        FaultKind.SESSION_EXPIRED,
        FaultKind.HTTP_524,
        FaultKind.HTTP_502,
    ],
    ids=lambda kind: kind.name.lower(),
)
def test_lost_page_of_a_snapshot_is_noticed_and_nothing_comes_twice(
    sandbox: Sandbox, kind: FaultKind
) -> None:
    """The work was done: the server has moved on, and the page will not come again."""
    sandbox.faults.add(Fault(kind, function="readMore"))
    rows = snapshot(sandbox)
    assert sorted(rows) == truth(sandbox, "REVRECSCHEDULEENTRY")
    assert len(rows) == len(set(rows))


def test_snapshot_that_cannot_be_continued_is_an_error(sandbox: Sandbox) -> None:
    sandbox.switches = Switches(result_id_missing=True)
    with pytest.raises(PagesMoved, match="does not say how to ask for them"):
        snapshot(sandbox)


def test_rows_that_share_a_key_are_never_parted(sandbox: Sandbox) -> None:
    found = reader(sandbox, "GLDETAIL", "RECORDNO", page_size=3)
    rows = [
        row["RECORDNO"]
        for page in KeySetPaging(found, DETAIL_KEY).pages()
        for row in page.rows
    ]
    assert sorted(rows) == truth(sandbox, "GLDETAIL")


def test_more_rows_of_one_key_than_fit_a_page_are_walked_by_the_tie_breaker(
    sandbox: Sandbox,
) -> None:
    found = reader(sandbox, "GLDETAIL", "RECORDNO", page_size=2)
    key = PagingKey((KeyField("BATCHKEY", ValueType.INTEGER),), "RECORDNO")
    rows = [
        row["RECORDNO"]
        for page in KeySetPaging(found, key).pages()
        for row in page.rows
    ]
    assert sorted(rows) == truth(sandbox, "GLDETAIL")


def test_pages_resume_after_a_position(sandbox: Sandbox) -> None:
    found = reader(sandbox, "VENDOR", "RECORDNO", page_size=10)
    first, *_ = KeySetPaging(found, RECORD_NUMBER).pages()
    rest = KeySetPaging(found, RECORD_NUMBER).pages(start=first.position)
    rows = [row for page in (first, *rest) for row in page.rows]
    assert [row["RECORDNO"] for row in rows] == sorted(
        truth(sandbox, "VENDOR"), key=int
    )
