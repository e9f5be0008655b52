"""The JSON road: the same rows as by XML, whatever Intacct makes of the wish for JSON."""

from __future__ import annotations

import json
import logging
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from intacct_sandbox import Company, Fault, FaultKind, ManualClock, Sandbox, Switches
from intacct_sandbox.wire.calls import Call
from tap_sage_intacct.catalog.sources import (
    DATA_SOURCE_BY_STREAM,
    RECORD_NUMBER,
    ReadFunction,
)
from tap_sage_intacct.intacct.errors import ConfigurationError
from tap_sage_intacct.intacct.gateway import GatewaySettings
from tap_sage_intacct.intacct.pages.key_set import KeySetPaging
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.row import RowSet
from tap_sage_intacct.intacct.xml.gateway import XmlGateway
from tap_sage_intacct.intacct.xml.json_rows import read_json_rows
from tap_sage_intacct.settings.settings import Settings
from tests.conftest import NOON
from tests.intacct.xml.test_gateway import TRANSIENT
from tests.loading import Loader, Record, Run
from tests.streams.test_loading import STREAMS, assert_loaded

MakeLoader = Callable[..., Loader]

STREAM, OBJECT = "gl_journal_entry_lines", "GLENTRY"
PAGE = 100
ROWS = 600
# Of six pages the first and the last are XML.
JSON_PAGES = ROWS // PAGE - 2


def as_json(sandbox: Sandbox, object_name: str = "") -> list[Call]:
    """Calls that asked for JSON."""
    return [
        call
        for call in sandbox.calls
        if b"<returnformat>json" in call.body and object_name in {"", call.object_name}
    ]


def pages(sandbox: Sandbox) -> str:
    """The pages of the stream in their order: X for XML, J for JSON."""
    return "".join(
        "J" if b"<returnformat>json" in call.body else "X"
        for call in sandbox.calls
        if call.object_name == OBJECT
        and call.function == "query"
        and b"<pagesize>1<" not in call.body
    )


def loaded(loader: Loader, sandbox: Sandbox) -> Run:
    catalog = loader.catalog([STREAM])
    sandbox.forget_calls()
    run = loader.run(STREAM, catalog=catalog)
    assert_loaded(loader, sandbox.company, STREAM)
    assert run.counts[STREAM] == ROWS
    return run


def gave_up(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if "asking for XML from now on" in record.getMessage()
    ]


@pytest.fixture
def small_company(small_books: Path, tmp_path: Path) -> Iterator[Company]:
    path = tmp_path / "small.sqlite"
    shutil.copy(small_books, path)
    with closing(Company.open(path, clock=ManualClock(NOON))) as found:
        yield found


def test_every_stream_equals_the_companys_truth(
    small_company: Company, loader: MakeLoader
) -> None:
    with Sandbox(small_company) as sandbox:
        target = loader(api_url=sandbox.url, response_format="json", page_size=5)
        target.run()
    for stream in STREAMS:
        assert_loaded(target, small_company, stream)
        source = DATA_SOURCE_BY_STREAM[stream]
        is_long = len(list(small_company.truth(source.object_name))) > 2 * 5
        is_queried = source.functions[0] is ReadFunction.QUERY
        asked = as_json(sandbox, source.object_name)
        assert bool(asked) == (is_long and is_queried), stream


def test_changes_arrive_by_json(
    company: Company, clock: ManualClock, sandbox: Sandbox, loader: MakeLoader
) -> None:
    target = loader(response_format="json", page_size=5)
    catalog = target.catalog(["vendors"])
    target.run("vendors", catalog=catalog)
    clock.advance(24 * 3600)
    for row in list(company.truth("VENDOR")):
        company.update("VENDOR", int(str(row["RECORDNO"])), {"NAME": "Changed"})
    clock.advance(10)
    sandbox.forget_calls()
    target.run("vendors", catalog=catalog)
    assert_loaded(target, company, "vendors")
    assert len(as_json(sandbox)) > 1


