"""How each message of the tap that docs/errors.md shows comes about."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

from intacct_sandbox import Fault, FaultKind, Report, UserFormatting
from intacct_sandbox.wire.calls import Call
from intacct_sandbox.wire.errors import (
    AuthenticationRefusal,
    ControlRefusal,
    ErrorEntry,
    FunctionRefusal,
    Refusal,
)
from intacct_sandbox.wire.replies import HTML_TYPE, JSON_TYPE, XML_TYPE, Reply
from tap_sage_intacct.intacct.errors import Level
from tap_sage_intacct.reading.deletions import TrailDeletions
from tap_sage_intacct.reading.key_store import KeyStore, SetName
from tap_sage_intacct.reading.state.fingerprint import Fingerprint
from tap_sage_intacct.run import run as run_module
from tap_sage_intacct.run.maintenance import MaintenanceWatch
from tap_sage_intacct.settings.maintenance import MaintenanceWindow
from tap_sage_intacct.tap import MELTANO_SELECT
from tests.hostile import hostile_server, pours
from tests.provoking import Provocation, Scene, on_page

Prepare = Callable[[Scene], None]
VENDORS_PER_PAGE = 10


def settings(**given: Any) -> Prepare:
    """Run with these; None leaves one out."""

    def prepare(scene: Scene) -> None:
        scene.settings.update(given)

    return prepare


def selected(*streams: str, **given: Any) -> Prepare:
    """Run with a live catalog that was discovered under these settings."""

    def prepare(scene: Scene) -> None:
        scene.settings.update(given)
        scene.select(*streams)

    return prepare


def switched(**switches: Any) -> Prepare:
    """Let the sandbox behave so."""

    def prepare(scene: Scene) -> None:
        scene.sandbox.switches = replace(scene.sandbox.switches, **switches)

    return prepare


def fault(kind: FaultKind, *, times: int | None = None, **where: Any) -> Prepare:
    """Let the sandbox do this, every time unless told otherwise."""

    def prepare(scene: Scene) -> None:
        scene.sandbox.faults.add(Fault(kind, times=times, **where))

    return prepare


def answered(answer: Refusal | Reply, **where: Any) -> Prepare:
    """Let the sandbox answer this."""
    return fault(FaultKind.TO_ORDER, answer=answer, **where)


def first(*steps: Prepare) -> Prepare:
    """One after the other."""

    def prepare(scene: Scene) -> None:
        for step in steps:
            step(scene)

    return prepare


def discovery(scene: Scene) -> None:
    """Only discover."""
    scene.discovers = True


def file_holding(name: str, content: bytes) -> Prepare:
    """Run with a config, state or catalog that holds this."""

    def prepare(scene: Scene) -> None:
        scene.files[name] = content

    return prepare


def missing_file(scene: Scene) -> None:
    """Run with a state that is a folder."""
    (scene.folder / "folder").mkdir()
    scene.more_arguments = ["--state", str(scene.folder / "folder")]


def environment(**variables: str) -> Prepare:
    """Run with these variables beside the files."""

    def prepare(scene: Scene) -> None:
        for name, text in variables.items():
            scene.monkeypatch.setenv(f"TAP_SAGE_INTACCT_{name}", text)
        scene.more_arguments = ["--config", "ENV"]

    return prepare


def batches_to(root: str) -> Prepare:
    """Run with batches that go there."""
    return settings(
        batch_config={"encoding": {"format": "jsonl"}, "storage": {"root": root}}
    )


def failing_with(error: Exception) -> Prepare:
    """Run as if a library that the tap uses raised this."""

    def fail(*_: object) -> None:
        raise error

    def prepare(scene: Scene) -> None:
        scene.monkeypatch.setattr(TrailDeletions, "begin", fail)
        scene.settings["include_deletes"] = True
        scene.select("departments")

    return prepare


def broken_pipe(scene: Scene) -> None:
    """Run into a target that has ended."""
    reader, scene.stdout = os.pipe()
    os.close(reader)


def full_disk(scene: Scene) -> None:
    """Run into a file on a disk without room."""
    scene.stdout = os.open("/dev/full", os.O_WRONLY)


def no_output(scene: Scene) -> None:
    """Run without a standard output."""
    scene.monkeypatch.setattr("sys.stdout", None)


def bills_filter(given: object) -> Prepare:
    """Run with a filter of bills."""
    return settings(filters={"bills": given})


def balances_filter(given: str) -> Prepare:
    """Run with a filter that names periods."""
    return settings(filters={"gl_account_balances": given}, balance_periods=None)


def patterns(*rules: str) -> Prepare:
    """Run as Meltano does, which hands its `select` to the tap's process."""

    def prepare(scene: Scene) -> None:
        related = {"bills": ["VENDOR.TAXID"]}
        scene.settings.update(include_sensitive=True, related_fields=related)
        scene.select("bills", "vendors")
        scene.monkeypatch.setenv(MELTANO_SELECT, json.dumps(rules))

    return prepare


def report(**given: Any) -> Prepare:
    """Run with a custom report."""
    return settings(custom_reports=[given])


def state_of(bookmark: object, stream: str = "vendors") -> Prepare:
    """Go on from this bookmark."""

    def prepare(scene: Scene) -> None:
        scene.state = {"bookmarks": {stream: bookmark}}

    return prepare


def whole_state(state: dict[str, Any]) -> Prepare:
    """Go on from this state."""

    def prepare(scene: Scene) -> None:
        scene.state = state

    return prepare


