"""query: each operator, order, aggregates, paths, formats and refusals."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intacct_sandbox import Company, Fault, FaultKind, Switches, UserFormatting
from tests.sandbox.gateway.client import Client, column, compare, query, rows

if TYPE_CHECKING:
    from tests.sandbox.gateway.conftest import Serve

PRIVATE = "<showprivate>true</showprivate>"
JSON = "<returnformat>json</returnformat>"
FIELDS = (
    "RECORDNO",
    "NAME",
    "STATUS",
    "TOTALDUE",
    "ONHOLD",
    "WHENMODIFIED",
    "PARENTID",
)
COMPARISONS = {
    "equalto": lambda a, b: a == b,
    "notequalto": lambda a, b: a != b,
    "lessthan": lambda a, b: a < b,
    "lessthanorequalto": lambda a, b: a <= b,
    "greaterthan": lambda a, b: a > b,
    "greaterthanorequalto": lambda a, b: a >= b,
}
ORDERED = ("RECORDNO", "NAME", "TOTALDUE", "WHENMODIFIED")

Truth = Mapping[str, Any]


def written(value: Any) -> str:
    """A value as a filter writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.strftime("%m/%d/%Y %H:%M:%S")
    if isinstance(value, date):
        return value.strftime("%m/%d/%Y")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


@dataclass(frozen=True)
class Filter:
    """A filter as XML, and what Python makes of it; None is SQL's unknown."""

    operator: str
    field: str = ""
    values: tuple[Any, ...] = ()
    parts: tuple[Filter, ...] = ()

    @property
    def xml(self) -> str:
        if self.parts:
            inner = "".join(part.xml for part in self.parts)
            return f"<{self.operator}>{inner}</{self.operator}>"
        return compare(self.operator, self.field, *map(written, self.values))

    def holds(self, row: Truth) -> bool | None:
        if self.parts:
            return self._joined([part.holds(row) for part in self.parts])
        value = row[self.field]
        if self.operator in {"isnull", "isnotnull"}:
            return (value is None) == (self.operator == "isnull")
        return None if value is None else self._compared(value)

    def _joined(self, held: list[bool | None]) -> bool | None:
        deciding = self.operator == "or"
        if deciding in held:
            return deciding
        return None if None in held else not deciding

    def _compared(self, value: Any) -> bool:
        if self.operator in COMPARISONS:
            return bool(COMPARISONS[self.operator](value, self.values[0]))
        if self.operator == "between":
            return bool(self.values[0] <= value <= self.values[1])
        if self.operator in {"in", "notin"}:
            return (value in self.values) == (self.operator == "in")
        pattern = re.escape(self.values[0]).replace("%", ".*").replace("_", ".")
        matched = re.fullmatch(pattern, str(value), flags=re.DOTALL) is not None
        return matched == (self.operator == "like")


@pytest.fixture(scope="module")
def vendors(reader: Client) -> list[Truth]:
    return list(reader.sandbox.company.truth("VENDOR"))


def some_filter(draw: st.DrawFn, vendors: list[Truth]) -> Filter:
    """A comparison with values that occur, or nearly."""
    name = draw(st.sampled_from(FIELDS))
    known = sorted({row[name] for row in vendors if row[name] is not None})
    kinds = ["equalto", "notequalto", "in", "notin", "isnull", "isnotnull"]
    if name in ORDERED:
        kinds += [*COMPARISONS, "between"]
    if name == "NAME":
        kinds += ["like", "notlike"]
    operator = draw(st.sampled_from(kinds))
    if operator.startswith("is") or not known:
        return Filter("isnull" if not known else operator, name)
    count = {"between": 2, "in": 3, "notin": 3}.get(operator, 1)
    values = [draw(st.sampled_from(known)) for _ in range(count)]
    if operator == "between":
        values.sort()
    if operator.endswith("like"):
        head = draw(st.sampled_from(["%", "_%", ""]))
        values = [f"{values[0][:2]}{head}{values[0][-1]}"]
    return Filter(operator, name, tuple(values))