@pytest.mark.parametrize("road", ["auto", "xml", "json"])
def test_records_are_the_same_to_the_byte_by_every_road(
    sandbox: Sandbox, loader: MakeLoader, road: str
) -> None:
    run = loaded(loader(response_format=road, page_size=PAGE), sandbox)
    plain = loaded(loader(response_format="xml", page_size=2000), sandbox)
    written = [json.dumps(r, default=str) for r in run.records(STREAM)]
    assert written == [json.dumps(r, default=str) for r in plain.records(STREAM)]


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        (Switches(json_null="null"), "XJJJJX"),
        (Switches(json_null="empty"), "XJJJJX"),
        # Columns that are not there are not trusted: they are asked for as XML.
        (Switches(json_null="absent"), "XJXXXXX"),
    ],
)
def test_records_are_the_same_however_json_writes_a_null(
    sandbox: Sandbox, loader: MakeLoader, switches: Switches, expected: str
) -> None:
    sandbox.switches = switches
    run = loaded(loader(response_format="json", page_size=PAGE), sandbox)
    assert pages(sandbox) == expected
    plain = loaded(loader(response_format="xml", page_size=2000), sandbox)
    assert run.records(STREAM) == plain.records(STREAM)
    assert any(None in record.values() for record in run.records(STREAM))


@pytest.mark.parametrize(
    ("road", "expected"),
    [("auto", "XJJJJX"), ("json", "XJJJJX"), ("xml", "XXXXXX")],
)
def test_first_and_last_page_are_xml_and_no_page_is_asked_for_twice(
    sandbox: Sandbox, loader: MakeLoader, road: str, expected: str
) -> None:
    loaded(loader(response_format=road, page_size=PAGE), sandbox)
    assert pages(sandbox) == expected