def changed_selection(action: str) -> Prepare:
    """Go on from a state that was written for an earlier choice of fields."""
    fields = Fingerprint.of(
        "VENDOR",
        replication_key="WHENMODIFIED",
        condition=None,
        start_date=None,
        fields={"NAME": "NAME"},
    )
    bookmark = {**SYNCED["bookmarks"]["vendors"], "selection": fields.to_state()}
    return first(selected("vendors", on_changed_selection=action), state_of(bookmark))


def key_store(make: Callable[[str], None]) -> Prepare:
    """Run with a key store of that making."""

    def prepare(scene: Scene) -> None:
        path = str(scene.folder / "keys.sqlite")
        make(path)
        scene.settings.update(include_deletes=True, key_store=path)
        scene.select("vendors")
        scene.state = SYNCED

    return prepare


SYNCED = {
    "bookmarks": {
        name: {
            "replication_key": "WHENMODIFIED",
            "replication_key_value": "2026-01-30T00:00:00+00:00",
        }
        for name in ("vendors", "gl_journal_entry_lines")
    }
}


def synced(scene: Scene) -> None:
    """Go on from a sync that was done."""
    scene.state = SYNCED


def of_later_version(path: str) -> None:
    """A key store that a later tap made."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def of_another_run(path: str) -> None:
    """A key store that went on while another one was in use."""
    with closing(KeyStore(Path(path))) as store:
        keys = store.key_set(SetName("here", ("sandbox", "", "vendors"), "", "None"))
        keys.begin_load()
        keys.complete()
        keys.begin_sync(datetime(2026, 1, 29, tzinfo=timezone.utc))


def no_database(path: str) -> None:
    """A file that is none."""
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write("no database" * 1000)


def within_maintenance(scene: Scene) -> None:
    """It is 1 am in San Francisco."""
    now = datetime(2026, 1, 15, 9, tzinfo=timezone.utc)
    slept: list[float] = []

    def clock() -> datetime:
        return now + timedelta(seconds=sum(slept))

    def watch(window: MaintenanceWindow) -> MaintenanceWatch:
        return MaintenanceWatch(window, clock, slept.append)

    scene.monkeypatch.setattr(run_module, "MaintenanceWatch", watch)


def maintenance(action: str) -> Prepare:
    """Run within the window."""
    wanted = settings(maintenance_window={"action": action})
    return first(selected("departments"), wanted, within_maintenance)


def by_offset(act: Callable[[Scene], None], **given: Any) -> Prepare:
    """Let something happen before the third page that is taken by offset."""

    def prepare(scene: Scene) -> None:
        scene.settings.update(paging="offset", page_size=VENDORS_PER_PAGE, **given)
        scene.select("vendors")
        scene.sandbox.faults.between_calls = on_page("VENDOR", 3, partial(act, scene))

    return prepare


def delete(*numbers: int) -> Callable[[Scene], None]:
    """Delete vendors."""

    def act(scene: Scene) -> None:
        for number in numbers:
            scene.company.delete("VENDOR", number)

    return act


def never_at_rest(scene: Scene) -> None:
    """Let the rows that were read be gone, and there again, between any two calls."""
    selected("vendors", paging="offset", page_size=VENDORS_PER_PAGE)(scene)
    rows = [dict(row) for row in scene.company.truth("VENDOR")][:28]
    calls: list[Call] = []
    gone: list[bool] = [False]

    def between(call: Call) -> None:
        if call.object_name != "VENDOR":
            return
        calls.append(call)
        # Gone when the fourth page is asked for and while its place is looked for
        # nearby, then every other time.
        is_gone = len(calls) in range(4, 8) or (len(calls) > 7 and len(calls) % 2 == 1)
        if is_gone == gone[0]:
            return
        gone[0] = is_gone
        for row in rows:
            if is_gone:
                scene.company.delete("VENDOR", int(str(row["RECORDNO"])))
            else:
                scene.company.insert("VENDOR", row)

    scene.sandbox.faults.between_calls = between


def visible_late(scene: Scene) -> None:
    """Let a row appear behind the reader."""
    scene.company.delete("VENDOR", 5)
    visible = scene.clock.now() + timedelta(seconds=1)
    scene.company.insert(
        "VENDOR", {"RECORDNO": 5, "VENDORID": "V-LATE"}, visible_from=visible
    )
    VENDOR_PAGES(scene)
    late = partial(scene.clock.advance, 5)
    scene.sandbox.faults.between_calls = on_page("VENDOR", 4, late)


def uncounted(scene: Scene) -> None:
    """Let the closing count get no answer."""
    VENDOR_PAGES(scene)
    timed_out = Fault(FaultKind.HTTP_524, function="query")
    late = partial(scene.sandbox.faults.add, timed_out)
    scene.sandbox.faults.between_calls = on_page("VENDOR", 4, late)


def torn_json(scene: Scene) -> None:
    """Let the second page, which comes as JSON, break off."""
    VENDOR_PAGES(scene)
    scene.settings["max_retries"] = 1
    torn = Fault(FaultKind.TRUNCATED, function="query")
    tear = partial(scene.sandbox.faults.add, torn)
    scene.sandbox.faults.between_calls = on_page("VENDOR", 1, tear)


def report_pages_lost(scene: Scene) -> None:
    """Let the first page of each run of a report be lost on its way."""
    reports = [{"name": "Journal lines"}]
    selected("journal_lines", custom_reports=reports, max_retries=1)(scene)
    switched(report_polls=0)(scene)

    def between(call: Call) -> None:
        if call.function == "readReport":
            lost = Fault(FaultKind.DROP_AFTER_HEADERS, function="readMore")
            scene.sandbox.faults.add(lost)

    scene.sandbox.faults.between_calls = between


def interrupted(scene: Scene) -> None:
    """End the run while it reads."""
    VENDOR_PAGES(scene)
    scene.ends_by = signal.SIGTERM


def retyped(stream: str, name: str, json_type: str) -> Prepare:
    """Let the catalog say another type of a field."""

    def prepare(scene: Scene) -> None:
        assert scene.catalog is not None
        for entry in scene.catalog["streams"]:
            if entry["stream"] == stream:
                entry["schema"]["properties"][name] = {"type": ["null", json_type]}

    return prepare


def other_type(scene: Scene) -> None:
    """Call a text an integer."""
    selected("vendors")(scene)
    retyped("vendors", "NAME", "integer")(scene)


def fewer_dimensions(scene: Scene) -> None:
    """Take a catalog of before the company had its dimensions."""
    scene.select("gl_account_balances")
    assert scene.catalog is not None
    for entry in scene.catalog["streams"]:
        kept = entry["schema"]["properties"]
        for name in [name for name in kept if name.endswith("DIMKEY")]:
            del kept[name]


def unreadable_period(scene: Scene) -> None:
    """Let a page of reporting periods hold a date that is none."""
    scene.select("gl_account_balances")
    answered(result(ODD_PERIOD), object_name="REPORTINGPERIOD")(scene)


def deleted_since(*, stream: str, object_name: str, **given: Any) -> Prepare:
    """Delete a record after a first sync, one that the audit trail names by its id."""

    def prepare(scene: Scene) -> None:
        selected(stream, include_deletes=True, **given)(scene)
        scene.state = SYNCED
        scene.clock.advance(3600)
        found = next(iter(scene.company.truth(object_name)))
        scene.company.delete(object_name, int(str(found["RECORDNO"])))
        scene.clock.advance(5)

    return prepare


EMPTY_REPORT = Report("Empty", "original", "VENDOR", ("VENDORID",), rows_limit=0)


def wider_report(scene: Scene) -> None:
    """Add a column after discovery."""
    narrow = Report("R", "interactive", "VENDOR", ("VENDORID",))
    switched(reports=(narrow,))(scene)
    selected("r", custom_reports=[{"name": "R"}])(scene)
    switched(reports=(replace(narrow, columns=("VENDORID", "NAME")),))(scene)


def odd_report(scene: Scene) -> None:
    """Call a report's text an integer."""
    odd = Report("Odd", "interactive", "VENDOR", ("VENDORID", "NAME"))
    switched(reports=(odd,))(scene)
    selected("odd", custom_reports=[{"name": "Odd"}])(scene)
    assert scene.catalog is not None
    for entry in scene.catalog["streams"]:
        if entry["stream"] == "odd":
            entry["schema"]["properties"]["NAME"] = {"type": ["null", "integer"]}