@st.composite
def filters(draw: st.DrawFn, vendors: list[Truth], depth: int = 2) -> Filter:
    if depth == 0 or draw(st.booleans()):
        return some_filter(draw, vendors)
    parts = draw(st.lists(filters(vendors, depth - 1), min_size=2, max_size=3))
    return Filter(draw(st.sampled_from(["and", "or"])), parts=tuple(parts))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_filters_find_what_python_finds(
    reader: Client, vendors: list[Truth], data: st.DataObject
) -> None:
    chosen = data.draw(filters(vendors))
    asked = query("VENDOR", "RECORDNO", where=chosen.xml, options=PRIVATE)
    found = sorted(map(int, column(reader.data(asked))))
    assert found == [row["RECORDNO"] for row in vendors if chosen.holds(row)]


@pytest.mark.parametrize("name", ORDERED)
@pytest.mark.parametrize("direction", ["", "-"])
def test_order_is_that_of_the_values_and_ties_follow_the_next(
    reader: Client, vendors: list[Truth], name: str, direction: str
) -> None:
    asked = query(
        "VENDOR", "RECORDNO", order=f"{direction}{name} RECORDNO", options=PRIVATE
    )
    known = [row for row in vendors if row[name] is not None]
    known.sort(key=lambda row: row["RECORDNO"])
    known.sort(key=lambda row: row[name], reverse=bool(direction))
    unknown = [row for row in vendors if row[name] is None]
    wanted = unknown + known if direction else known + unknown
    found = list(map(int, column(reader.data(asked))))
    assert found == [row["RECORDNO"] for row in wanted]


def test_values_are_written_as_intacct_writes_them(reader: Client) -> None:
    company = reader.sandbox.company
    names = [f.id for f in company.definitions["APBILL"].fields if f.listed]
    asked = query("APBILL", *names, order="RECORDNO", options=PRIVATE)
    found = rows(reader.data(asked))
    for row, truth in zip(found, company.truth("APBILL"), strict=True):
        expected = {k: "" if v is None else written(v) for k, v in truth.items()}
        assert row == expected


def test_children_come_in_the_order_of_the_select(reader: Client) -> None:
    names = ["WHENMODIFIED", "RECORDNO", "NAME"]
    data = reader.data(query("VENDOR", *names, pagesize=1))
    assert [child.tag for child in data[0]] == names


def test_pages_count_what_is_before_and_after(reader: Client) -> None:
    total = reader.sandbox.company.count("GLENTRY")
    options = {"order": "RECORDNO", "options": PRIVATE, "pagesize": 50}
    seen: list[str] = []
    while len(seen) < total:
        data = reader.data(query("GLENTRY", "RECORDNO", offset=len(seen), **options))  # type: ignore[arg-type]
        assert int(data.get("totalcount", "")) == total
        assert int(data.get("offset", "")) == len(seen)
        seen += column(data)
        assert int(data.get("numremaining", "")) == total - len(seen)
    assert len(set(seen)) == total


def test_page_beyond_the_end_is_empty(reader: Client) -> None:
    data = reader.data(query("VENDOR", "RECORDNO", offset=1_000_000))
    assert (data.get("count"), data.get("numremaining"), len(data)) == ("0", "0", 0)


def test_hundred_rows_are_a_page_unless_told_otherwise(reader: Client) -> None:
    selected = "<select><field>RECORDNO</field></select>"
    asked = f"<query><object>GLENTRY</object>{selected}</query>"
    assert reader.data(asked).get("count") == "100"


def test_without_order_pages_come_as_they_like(reader: Client) -> None:
    asked = query("GLENTRY", "RECORDNO")
    first, second = column(reader.data(asked)), column(reader.data(asked))
    assert first != second
    assert sorted(first) == sorted(second)


def test_natural_order_can_be_switched_on(client: Client) -> None:
    client.sandbox.switches = Switches(unordered="natural")
    asked = query("VENDOR", "RECORDNO")
    assert column(client.data(asked)) == column(client.data(asked))


def test_nulls_may_come_first(client: Client) -> None:
    asked = query("VENDOR", "PARENTID", order="PARENTID", options=PRIVATE)
    assert column(client.data(asked), "PARENTID")[-1] == ""
    client.sandbox.switches = Switches(nulls_first=True)
    assert column(client.data(asked), "PARENTID")[0] == ""