def test_two_pages_are_both_xml(sandbox: Sandbox, loader: MakeLoader) -> None:
    loaded(loader(response_format="json", page_size=ROWS // 2), sandbox)
    assert pages(sandbox) == "XX"


@pytest.mark.parametrize("paging", ["offset", "auto"])
def test_what_only_xml_serves_is_never_asked_for_as_json(
    sandbox: Sandbox, loader: MakeLoader, paging: str
) -> None:
    streams = ("revenue_recognition_schedule_entries", "gl_account_balances")
    target = loader(response_format="json", page_size=5, paging=paging)
    target.run(*streams, *(["vendors"] if paging == "offset" else []))
    assert [c for c in as_json(sandbox) if c.object_name != "REPORTINGPERIOD"] == []


@pytest.mark.parametrize("road", ["auto", "json"])
def test_ignored_wish_is_not_repeated(
    sandbox: Sandbox,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
    road: str,
) -> None:
    caplog.set_level(logging.INFO)
    sandbox.switches = Switches(json="ignored")
    loaded(loader(response_format=road, page_size=PAGE), sandbox)
    assert pages(sandbox) == "XJXXXX"
    assert len(gave_up(caplog)) == 1


def test_refused_json_is_asked_for_as_xml_for_the_whole_run(
    sandbox: Sandbox, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sandbox.switches = Switches(json="refused")
    target = loader(page_size=10, response_format="auto", max_connections=1)
    streams = ("vendors", STREAM)
    catalog = target.catalog(streams)
    sandbox.forget_calls()
    target.run(*streams, catalog=catalog)
    for stream in streams:
        assert_loaded(target, sandbox.company, stream)
    # Of those begun ahead one more was on its way when the first was refused, or none.
    assert len(as_json(sandbox)) in {1, 2}
    assert gave_up(caplog) == ["Intacct refuses JSON; asking for XML from now on."]


def test_refused_json_is_an_error_where_it_is_insisted_on(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    sandbox.switches = Switches(json="refused")
    target = loader(page_size=PAGE, response_format="json")
    with pytest.raises(
        ConfigurationError,
        match=r"refuses JSON: set response_format to auto or xml.*not supported",
    ):
        target.run(STREAM)


def test_field_that_is_refused_meanwhile_is_not_blamed_on_json(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    target = loader(page_size=PAGE, response_format="json")
    catalog = target.catalog([STREAM])

    def forbid(call: Call) -> None:
        if b"<returnformat>json" in call.body:
            unqueryable = {OBJECT: frozenset({"DESCRIPTION"})}
            sandbox.switches = Switches(unqueryable=unqueryable)

    sandbox.forget_calls()
    sandbox.faults.between_calls = forbid
    run = target.run(STREAM, catalog=catalog)
    assert run.counts[STREAM] == ROWS
    assert len(as_json(sandbox)) == JSON_PAGES


def test_columns_that_json_names_otherwise_are_not_believed(
    sandbox: Sandbox,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def renamed(body: bytes) -> RowSet:
        found = read_json_rows(body)
        rows = [
            {("Memo" if k == "DESCRIPTION" else k): v for k, v in row.items()}
            for row in found.rows
        ]
        return replace(found, rows=rows)

    caplog.set_level(logging.INFO)
    monkeypatch.setattr("tap_sage_intacct.intacct.xml.calls.read_json_rows", renamed)
    loaded(loader(page_size=PAGE, response_format="auto"), sandbox)
    assert pages(sandbox) == "XJXXXXX"
    assert len(gave_up(caplog)) == 1


FAULTS = [
    *TRANSIENT,
    FaultKind.SESSION_EXPIRED,
    FaultKind.CONTROL_CHARACTERS,
    FaultKind.ROWS_REVERSED,
    FaultKind.ROWS_LOST,
]


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.name.lower())
def test_fault_on_a_json_page_loses_nothing_and_json_goes_on(
    sandbox: Sandbox, loader: MakeLoader, kind: FaultKind
) -> None:
    target = loader(page_size=PAGE, response_format="json")
    catalog = target.catalog([STREAM])
    struck: list[int] = []

    def strike(call: Call) -> None:
        # The fault is for the call after this one.
        if b"<returnformat>json" in call.body and not struck:
            struck.append(call.number + 1)
            sandbox.faults.add(Fault(kind, calls=frozenset(struck)))

    sandbox.forget_calls()
    sandbox.faults.between_calls = strike
    run = target.run(STREAM, catalog=catalog)
    assert sandbox.faults.struck[kind] == 1
    assert_loaded(target, sandbox.company, STREAM)
    assert run.counts[STREAM] == ROWS
    assert len(as_json(sandbox)) >= JSON_PAGES


@pytest.mark.parametrize(
    "switches", [Switches(), Switches(json_empty="nothing")], ids=["list", "nothing"]
)
def test_pages_that_come_short_in_the_middle_are_asked_for_with_counts(
    sandbox: Sandbox, loader: MakeLoader, switches: Switches
) -> None:
    sandbox.switches = switches
    target = loader(page_size=PAGE, response_format="json")
    catalog = target.catalog([STREAM])
    numbers = sorted(int(str(r["RECORDNO"])) for r in sandbox.company.truth(OBJECT))
    doomed = iter(numbers[PAGE:])

    def delete(call: Call) -> None:
        if b"<returnformat>json" not in call.body:
            return
        with sandbox.company.transaction():
            for number in doomed:
                sandbox.company.delete(OBJECT, number)

    sandbox.forget_calls()
    sandbox.faults.between_calls = delete
    run = target.run(STREAM, catalog=catalog)
    assert [r["RECORDNO"] for r in run.records(STREAM)] == numbers[:PAGE]
    assert pages(sandbox) == "XJX"


@pytest.mark.parametrize("road", ["xml", "json"])
def test_pages_that_were_asked_for_ahead_may_be_empty(
    sandbox: Sandbox, loader: MakeLoader, road: str
) -> None:
    target = loader(page_size=PAGE // 2, response_format=road, max_connections=4)
    catalog = target.catalog([STREAM])
    numbers = sorted(int(str(r["RECORDNO"])) for r in sandbox.company.truth(OBJECT))
    asked = count()

    def delete(call: Call) -> None:
        # While the first page is read there is but one call.
        if call.object_name != OBJECT or next(asked) != 1:
            return
        with sandbox.company.transaction():
            for number in numbers[PAGE // 2 :]:
                sandbox.company.delete(OBJECT, number)

    sandbox.faults.between_calls = delete
    run = target.run(STREAM, catalog=catalog)
    assert {r["RECORDNO"] for r in run.records(STREAM)} >= set(numbers[: PAGE // 2])
    assert max(Counter(r["RECORDNO"] for r in run.records(STREAM)).values()) == 1


def test_rows_that_come_meanwhile_are_read_to_their_counted_end(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    """The first count is too small by then: the page that should be last says so."""
    target = loader(page_size=PAGE, response_format="json", lookback_minutes=0)
    catalog = target.catalog([STREAM])
    model = next(iter(sandbox.company.truth(OBJECT)))
    added: list[int] = []

    def insert(call: Call) -> None:
        if b"<returnformat>json" not in call.body or added:
            return
        values = {n: model[n] for n in ("BATCHNO", "ACCOUNTNO", "AMOUNT", "TR_TYPE")}
        with sandbox.company.transaction():
            added.extend(sandbox.company.insert(OBJECT, values) for _ in range(120))

    sandbox.forget_calls()
    sandbox.faults.between_calls = insert
    run = target.run(STREAM, catalog=catalog)
    emitted: list[Record] = run.records(STREAM)
    assert len({r["RECORDNO"] for r in emitted}) == len(emitted) == ROWS + 120
    # At row 500 the first count lets expect the end; the page counts 120 rows more.
    assert pages(sandbox)[:8] == "XJJJJXJX"


def test_shared_keys_are_never_parted(sandbox: Sandbox, loader: MakeLoader) -> None:
    target = loader(page_size=7, response_format="json")
    target.run("gl_details")
    assert_loaded(target, sandbox.company, "gl_details")
    assert as_json(sandbox, "GLDETAIL")


def test_time_out_of_a_json_page_halves_the_page(sandbox: Sandbox) -> None:
    settings = Settings.from_config(sandbox.config()).gateway
    assert isinstance(settings, GatewaySettings)
    reader = ObjectReader(XmlGateway(settings), OBJECT, ("RECORDNO",), page_size=150)
    found = KeySetPaging(reader, RECORD_NUMBER).pages()
    rows = list(next(found).rows)
    sandbox.faults.add(Fault(FaultKind.HTTP_524, function="query"))
    rows += [row for page in found for row in page.rows]
    assert len({row["RECORDNO"] for row in rows}) == len(rows) == ROWS
    assert pages(sandbox) == "XJXJJJX"
    assert reader.page_size == PAGE


def test_session_is_renewed_once_in_its_life_on_the_json_road(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    """JSON tells no session: by what is known its end has not moved."""
    sandbox.switches = Switches(session_seconds=3600)
    settings = Settings.from_config(sandbox.config()).gateway
    assert isinstance(settings, GatewaySettings)
    reader = ObjectReader(
        XmlGateway(settings, now=clock.now), OBJECT, ("RECORDNO",), page_size=PAGE
    )
    found = KeySetPaging(reader, RECORD_NUMBER).pages()
    count = 0
    for page in found:
        count += len(page.rows)
        clock.advance(1200)
    assert count == ROWS
    assert pages(sandbox) == "XJJJJX"
    signed_in = [call for call in sandbox.calls if call.function == "getAPISession"]
    assert len(signed_in) == 2
    assert all(call.function for call in sandbox.calls), "a session was found expired"


def test_broken_json_is_given_up_for_xml(
    sandbox: Sandbox, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    """However often it is asked for, nothing can be read of it."""
    caplog.set_level(logging.INFO)
    target = loader(page_size=PAGE, response_format="auto", max_retries=2)
    catalog = target.catalog([STREAM])

    def tear(call: Call) -> None:
        if b"<returnformat>json" in call.body:
            sandbox.faults.clear()
            for number in range(call.number + 1, call.number + 4):
                fault = Fault(FaultKind.TRUNCATED, calls=frozenset({number}))
                sandbox.faults.add(fault)
            sandbox.faults.between_calls = None

    sandbox.forget_calls()
    sandbox.faults.between_calls = tear
    target.run(STREAM, catalog=catalog)
    assert_loaded(target, sandbox.company, STREAM)
    assert pages(sandbox) == "XJJJJXXXX"
    assert gave_up(caplog) == ["Intacct sends broken JSON; asking for XML from now on."]