def stopped_server(scene: Scene) -> None:
    """Call where nobody listens."""
    scene.settings["api_url"] = "http://127.0.0.1:9/ia/xml/xmlgw.phtml"


def later_rows(reply: Reply) -> Reply:
    """In JSON: as if a page were one that comes two pages later."""
    if reply.content_type != JSON_TYPE:
        return reply
    rows = json.loads(reply.body)
    for row in rows:
        row["RECORDNO"] = str(int(row["RECORDNO"]) + 4)
    return replace(reply, body=json.dumps(rows).encode())


def bomb(scene: Scene) -> None:
    """Call what answers with more than anybody can hold."""
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    zeros = itertools.repeat(gzip.compress(bytes(16 << 20), compresslevel=1))
    url = scene.using(hostile_server(pours(head, zeros)))
    scene.settings["api_url"] = url


def proxy(address: str) -> Prepare:
    """Call through a proxy."""

    def prepare(scene: Scene) -> None:
        scene.monkeypatch.setenv("HTTP_PROXY", address)
        scene.monkeypatch.setenv("NO_PROXY", "")

    return prepare


def tls_of_nobody(scene: Scene) -> None:
    """Call by TLS where none is spoken, or none that can be verified."""
    scene.settings["api_url"] = scene.settings["api_url"].replace("http:", "https:")


REPORTS = "Trial balance 26"
DEPARTMENTS = selected("departments")
VENDOR_PAGES = selected("vendors", page_size=VENDORS_PER_PAGE)
SCHEDULES = selected("revenue_recognition_schedule_entries", page_size=20)


def page(body: str, content_type: str = XML_TYPE, status: int = 200) -> Reply:
    """A whole reply."""
    return Reply(status, content_type, body.encode())


RESPONSE = (
    "<response><control><status>success</status></control><operation>"
    "<authentication><status>success</status></authentication>{}"
    "</operation></response>"
)
SAME_KEY = "".join(
    [
        '<data count="2" totalcount="9" numremaining="7">',
        *(
            "<GLDETAIL><BATCHKEY>1</BATCHKEY><GLENTRYKEY>1</GLENTRYKEY>"
            f"<RECORDNO>{number}</RECORDNO></GLDETAIL>"
            for number in (1, 2)
        ),
        "</data>",
    ]
)