def test_private_rows_show_only_on_request(client: Client) -> None:
    company = client.sandbox.company
    number = company.insert("DEPARTMENT", {"DEPARTMENTID": "P1"}, private=True)
    assert str(number) not in column(client.data(query("DEPARTMENT", "RECORDNO")))
    shown = client.data(query("DEPARTMENT", "RECORDNO", options=PRIVATE))
    assert str(number) in column(shown)


def test_late_row_appears_when_its_time_has_come(
    client: Client, company: Company, clock: Any
) -> None:
    later = clock.now() + timedelta(minutes=10)
    number = company.insert("DEPARTMENT", {"DEPARTMENTID": "L"}, visible_from=later)
    asked = query("DEPARTMENT", "RECORDNO")
    assert str(number) not in column(client.data(asked))
    clock.advance(600)
    assert str(number) in column(client.data(asked))


def test_case_may_be_ignored(reader: Client, vendors: list[Truth]) -> None:
    name = next(row["NAME"] for row in vendors if row["NAME"] != row["NAME"].upper())
    where = compare("equalto", "NAME", name.upper())
    strict = query("VENDOR", "NAME", where=where, options=PRIVATE)
    assert len(reader.data(strict)) == 0
    options = f"<caseinsensitive>true</caseinsensitive>{PRIVATE}"
    loose = query("VENDOR", "NAME", where=where, options=options)
    assert column(reader.data(loose), "NAME") == [name]


def test_aggregates_are_grouped_by_the_plain_fields(reader: Client) -> None:
    asked = (
        "<query><object>APBILL</object><select><field>STATE</field>"
        "<count>RECORDNO</count><sum>TOTALENTERED</sum><min>TOTALENTERED</min>"
        f"<max>WHENCREATED</max></select><options>{PRIVATE}</options></query>"
    )
    groups: dict[str, list[Truth]] = {}
    for row in reader.sandbox.company.truth("APBILL"):
        groups.setdefault(str(row["STATE"]), []).append(row)
    data = reader.data(asked)
    assert data.get("totalcount") == str(len(groups))
    for found in rows(data):
        group = groups[found["STATE"]]
        amounts = [row["TOTALENTERED"] for row in group]
        assert found["COUNT.RECORDNO"] == str(len(group))
        assert Decimal(found["SUM.TOTALENTERED"]) == sum(amounts)
        assert Decimal(found["MIN.TOTALENTERED"]) == min(amounts)
        latest = max(row["WHENCREATED"] for row in group)
        assert found["MAX.WHENCREATED"] == written(latest)


def test_sum_may_come_under_the_plain_name(client: Client) -> None:
    client.sandbox.switches = Switches(sum_prefixed=False)
    asked = (
        "<query><object>APBILL</object><select><count>RECORDNO</count>"
        "<sum>TOTALENTERED</sum><avg>TOTALENTERED</avg></select></query>"
    )
    tags = [child.tag for child in client.data(asked)[0]]
    assert tags == ["COUNT.RECORDNO", "TOTALENTERED", "TOTALENTERED"]


def test_related_fields_come_along_paths(reader: Client, vendors: list[Truth]) -> None:
    names = {row["VENDORID"]: row["NAME"] for row in vendors}
    where = compare("isnotnull", "VENDOR.NAME")
    asked = query("APBILL", "VENDORID", "VENDOR.NAME", where=where, order="VENDOR.NAME")
    found = rows(reader.data(asked))
    assert found
    assert all(names[row["VENDORID"]] == row["VENDOR.NAME"] for row in found)


def test_several_hops_but_one_of_a_hierarchy(reader: Client) -> None:
    reader.data(query("APBILL", "VENDOR.PARENT.NAME"))
    reader.data(query("APBILL", "VENDOR.TERM.NAME"))
    errorno, text = reader.error(query("VENDOR", "PARENT.PARENT.NAME"))
    assert errorno == "XL03000010"
    assert "PARENT.PARENT.NAME" in text


