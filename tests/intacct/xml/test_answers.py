"""Answers to other requests: noticed by whatever they say of themselves, asked again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from lxml.builder import E

from intacct_sandbox import Fault, FaultKind, Sandbox
from intacct_sandbox.company.reports import REPORTS
from intacct_sandbox.wire.replies import Reply
from tap_sage_intacct.intacct.errors import Call, WrongAnswer
from tap_sage_intacct.intacct.query import Query
from tap_sage_intacct.intacct.rows.user_format import DEFAULT_USER_FORMAT
from tap_sage_intacct.intacct.xml import functions
from tap_sage_intacct.intacct.xml.calls import FunctionCalls
from tap_sage_intacct.intacct.xml.envelope import Function
from tap_sage_intacct.intacct.xml.query import query_function, read_by_query_function
from tests.intacct.conftest import MakeCalls
from tests.loading import Loader, shipped_catalog
from tests.provoking import on_page

VENDORS = Query("VENDOR", ("RECORDNO",), order=("RECORDNO",))
REPORT = REPORTS[0].name
Ask = Callable[[FunctionCalls], Function]


def query(_calls: FunctionCalls) -> Function:
    return query_function(VENDORS, DEFAULT_USER_FORMAT, page_size=10, offset=10)


def read_by_query(_calls: FunctionCalls) -> Function:
    return read_by_query_function(VENDORS, DEFAULT_USER_FORMAT, page_size=2)


def read_more(calls: FunctionCalls) -> Function:
    result_id = calls.ask_for_rows(read_by_query(calls), 2).result().result_id
    return functions.read_more(str(result_id), "VENDOR")


def read(_calls: FunctionCalls) -> Function:
    return functions.read("VENDOR", [1], ["RECORDNO"])


def lookup(_calls: FunctionCalls) -> Function:
    return functions.lookup("VENDOR")


def lookup_of_type(_calls: FunctionCalls) -> Function:
    return functions.lookup("SODOCUMENT", "Sales Invoice")


def report_definition(_calls: FunctionCalls) -> Function:
    element = E.readReport(E.report(REPORT), type="interactive", returnDef="true")
    return Function(element, Call("readReport", REPORT))


def report_page(calls: FunctionCalls) -> Function:
    run = E.readReport(E.report(REPORT), E.pagesize("1"), type="interactive")
    report_id = calls.ask(
        Function(run, Call("readReport", REPORT)),
        lambda data: str(data.findtext(".//REPORTID")),
    ).result()
    return Function(E.readMore(E.reportId(report_id)), Call("readMore", REPORT))


# What differs, of which call, and what the answer says instead.
MIXED_UP: list[tuple[str, Ask, str, str]] = [
    ("controlid", query, r"[^<>]+(?=</controlid><uniqueid>)", "x-9"),
    ("controlid", query, r"(?<=<controlid>)[^<]*-\d+-1(?=</controlid>)", "x-9-1"),
    ("controlid", lookup, r"(?<=<controlid>)[^<]*-\d+-1(?=</controlid>)", "x-9-1"),
    ("function", query, "<function>query<", "<function>lookup<"),
    ("function", read, "<function>read<", "<function>readByName<"),
    ("listtype", query, 'listtype="VENDOR"', 'listtype="DEPARTMENT"'),
    ("listtype", read_by_query, 'listtype="vendor"', 'listtype="department"'),
    ("listtype", read_more, 'listtype="vendor"', 'listtype="department"'),
    ("listtype", read, 'listtype="VENDOR"', 'listtype="DEPARTMENT"'),
    ("offset", query, 'offset="10"', 'offset="20"'),
    ("numremaining", query, 'numremaining="20"', 'numremaining="10"'),
    ("resultId", read_more, 'resultId="[^"]*"', 'resultId="of-another"'),
    ("Name", lookup, 'Type Name="VENDOR"', 'Type Name="DEPARTMENT"'),
    ("DocumentType", lookup_of_type, 'DocumentType="[^"]*"', 'DocumentType="Order"'),
    ("REPORTNAME", report_definition, "<REPORTNAME>[^<]*", "<REPORTNAME>Other"),
    ("REPORTID", report_page, "(?=<report>)",
     "<report_results><REPORTID>x</REPORTID></report_results>"),
]  # fmt: skip
IDS = [f"{part}-{ask.__name__}-{n}" for n, (part, ask, _, _) in enumerate(MIXED_UP)]


def rewriting(pattern: str, told: str, times: int | None) -> Fault:
    def rewrite(reply: Reply) -> Reply:
        body, found = re.subn(pattern, told, reply.body.decode())
        assert found == 1
        return replace(reply, body=body.encode())

    return Fault(FaultKind.REWRITTEN, rewrite=rewrite, times=times)


@pytest.mark.parametrize(("part", "ask", "pattern", "told"), MIXED_UP, ids=IDS)
def test_answer_to_another_request_is_asked_for_once_more(
    sandbox: Sandbox,
    calls: MakeCalls,
    part: str,
    ask: Ask,
    pattern: str,
    told: str,
) -> None:
    connected = calls()
    connected.server_now()
    function = ask(connected)
    sandbox.faults.add(rewriting(pattern, told, times=1))
    sandbox.forget_calls()
    connected.ask(function, lambda data: data).result()
    assert len(sandbox.calls) == 2
    sandbox.faults.add(rewriting(pattern, told, times=None))
    with pytest.raises(WrongAnswer, match=f"got the answer to another .*{part} is '"):
        connected.ask(function, lambda data: data).result()
    assert len(sandbox.calls) == 4


LEFT_OUT = (
    r"<controlid>[^<]*</controlid>|<function>[^<]*</function>| (?:listtype|offset|"
    r"numremaining|totalcount|resultId|Name|DocumentType)=\"[^\"]*\"|"
    r"<(REPORTNAME)>[^<]*</\1>"
)


@pytest.mark.parametrize("ask", sorted({m[1] for m in MIXED_UP}, key=str))
def test_what_an_answer_leaves_out_is_not_missed(
    sandbox: Sandbox, calls: MakeCalls, ask: Ask
) -> None:
    def strip(reply: Reply) -> Reply:
        body = re.sub(LEFT_OUT, "", reply.body.decode())
        return replace(reply, body=body.encode())

    connected = calls()
    connected.server_now()
    function = ask(connected)
    sandbox.forget_calls()
    sandbox.faults.add(Fault(FaultKind.REWRITTEN, rewrite=strip))
    connected.ask(function, lambda data: data).result()
    assert len(sandbox.calls) == 1


MIXUPS = [FaultKind.OTHERS_ANSWER, FaultKind.STALE_ANSWER, FaultKind.SWAPPED]


@pytest.mark.parametrize("kind", MIXUPS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("response_format", ["xml", "json"])
def test_page_of_others_costs_no_row(
    sandbox: Sandbox,
    loader: Callable[..., Loader],
    kind: FaultKind,
    response_format: str,
) -> None:
    loading = loader(response_format=response_format, max_connections=4, page_size=10)
    times = 2 if kind is FaultKind.SWAPPED else 1
    catalog = shipped_catalog("departments", "bills", config=loading.settings)
    fault = Fault(kind, function="query", object_name="APBILL", times=times)
    mix_up = partial(sandbox.faults.add, fault)
    sandbox.faults.between_calls = on_page("APBILL", 5, mix_up)
    run = loading.run(catalog=catalog)
    assert sandbox.faults.struck[kind] == times
    for stream, name in (("departments", "DEPARTMENT"), ("bills", "APBILL")):
        numbers = sorted(row["RECORDNO"] for row in run.records(stream))
        truth = sandbox.company.truth(name)
        assert numbers == sorted(int(str(row["RECORDNO"])) for row in truth)