TWO_STATES = Report("R", "interactive", "VENDOR", ("VENDORID", "STATUS"))
NO_NAME = Report("R", "interactive", "VENDOR", ("VENDORID", "MEGAENTITYNAME"))
ODD_VENDOR = (
    '<data count="1" totalcount="1" numremaining="0"><VENDOR><RECORDNO>12.5</RECORDNO>'
    "<VENDORID>V1</VENDORID></VENDOR></data>"
)
ODD_PERIOD = (
    '<data count="1" totalcount="1" numremaining="0"><REPORTINGPERIOD>'
    "<RECORDNO>1</RECORDNO><NAME>June</NAME><START_DATE>00/00/0000</START_DATE>"
    "<END_DATE>06/30/2025</END_DATE></REPORTINGPERIOD></data>"
)


NO_KEY = (
    '<data><Type Name="CLASS" DocumentType=""><Fields><Field><ID>NAME</ID>'
    "<LABEL>Name</LABEL><DATATYPE>TEXT</DATATYPE></Field></Fields></Type></data>"
)


def result(data: str) -> Reply:
    """A reply with one function's data."""
    return page(RESPONSE.format(f"<result><status>success</status>{data}</result>"))


_REFUSALS: dict[Level, type[Refusal]] = {
    Level.CONTROL: ControlRefusal,
    Level.OPERATION: AuthenticationRefusal,
    Level.RESULT: FunctionRefusal,
}

SETTINGS: list[Provocation[Scene]] = [
    Provocation("file-unreadable", missing_file),
    Provocation("file-not-text", file_holding("config", b"\xff\xfea")),
    Provocation("file-empty", file_holding("state", b"\n")),
    Provocation("file-not-json", file_holding("config", b"{'user_id': 1}")),
    Provocation("file-no-object", file_holding("state", b"null")),
    Provocation("file-no-catalog", file_holding("catalog", b'{"streams": [5]}')),
    Provocation("environment-type", environment(PAGE_SIZE="abc"), "a whole number"),
    Provocation("environment-type", environment(INCLUDE_DELETES="maybe"), "true or false"),
    Provocation("environment-type", environment(FILTERS="text"), "must be JSON"),
    Provocation("log-level", environment(LOGLEVEL="loud")),
    Provocation("batch-library", batches_to("s3://bucket/books"), "needs a library"),
    Provocation("batch-library", batches_to("odd://books"), "no known storage"),
    Provocation("batch-not-written", first(DEPARTMENTS, batches_to("file:///dev/null/x"))),
    Provocation("stream-maps-wrong", first(
        DEPARTMENTS, settings(stream_maps={"departments": {"x": "TITLE +"}}))),
    Provocation("failed-unknown", failing_with(TypeError("a row's value"))),
    Provocation("key-store-lost", failing_with(sqlite3.OperationalError("disk is full"))),
    Provocation("file-of-the-system", failing_with(
        PermissionError(13, "Permission denied", "/etc/ssl/certs"))),
    Provocation("output-gone", first(DEPARTMENTS, broken_pipe)),
    Provocation("output-full", first(DEPARTMENTS, full_disk)),
    Provocation("output-closed", no_output),
    Provocation("member-missing", settings(custom_reports=[{"type": "x"}])),
    Provocation("setting-type", settings(page_size="many")),
    Provocation("setting-secret-type", settings(user_password=5)),
    Provocation("setting-choice", settings(paging="by hand")),
    Provocation("setting-range", settings(page_size=0), "less than"),
    Provocation("setting-range", settings(page_size=5000), "greater than"),
    Provocation("setting-member", settings(custom_reports=[{"nam": "x"}])),
    Provocation("credentials-missing", settings(company_id=None)),
    Provocation("credentials-needed", first(discovery, settings(
        user_password=None, extra_objects=["CLASS"]))),
    Provocation("setting-character", settings(user_password="x\x0cy")),
    Provocation("api-url", settings(api_url="http://example.com/x")),
    Provocation("start-date", settings(start_date="soon")),
    Provocation("key-store-without-deletions", settings(key_store="x.sqlite")),
    Provocation("entity-and-entities", settings(entity_id="E100", entities="all")),
    Provocation("stream-twice", settings(extra_objects=["bills"])),
    Provocation("balance-periods-shape", settings(balance_periods="June")),
    Provocation("balance-periods-range", settings(
        balance_periods={"from": "2025-01"}), "type one of"),
    Provocation("balance-periods-range", settings(
        balance_periods={"from": "2025-02", "to": "2025-01", "type": "month"}),
        "not before"),
    Provocation("entities-shape", settings(entities="some")),
    Provocation("setting-misspelt", settings(filter={"bills": "RECORDNO > 1"})),
    Provocation("setting-unknown", first(discovery, settings(dbt_target="x")), code=0),
    Provocation("include-sensitive-shape", settings(include_sensitive=["SSN"])),
    Provocation("sensitive-salt-missing", settings(sensitive="hash")),
    Provocation("extra-object-unnamed", settings(extra_objects=[" "])),
    Provocation("report-argument-shape", report(name="R", arguments={"a b": "x"})),
    Provocation("maintenance-time", settings(maintenance_window={"start": "noon"})),
    Provocation("time-zone-unknown", settings(maintenance_window={"timezone": "X"}),
        "maintenance_window"),
    Provocation("time-zone-unknown", settings(user_timezone="PST"), "user_timezone"),
]  # fmt: skip