def test_json_is_bare_rows_of_text(reader: Client) -> None:
    asked = query(
        "VENDOR",
        "RECORDNO",
        "PARENTID",
        order="RECORDNO",
        options=JSON,
    )
    response = reader.send(reader.document(asked))
    assert response.headers["Content-Type"] == "application/json"
    plain = rows(reader.data(query("VENDOR", "RECORDNO", "PARENTID", order="RECORDNO")))
    answered = json.loads(response.content)
    assert answered == [
        {name: text or None for name, text in row.items()} for row in plain
    ]
    assert {row["PARENTID"] for row in answered} > {None}


@pytest.mark.parametrize(
    ("json_null", "members"), [("empty", {"PARENTID": ""}), ("absent", {})]
)
@pytest.mark.parametrize("function", ["query", "read", "readByQuery"])
def test_null_of_json_may_be_empty_or_absent(
    client: Client, function: str, json_null: Any, members: dict[str, str]
) -> None:
    company = client.sandbox.company
    company.update("VENDOR", 1, {"PARENTID": None})
    client.sandbox.switches = Switches(json_null=json_null)
    asked = {
        "query": query(
            "VENDOR",
            "RECORDNO",
            "PARENTID",
            where=compare("equalto", "RECORDNO", "1"),
            options=JSON,
        ),
        "read": "<read><object>VENDOR</object><keys>1</keys>"
        "<fields>RECORDNO,PARENTID</fields><returnFormat>json</returnFormat></read>",
        "readByQuery": "<readByQuery><object>VENDOR</object>"
        "<fields>RECORDNO,PARENTID</fields><query>RECORDNO = 1</query>"
        "<returnFormat>json</returnFormat></readByQuery>",
    }
    answered = client.send(client.document(asked[function])).json()
    assert answered == [{"RECORDNO": "1", **members}]


def test_empty_json_is_an_empty_list_and_errors_stay_xml(reader: Client) -> None:
    where = compare("equalto", "RECORDNO", "-1")
    asked = query("VENDOR", "RECORDNO", where=where, options=JSON)
    assert reader.send(reader.document(asked)).content == b"[]"
    wrong = reader.send(reader.document(query("VENDOR", "NOPE", options=JSON)))
    assert wrong.headers["Content-Type"].startswith("text/xml")


def test_csv_is_a_header_and_quoted_lines(reader: Client) -> None:
    options = "<returnformat>csv</returnformat>"
    asked = query("VENDOR", "RECORDNO", "NAME", order="RECORDNO", options=options)
    text = reader.send(reader.document(asked)).content.decode()
    plain = query("VENDOR", "RECORDNO", "NAME", order="RECORDNO")
    assert list(csv.DictReader(io.StringIO(text))) == rows(reader.data(plain))


def test_bare_formats_need_a_request_of_their_own(reader: Client) -> None:
    asked = query("VENDOR", "RECORDNO", options=JSON)
    answer = reader.post(asked, "<getDimensions/>")
    statuses = [r.findtext("status") for r in answer.iterfind("operation/result")]
    assert statuses == ["failure", "success"]


REFUSED: list[tuple[str, str, str]] = [
    (
        query("NOTHING", "RECORDNO"),
        "Query Failed",
        "Object definition NOTHING not found",
    ),
    (
        query("REVRECSCHEDULE", "RECORDNO"),
        "Query Failed",
        "Object definition REVRECSCHEDULE not found",
    ),
    (
        query("VENDOR", "NOPE", "NAME", "NADA"),
        "XL03000010",
        "Field requested is not valid: \n\tvendor: [NOPE, NADA]",
    ),
    (
        query("VENDOR", "NAME", where=compare("isnull", "NOPE")),
        "XL03000010",
        "Field requested is not valid: \n\tvendor: [NOPE]",
    ),
    (
        query("VENDOR", "*"),
        "XL03000010",
        "Field requested is not valid: \n\tvendor: [*]",
    ),
    (
        query("APBILL", "PAYTOCONTACTNAME", "RECORDNO"),
        "XL03000006",
        "The following fields cannot be queried: [ apbill: [PAYTOCONTACTNAME] ]",
    ),
    (
        query("VENDOR", "NAME", where=compare("equalto", "WHENMODIFIED", "2026-01-31")),
        "DL02000001",
        "There was an error processing the request.",
    ),
    (
        query("VENDOR", "NAME", where=compare("equalto", "RECORDNO", "x")),
        "DL02000001",
        "There was an error processing the request.",
    ),
    (
        query("VENDOR", "NAME", where=compare("equalto", "TOTALDUE", "1,5")),
        "DL02000001",
        "There was an error processing the request.",
    ),
    (
        query("GLACCOUNTBALANCE", "ENDBAL"),
        "DL02000001",
        "There was an error processing the request.",
    ),
]