CHOICES: list[Provocation[Scene]] = [
    Provocation("stream-unknown", settings(filters={"bils": "RECORDNO > 1"})),
    Provocation("entity-unknown", selected("bills", entities=["E10"])),
    Provocation("period-unknown", selected(
        "gl_account_balances", balance_periods=["Month Ended Jun 2025"])),
    Provocation("period-not-budgetable", selected(
        "gl_account_balances", balance_periods=["Current Month"])),
    Provocation("period-none-in-range", selected("gl_account_balances",
        balance_periods={"from": "1990-01", "to": "1990-02", "type": "month"})),
    Provocation("period-missing", first(
        selected("gl_account_balances"), settings(balance_periods=None))),
    Provocation("period-left-out", first(
        selected("gl_account_balances", "departments"),
        settings(balance_periods=None)), code=0),
    Provocation("sensitive-key", settings(
        extra_objects=[{"object": "EMPLOYEE", "stream_name": "people",
                        "primary_keys": ["SSN"]}])),
    Provocation("catalog-hashed", first(
        selected("employees", sensitive="hash", sensitive_salt="pepper"),
        settings(sensitive=None))),
    Provocation("book-unknown", first(
        selected("gl_account_balances"), settings(balance_books=["ACRUAL"]))),
    Provocation("periods-twice", settings(
        filters={"gl_account_balances": "PERIOD = 'x'"})),
    Provocation("object-unknown", settings(extra_objects=["CLAS"])),
    Provocation("object-lookup-refused", first(
        settings(extra_objects=["CLASS"]),
        answered(FunctionRefusal(ErrorEntry("BL01", "Odd.")), function="lookup",
                 object_name="CLASS"))),
    Provocation("object-field-unknown", settings(
        extra_objects=[{"object": "CLASS", "primary_keys": ["CLASSD"]}])),
    Provocation("object-key-missing", first(
        settings(extra_objects=["CLASS"]),
        answered(result(NO_KEY), function="lookup", object_name="CLASS"))),
    Provocation("object-stamp", settings(
        extra_objects=[{"object": "CLASS", "replication_key": "NAME"}])),
    Provocation("related-field-unknown", settings(
        related_fields={"bills": ["VENDOR.CREDITLIMT"]}), "has no '"),
    Provocation("related-field-unknown", settings(
        related_fields={"bills": ["VENDR.NAME"]}), "no relation"),
    Provocation("related-field-unknown", settings(
        related_fields={"customers": ["PARENT.PARENT.NAME"]}), "only once"),
    Provocation("related-field-unknown", first(
        settings(related_fields={"bills": ["VENDOR.NAME"]}),
        answered(FunctionRefusal(ErrorEntry("BL01", "Odd.")), function="lookup",
                 object_name="VENDOR")), "cannot be looked up"),
    Provocation("related-fields-impossible", settings(
        related_fields={"revenue_recognition_schedules": ["ARINVOICEITEM.AMOUNT"]})),
    Provocation("report-unknown", report(name="Trial balance 27")),
    Provocation("report-argument-unknown",
                report(name="Bills due", arguments={"WHENDEU": "2025-01-01"})),
    Provocation("report-column-unknown",
                report(name="Vendor list", primary_keys=["VENDRID"])),
    Provocation("catalog-stale", first(
        selected("bills"), settings(related_fields={"bills": ["VENDOR.NAME"]}))),
    Provocation("select-unmatched", patterns("bills.VENDOR.TAXID"), "a dot", code=0),
    Provocation("select-unmatched", patterns("vendors.SSN"), "sensitive", code=0),
    Provocation("select-unmatched", patterns("vendors.NAM"), "did you mean", code=0),
    Provocation("select-unmatched", patterns("vendrs.*"), "no stream", code=0),
    Provocation("state-version", state_of({"version": 9})),
    Provocation("state-damaged", state_of("2026-01-31"), "is damaged: clear"),
    Provocation("state-damaged", whole_state({"bookmarks": None}), "no object"),
    Provocation("state-damaged", whole_state({"type": "STATE", "value": {}}),
        "not the message itself"),
    Provocation("state-of-the-future", state_of(
        {"replication_key_value": "2099-01-01T00:00:00+00:00"})),
    Provocation("state-of-the-future", first(selected("vendors"), state_of(
        {"replication_key_value": "2026-02-01T12:00:00+00:00"}))),
    Provocation("selection-changed", changed_selection("fail"), "or to warn"),
    Provocation("selection-changed", first(selected("vendors"), state_of(
        {"partitions": [{**SYNCED["bookmarks"]["vendors"],
            "context": {"_entity_id": "E100"}}]})), "read no more", code=0),
    Provocation("selection-changed", changed_selection("warn"), "for one run",
        code=0),
    Provocation("selection-changed", changed_selection("reload"), "Loading it again",
        code=0),
    Provocation("state-of-another-company", state_of(
        {"version": 2, "company": "another"})),
    Provocation("state-of-another-company", first(
        state_of({"version": 2, "company": "sandbox"}),
        settings(entity_id="E100"))),
]  # fmt: skip

FILTERS: list[Provocation[Scene]] = [
    Provocation("filter-shape", bills_filter([]), "must be a text"),
    Provocation("filter-shape", bills_filter([{"field": "x"}]), "must list"),
    Provocation("filter-text", bills_filter("RECORDNO ~ 1"), "is not one condition"),
    Provocation("filter-text", bills_filter("STATE = 'x"), "a quote"),
    Provocation("filter-text", bills_filter("RECORDNO = 1; drop"), "leave it out"),
    Provocation("filter-text", bills_filter(f"{'(' * 400}RECORDNO = 1{')' * 400}"),
                "nested"),
    Provocation("filter-field-unknown", bills_filter("VENDRID = 'V1'")),
    Provocation("filter-comparison", bills_filter("VENDORID"), "not a comparison"),
    Provocation("filter-comparison", bills_filter("1 = 1"), "is not a field"),
    Provocation("filter-comparison", bills_filter("STATE = VENDORID"), "not a value:"),
    Provocation("filter-comparison", bills_filter("STATE = upper('x')"),
                "is not a value."),
    Provocation("filter-comparison", bills_filter("STATE in ()"), "an IN"),
    Provocation("filter-comparison", bills_filter("STATE is true"), "uses IS"),
    Provocation("filter-null", bills_filter("VENDORID = NULL"), "with NULL"),
    Provocation("filter-null", bills_filter("VENDORID = ''"), "an empty text"),
    Provocation("filter-null", bills_filter([{"field": "STATE", "operator": "="}]),
                "no value, or null"),
    Provocation("filter-null", bills_filter(
        [{"field": "STATE", "operator": "is null", "value": 1}]), "a value: leave"),
    Provocation("filter-operator", bills_filter(
        [{"field": "STATE", "operator": "=="}]), "has the operator"),
    Provocation("filter-operator", bills_filter("TOTALDUE like 'x'"), "LIKE"),
    Provocation("filter-operator", bills_filter(
        [{"field": "TOTALDUE", "operator": "between", "value": [1]}]), "BETWEEN"),
    Provocation("filter-operator", bills_filter(
        [{"field": "STATE", "operator": "=", "value": ["a"]}]), "a list"),
    Provocation("filter-value", bills_filter("WHENDUE > 'soon'"), "such as"),
    Provocation("filter-value", bills_filter("STATE = 'Postd'"), "does not exist"),
    Provocation("filter-value", bills_filter(
        [{"field": "STATE", "operator": "=", "value": {"a": 1}}]), "not a text, number"),
    Provocation("filter-period", balances_filter("PERIOD = 'x' OR ACCOUNTNO = '1'"),
                "below an OR"),
    Provocation("filter-period", balances_filter("PERIOD > 'x'"), "by = or IN"),
    Provocation("filter-period", balances_filter("PERIOD = 'x' AND PERIOD = 'y'"),
                "twice"),
]  # fmt: skip

CONNECTION: list[Provocation[Scene]] = [
    Provocation("host-unreachable", stopped_server),
    Provocation("certificate", tls_of_nobody),
    Provocation("address-impossible", proxy("http://:8080")),
    Provocation("answer-no-document",
                answered(page("<html></html>", HTML_TYPE, 404))),
    Provocation("time-out", first(selected("departments"),
        settings(request_timeout_seconds=1, page_size=100),
        fault(FaultKind.SLOW, function="query", seconds=1.3)), "did not answer"),
    Provocation("time-out", first(selected("departments", page_size=100),
        fault(FaultKind.HTTP_524, function="query")), "HTTP 524"),
    Provocation("answer-cut-off", first(DEPARTMENTS,
        fault(FaultKind.DROP_AFTER_HEADERS, function="query")), "was cut off"),
    Provocation("answer-cut-off", first(DEPARTMENTS,
        fault(FaultKind.TRUNCATED, function="query")), "no whole XML"),
    Provocation("answer-doctype", first(DEPARTMENTS,
        fault(FaultKind.EXTERNAL_ENTITY, function="query"))),
    Provocation("answer-of-another", first(DEPARTMENTS, fault(
        FaultKind.OTHERS_ANSWER, function="query", object_name="DEPARTMENT"))),
    Provocation("page-of-another", first(
        selected("vendors", page_size=2, max_connections=4, response_format="json"),
        fault(FaultKind.REWRITTEN, function="query", object_name="VENDOR",
              rewrite=later_rows)), code=0),
    Provocation("answer-web-page",
        answered(page("<html><body>Log in</body></html>", HTML_TYPE))),
    Provocation("answer-too-large", bomb),
    Provocation("call-refused", answered(page("<response/>")), "without saying why"),
    Provocation("throttled", fault(FaultKind.RATE_LIMIT), "HTTP 429"),
    Provocation("servers-failed", fault(FaultKind.HTTP_503), "HTTP"),
    Provocation("error-page", fault(FaultKind.CLOUDFLARE)),
    Provocation("session-expired", first(DEPARTMENTS,
        answered(page("", "text/plain", 498), function="query")), "HTTP 498"),
    Provocation("answer-odd", answered(page("<other/>")), "document, not"),
    Provocation("answer-odd", answered(page(
        "<response><control><status>success</status></control></response>")),
        "no operation"),
    Provocation("answer-odd", answered(page(RESPONSE.format(""))), "results for"),
    Provocation("answer-odd", first(DEPARTMENTS, answered(
        result('<data count="5"><x/></data>'), function="query")), "and counts"),
    Provocation("answer-odd", answered(result("<data/>")), "no session id"),
    Provocation("answer-odd", first(DEPARTMENTS, answered(
        result(""), function="query")), "holds no data"),
    Provocation("answer-odd", first(DEPARTMENTS, answered(
        result("<data/>"), function="readUserFormatting")), "holds no formatting"),
    Provocation("endpoint-not-trusted", first(DEPARTMENTS,
        switched(endpoint="https://intacct.example.com/x")), code=0),
]  # fmt: skip


IN_DENVER = switched(formatting=UserFormatting(time_zone="America/Denver"))


def table_case(level: Level, errorno: str, text: str) -> Prepare:
    """Let Intacct refuse a call like this."""
    answer = _REFUSALS[level](ErrorEntry(errorno, text))
    if level is not Level.RESULT:
        return answered(answer)
    return first(DEPARTMENTS, answered(answer, function="query"))