@pytest.mark.parametrize(("asked", "errorno", "text"), REFUSED)
def test_what_the_real_one_refuses(
    reader: Client, asked: str, errorno: str, text: str
) -> None:
    assert reader.error(asked) == (errorno, text)


def test_unknown_field_may_be_worded_otherwise(client: Client) -> None:
    client.sandbox.switches = Switches(unknown_fields="dotted")
    _, text = client.error(query("VENDOR", "NOPE"))
    assert text == "Field requested is not valid: vendor.NOPE"


def test_fields_can_be_made_unqueryable(client: Client) -> None:
    client.sandbox.switches = Switches(unqueryable={"VENDOR": frozenset({"NAME"})})
    errorno, text = client.error(query("APBILL", "VENDOR.NAME"))
    assert errorno == "XL03000006"
    assert text.endswith("[ vendor: [NAME] ]")


def test_objects_without_query_can_be_given_it(client: Client) -> None:
    client.sandbox.switches = Switches(query_serves_all=True)
    assert client.data(query("REVRECSCHEDULE", "RECORDNO")) is not None


def test_json_can_be_refused(client: Client) -> None:
    client.sandbox.switches = Switches(json="refused")
    errorno, _ = client.error(query("VENDOR", "RECORDNO", options=JSON))
    assert errorno


def test_json_can_be_ignored(client: Client) -> None:
    client.sandbox.switches = Switches(json="ignored")
    asked = query("VENDOR", "RECORDNO", order="RECORDNO", options=JSON)
    plain = query("VENDOR", "RECORDNO", order="RECORDNO")
    answer = client.data(asked)
    assert rows(answer) == rows(client.data(plain))
    assert int(answer.get("totalcount", "0")) == len(answer)


def test_empty_json_can_be_an_empty_body(client: Client) -> None:
    client.sandbox.switches = Switches(json_empty="nothing")
    where = compare("equalto", "RECORDNO", "-1")
    asked = query("VENDOR", "RECORDNO", where=where, options=JSON)
    response = client.send(client.document(asked))
    assert response.content == b""
    assert response.headers["Content-Type"] == "application/json"
    some = client.send(client.document(query("VENDOR", "RECORDNO", options=JSON)))
    assert len(json.loads(some.content)) > 1


def test_rows_of_json_can_be_damaged(client: Client) -> None:
    document = client.document(query("VENDOR", "NAME", order="NAME", options=JSON))
    whole = client.send(document).json()
    damaged = {
        FaultKind.ROWS_REVERSED: whole[::-1],
        FaultKind.ROWS_LOST: [],
        FaultKind.RESULT_ID_LOST: whole,
    }
    for kind, expected in damaged.items():
        client.sandbox.faults.add(Fault(kind))
        assert client.send(document).json() == expected