def in_parquet(scene: Scene) -> None:
    encoding = {"format": "parquet"}
    batches = {"encoding": encoding, "storage": {"root": scene.folder.as_uri()}}
    selected("vendors", batch_config=batches)(scene)


def without_pyarrow(scene: Scene) -> None:
    scene.monkeypatch.delitem(
        sys.modules, "tap_sage_intacct.records.parquet", raising=False
    )
    scene.monkeypatch.setitem(sys.modules, "pyarrow", None)


def vendor_with_a_huge_limit(scene: Scene) -> None:
    scene.company.update("VENDOR", 1, {"CREDITLIMIT": "9" * 30})


READING: list[Provocation[Scene]] = [
    Provocation("object-denied", first(
        DEPARTMENTS, switched(denied_objects=frozenset({"DEPARTMENT"}))), code=0),
    Provocation("object-not-offered", first(
        discovery, switched(denied_objects=frozenset({"DEPARTMENT"}))), code=0),
    Provocation("object-offered-though-denied", first(
        discovery, settings(on_denied="fail"),
        switched(denied_objects=frozenset({"DEPARTMENT"}))), code=0),
    Provocation("report-empty", first(
        discovery, switched(reports=(EMPTY_REPORT,)), report(name="Empty")), code=0),
    Provocation("fields-left-out", first(selected("bills"),
        switched(unqueryable={"APBILL": frozenset({"DESCRIPTION"})})), code=0),
    Provocation("page-halved", first(selected("departments", page_size=200),
        fault(FaultKind.HTTP_524, function="query", times=1)), code=0),
    Provocation("retry", first(selected("departments", max_retries=1),
        fault(FaultKind.HTTP_503, function="query", times=1)), code=0),
    Provocation("preferences-unreadable", first(DEPARTMENTS,
        answered(FunctionRefusal(ErrorEntry("BL01", "Odd.")),
                 function="readUserFormatting")), code=0),
    Provocation("preferences-odd", first(
        DEPARTMENTS, switched(formatting=UserFormatting(date_format="mdY")))),
    Provocation("preferences-two-digit-years", first(
        selected("bills", filters={"bills": "WHENCREATED > '1951-01-31'"}),
        switched(formatting=UserFormatting(date_format="/mdy")))),
    Provocation("user-timezone-unknown", first(DEPARTMENTS, IN_DENVER), code=0),
    Provocation("user-timezone-wrong", first(
        DEPARTMENTS, settings(user_timezone="America/Chicago"), IN_DENVER)),
    Provocation("clocks-differ", first(
        DEPARTMENTS, switched(http_date_ahead=86400)), code=0),
    Provocation("no-clock", first(
        DEPARTMENTS, switched(http_date_ahead=None, session_timestamp="none")), code=0),
    Provocation("json-refused", first(
        selected("vendors", page_size=VENDORS_PER_PAGE, response_format="json"),
        switched(json="refused"))),
    Provocation("value-of-other-type", other_type, "Give the field"),
    Provocation("value-of-other-type", first(
        selected("bills"), retyped("bills", "RECORDNO", "boolean")), "A key cannot be null"),
    Provocation("value-loaded-as-null", first(
        settings(on_bad_value="null"), other_type), "Such values", code=0),
    Provocation("value-loaded-as-null", first(
        settings(on_bad_value="null"), other_type), "bad values were", code=0),
    Provocation("key-not-readable", unreadable_period, "reporting period"),
    Provocation("key-not-readable", first(
        selected("vendors"), answered(result(ODD_VENDOR), object_name="VENDOR")),
        "in order"),
    Provocation("map-drops-mark", selected("bills", include_deletes=True,
        stream_maps={"bills": {"_sdc_deleted_at": None}})),
    Provocation("map-loses-key", selected("bills", include_deletes=True,
        stream_maps={"bills": {"__key_properties__": ["VENDORID"]}})),
    Provocation("maps-and-batches", first(
        selected("departments", stream_maps={"departments": {"TITLE": None}}),
        settings(batch_config={"encoding": {"format": "jsonl", "compression": "none"},
                               "storage": {"root": "file:///nowhere"}}))),
    Provocation("key-repeated", fewer_dimensions, "Run discovery again"),
    Provocation("key-repeated", first(
        switched(reports=(TWO_STATES,)),
        selected("r", custom_reports=[{"name": "R", "primary_keys": ["STATUS"]}])),
        "same key, and a target would keep one of them. The primary_keys of the report"),
    Provocation("key-repeated", first(
        switched(reports=(NO_NAME,)),
        selected("r", custom_reports=[
            {"name": "R", "primary_keys": ["MEGAENTITYNAME"]}])), "no value"),
    Provocation("key-repeated", selected("v", extra_objects=[
        {"object": "VENDOR", "stream_name": "v", "primary_keys": ["STATUS"]}]),
        "in extra_objects"),
    Provocation("drift", by_offset(delete(1), on_drift="fail"), "stopping"),
    Provocation("drift", never_at_rest, "still moving"),
    Provocation("drift-count", visible_late, code=0),
    Provocation("drift-page", first(VENDOR_PAGES,
        fault(FaultKind.ROWS_REVERSED, object_name="VENDOR", times=1)), "does not fit", code=0),
    Provocation("closing-count", uncounted, code=0),
    Provocation("drift-warned", by_offset(delete(1, 2), on_drift="warn"), code=0),
    Provocation("drift-mended", by_offset(delete(1, 11)), code=0),
    Provocation("pages-moved", first(VENDOR_PAGES,
        fault(FaultKind.ROWS_REVERSED, object_name="VENDOR")), "out of the order"),
    Provocation("pages-moved", first(VENDOR_PAGES,
        fault(FaultKind.ROWS_LOST, object_name="VENDOR")), "an empty page came while"),
    Provocation("pages-moved", first(SCHEDULES,
        fault(FaultKind.RESULT_ID_LOST, function="readByQuery")), "how to ask"),
    Provocation("pages-moved", first(SCHEDULES,
        fault(FaultKind.ROWS_LOST, function="readMore")), "before the end"),
    Provocation("pages-moved", first(SCHEDULES,
        answered(FunctionRefusal(ErrorEntry("BL01", "Odd.")), function="readMore")),
        "is gone"),
    Provocation("pages-moved", first(SCHEDULES, answered(
        result('<data numremaining="3"><x><RECORDNO>1</RECORDNO></x></data>'),
        function="readMore")), "of the result set was lost"),
    Provocation("pages-moved", first(DEPARTMENTS, answered(
        result("<data><DEPARTMENT><TITLE>x</TITLE></DEPARTMENT></data>"),
        function="query")), "came without"),
    Provocation("pages-moved", first(selected("gl_details", page_size=2), answered(
        result(SAME_KEY), function="query")), "came again"),
    Provocation("no-nested-rows", first(
        selected("contract_expense_schedule_entries"),
        switched(schedule_entries="nested"),
        answered(result("<data><x/></data>"), function="read")), code=0),
    Provocation("lines-not-followed", first(
        selected("gl_journal_entry_lines"), synced,
        switched(denied_objects=frozenset({"GLBATCH"}))), code=0),
    Provocation("fields-not-looked-up", first(discovery, answered(
        FunctionRefusal(ErrorEntry("BL01", "Odd.")), function="lookup",
        object_name="VENDOR")), code=0),
    Provocation("report-again", first(
        selected("trial_balance_26", custom_reports=[{"name": REPORTS}], max_retries=1),
        switched(report_polls=0),
        fault(FaultKind.DROP_AFTER_HEADERS, function="readMore", times=1)), code=0),
    Provocation("answer-cut-off", torn_json, "JSON", code=0),
    Provocation("report-lost", report_pages_lost, "A page"),
    Provocation("report-lost", first(
        selected("trial_balance_26", custom_reports=[{"name": REPORTS}]),
        answered(FunctionRefusal(ErrorEntry("BL01", "Odd.")), function="readMore")),
        "be read on"),
    Provocation("drift-page", first(selected("gl_account_balances"),
        fault(FaultKind.ROWS_REVERSED, object_name="REPORTINGPERIOD", times=1)),
        "Reading it", code=0),
    Provocation("drift-page", first(SCHEDULES,
        fault(FaultKind.HTTP_524, function="readMore", times=1)), "Reading …", code=0),
    Provocation("report-failed", first(
        selected("trial_balance_26", custom_reports=[{"name": REPORTS}]),
        switched(report_status="FAILED"))),
    Provocation("report-too-slow", first(
        selected("trial_balance_26", custom_reports=[{"name": REPORTS}]),
        switched(report_polls=10_000))),
    Provocation("report-large", selected(
        "journal_lines", custom_reports=[{"name": "Journal lines"}]), code=0),
    Provocation("report-column-new", wider_report, code=0),
    Provocation("report-value", odd_report),
    Provocation("key-store-version", key_store(of_later_version)),
    Provocation("key-store-unusable", key_store(no_database)),
    Provocation("key-store-new", key_store(lambda _: None), code=0),
    Provocation("key-store-does-not-fit", first(key_store(of_another_run), state_of(
        {**SYNCED["bookmarks"]["vendors"], "keys": "here"})), code=0),
    Provocation("filter-inside-parent", first(
        selected("contract_expense_schedule_entries",
            filters={"contract_expense_schedule_entries": "RECORDNO > 1"}),
        switched(schedule_entries="nested"))),
    Provocation("audit-denied", first(
        selected("vendors", include_deletes=True), state_of(
            SYNCED["bookmarks"]["vendors"]),
        switched(denied_objects=frozenset({"AUDITHISTORY"}))), "Deletions", code=0),
    Provocation("deletions-by-other-id", deleted_since(
        stream="vendors", object_name="VENDOR"), code=0),
    Provocation("deletions-need-key-store", deleted_since(
        stream="gl_journal_entry_lines", object_name="GLENTRY"), code=0),
    Provocation("entity-moves-unseen", selected(
        "vendors", entities="all", include_deletes=True), code=0),
    Provocation("entity-not-read", first(
        settings(entities=["E100"]), key_store(lambda _: None), whole_state({})),
        code=0),
    Provocation("parquet-not-installed", first(in_parquet, without_pyarrow)),
    Provocation("parquet-value", first(in_parquet, vendor_with_a_huge_limit)),
    Provocation("maintenance-fail", maintenance("fail")),
    Provocation("maintenance-warn", maintenance("warn"), code=0),
    Provocation("maintenance-wait", maintenance("wait"), code=0),
    Provocation("maintenance-met", first(maintenance("ignore"),
        fault(FaultKind.OFFLINE, object_name="DEPARTMENT")), warns=True),
    Provocation("interrupted", interrupted, code=128 + signal.SIGTERM),
]  # fmt: skip

PROVOCATIONS = [*SETTINGS, *CHOICES, *FILTERS, *CONNECTION, *READING]