def test_control_character_and_cut_in_json(client: Client) -> None:
    document = client.document(query("VENDOR", "NAME", order="NAME", options=JSON))
    whole = client.send(document).content
    client.sandbox.faults.add(Fault(FaultKind.CONTROL_CHARACTERS))
    marked = client.send(document).content
    assert marked != whole
    assert marked.replace(b"\x0b", b"") == whole
    client.sandbox.faults.add(Fault(FaultKind.TRUNCATED))
    assert client.send(document).content == whole[: len(whole) // 2]


def test_audit_trail_is_filtered_by_code_and_denied_in_its_own_words(
    client: Client, company: Company
) -> None:
    number = company.insert("DEPARTMENT", {"DEPARTMENTID": "X"})
    company.delete("DEPARTMENT", number)
    where = compare("equalto", "ACCESSMODE", "D")
    found = client.data(query("AUDITHISTORY", "OBJECTKEY", "ACCESSMODE", where=where))
    assert set(column(found, "ACCESSMODE")) == {"Delete"}
    word = compare("equalto", "ACCESSMODE", "Delete")
    assert len(client.data(query("AUDITHISTORY", "ID", where=word))) == 0
    client.sandbox.switches = Switches(denied_objects=frozenset({"AUDITHISTORY"}))
    errorno, text = client.error(query("AUDITHISTORY", "ID"))
    assert errorno == ""
    assert "do not have permission to view audit history" in text


def test_text_keys_of_digits_compare_as_numbers_or_as_text(
    client: Client, company: Company
) -> None:
    numbers = [row["RECORDNO"] for row in company.truth("GLDETAIL")]
    assert not any(str(number).isdigit() for number in numbers)
    where = compare("greaterthan", "RECORDNO", "99")
    asked = query("GLDETAIL", "RECORDNO", where=where, options=PRIVATE)
    found = column(client.data(asked))
    assert sorted(found) == sorted(str(n) for n in numbers if str(n) > "99")


@pytest.mark.parametrize("setting", ["queried", "legacy", "nested"])
def test_schedule_entries_are_served_in_three_ways(serve: Serve, setting: Any) -> None:
    client = serve(Switches(schedule_entries=setting))
    client.sign_in()
    name = "CONTRACTREVENUESCHEDULEENTRY"
    calls = {
        "lookup": f"<lookup><object>{name}</object></lookup>",
        "query": query(name, "RECORDNO"),
        "readByQuery": f"<readByQuery><object>{name}</object><query/></readByQuery>",
    }
    served = {
        function
        for function, call in calls.items()
        if client.post(call).findtext("operation/result/status") == "success"
    }
    expected = {"queried": set(calls), "legacy": {"readByQuery"}, "nested": set()}
    assert served == expected[setting]
    parent = "CONTRACTREVENUESCHEDULE"
    key = column(client.data(query(parent, "RECORDNO", order="RECORDNO")))[0]
    read = f"<read><object>{parent}</object><keys>{key}</keys></read>"
    entries = client.data(read).findall(f".//{name.lower()}")
    assert bool(entries) == (setting == "nested")
    assert all(entry.findtext("SCHEDULEKEY") == key for entry in entries)


@pytest.mark.parametrize(
    "formatting",
    [
        UserFormatting(gmt_offset="-08:00"),
        UserFormatting(date_format=".dmY", clock="12"),
    ],
)
def test_timestamps_follow_the_users_preferences_both_ways(
    client: Client, vendors: list[Truth], formatting: UserFormatting
) -> None:
    client.sandbox.switches = Switches(formatting=formatting)
    chosen = next(row for row in vendors if row["WHENMODIFIED"] is not None)
    moment = chosen["WHENMODIFIED"]
    assert moment.tzinfo is timezone.utc
    local = (moment + formatting.offset).strftime(formatting.timestamp_pattern)
    where = compare("equalto", "WHENMODIFIED", local)
    asked = query("VENDOR", "WHENMODIFIED", where=where, options=PRIVATE)
    assert set(column(client.data(asked), "WHENMODIFIED")) == {local}


def periods(company: Company) -> Iterator[str]:
    for row in company.truth("GLACCOUNTBALANCE"):
        yield str(row["PERIOD"])


def test_balances_are_served_by_period_as_the_switch_says(
    client: Client, company: Company
) -> None:
    period = next(periods(company))
    where = compare("equalto", "PERIOD", period)
    asked = query("GLACCOUNTBALANCE", "ENDBAL", where=where, options=PRIVATE)
    assert len(client.data(asked)) == list(periods(company)).count(period)
    client.sandbox.switches = Switches(balance_query="empty")
    assert len(client.data(asked)) == 0
    client.sandbox.switches = Switches(balance_query="refuse")
    assert client.error(asked)[0] == "Query Failed"
