"""readByQuery, readMore, read and readByName."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from intacct_sandbox import Company, ManualClock, Switches
from tests.sandbox.gateway.client import Client, column, read_by_query, rows

if TYPE_CHECKING:
    from lxml import etree


def more(data: etree._Element) -> str:
    return f"<readMore><resultId>{data.get('resultId')}</resultId></readMore>"


def drain(client: Client, asked: str, *, change: bool = False) -> list[str]:
    """All record numbers; between pages a day of business may pass."""
    data = client.data(asked)
    found = column(data)
    day = 0
    while data.get("numremaining") != "0":
        day += 1
        if change:
            client.sandbox.company.change(seed=day, share=0.2)
        data = client.data(more(data))
        found += column(data)
    assert data.get("resultId") == ""
    return found


def public(company: Company, object_name: str) -> list[str]:
    statement = f'SELECT "RECORDNO" FROM "{object_name}" WHERE "_private" = 0'
    return sorted(str(row[0]) for row in company.connection().execute(statement))


def test_result_set_does_not_move_while_the_books_do(
    client: Client, company: Company
) -> None:
    before = public(company, "GLENTRY")
    found = drain(client, read_by_query("GLENTRY", pagesize=25), change=True)
    assert sorted(found) == before
    assert public(company, "GLENTRY") != before


def test_order_is_arbitrary_and_not_that_of_the_keys(reader: Client) -> None:
    asked = read_by_query("GLENTRY", pagesize=25)
    first, second = drain(reader, asked), drain(reader, asked)
    assert sorted(first) == sorted(second)
    assert first != second
    assert list(map(int, first)) != sorted(map(int, first))


def test_rows_and_list_type_are_in_lower_case(reader: Client) -> None:
    data = reader.data(read_by_query("VENDOR", pagesize=1))
    assert data.get("listtype") == "vendor"
    assert data[0].tag == "vendor"


def test_last_query_on_an_object_can_be_continued_by_name(client: Client) -> None:
    data = client.data(read_by_query("VENDOR", pagesize=1))
    again = client.data("<readMore><object>VENDOR</object></readMore>")
    remaining = [int(part.get("numremaining", "")) for part in (data, again)]
    assert remaining[1] == remaining[0] - 1


def test_unknown_result_set_is_refused(client: Client) -> None:
    errorno, _ = client.error("<readMore><resultId>x</resultId></readMore>")
    assert errorno == "Query Failed"


def test_result_set_is_read_on_with_login_credentials_alone(client: Client) -> None:
    """As Sage's own example of listing vendors does: two calls, two logins."""

    def ask(function: str) -> etree._Element:
        answer = client.post(function, authentication=client.login())
        found = answer.find("operation/result/data")
        assert found is not None
        return found

    data = ask(read_by_query("VENDOR", pagesize=15))
    numbers = column(data)
    while data.get("numremaining") != "0":
        data = ask(more(data))
        numbers += column(data)
    wanted = [str(row["RECORDNO"]) for row in client.sandbox.company.truth("VENDOR")]
    assert sorted(numbers) == sorted(wanted)
    # Its last page was served.
    gone = client.post(more(data), authentication=client.login())
    assert gone.findtext("operation/result/status") == "failure"


def test_result_set_outlives_its_session_but_not_its_user(
    client: Client, clock: ManualClock
) -> None:
    data = client.data(read_by_query("VENDOR", pagesize=1))
    client.sandbox.end_sessions()
    client.sign_in()
    data = client.data(more(data))
    clock.advance(5 * 3600)
    data = client.data(more(data))
    clock.advance(6 * 3600)
    client.sign_in()
    assert client.error(more(data))[0] == "Query Failed"


def test_result_set_may_be_of_one_session(client: Client) -> None:
    client.sandbox.switches = Switches(results_of="session")
    data = client.data(read_by_query("VENDOR", pagesize=1))
    assert client.data(more(data)).get("count") == "1"
    client.sign_in()
    assert client.error(more(data))[0] == "Query Failed"
    signed_in = {"authentication": client.login()}
    answer = client.post(read_by_query("VENDOR", pagesize=1), **signed_in)
    found = answer.find("operation/result/data")
    assert found is not None
    gone = client.post(more(found), **signed_in)
    assert gone.findtext("operation/result/status") == "failure"


def test_result_id_can_be_missing(client: Client) -> None:
    client.sandbox.switches = Switches(result_id_missing=True)
    data = client.data(read_by_query("VENDOR", pagesize=1))
    assert data.get("resultId") == ""
    assert data.get("numremaining") != "0"


def test_star_returns_more_than_lookup_lists(reader: Client) -> None:
    definition = reader.sandbox.company.definitions["APBILL"]
    data = reader.data(read_by_query("APBILL", fields="*", pagesize=1))
    names = {child.tag for child in data[0]}
    assert "PAYTOCONTACTNAME" in names
    assert names == {part.id for part in definition.fields if "#" not in part.id}


def test_conditions_use_stored_codes(reader: Client) -> None:
    company = reader.sandbox.company
    active = [row for row in company.truth("VENDOR") if row["STATUS"] == "active"]
    found = reader.data(read_by_query("VENDOR", "STATUS = 'T'", "RECORDNO,STATUS"))
    assert 0 < len(found) <= len(active)
    assert set(column(found, "STATUS")) == {"active"}
    assert len(reader.data(read_by_query("VENDOR", "STATUS = 'active'"))) == 0


@pytest.mark.parametrize(
    ("where", "fields"),
    [
        ("RECORDNO > 1 ORDER BY RECORDNO", "RECORDNO"),
        ("NOPE = 1", "RECORDNO"),
        ("WHENMODIFIED > '2026-01-31'", "RECORDNO"),
        ("", "RECORDNO,NOPE"),
        ("VENDOR.NAME = 'x'", "RECORDNO"),
    ],
)
def test_what_the_database_does_not_know_is_an_error(
    reader: Client, where: str, fields: str
) -> None:
    assert reader.error(read_by_query("APBILL", where, fields))[0] == "DL02000001"


def test_page_size_is_limited(client: Client) -> None:
    asked = read_by_query("VENDOR", pagesize=1001)
    assert client.error(asked)[0] == "Query Failed"
    client.sandbox.switches = Switches(max_page_rows=2000)
    assert client.data(asked) is not None


def test_json_has_no_envelope(reader: Client) -> None:
    asked = read_by_query("VENDOR", pagesize=3).replace(
        "</readByQuery>", "<returnFormat>json</returnFormat></readByQuery>"
    )
    response = reader.send(reader.document(asked))
    assert response.headers["Content-Type"] == "application/json"
    assert len(json.loads(response.content)) == 3


def test_balances_need_a_budgeted_period(client: Client, company: Company) -> None:
    periods = list(company.truth("REPORTINGPERIOD"))
    budgeted = [str(p["NAME"]) for p in periods if p["BUDGETING"] == "true"]
    others = [str(p["NAME"]) for p in periods if p["BUDGETING"] != "true"]
    found = [
        len(client.data(read_by_query("GLACCOUNTBALANCE", f"PERIOD = '{name}'")))
        for name in budgeted
    ]
    assert any(found)
    for name in [*others[:1], "no such period"]:
        asked = read_by_query("GLACCOUNTBALANCE", f"PERIOD = '{name}'")
        assert len(client.data(asked)) == 0
    without = read_by_query("GLACCOUNTBALANCE", "BOOKID = 'ACCRUAL'")
    assert client.error(without)[0] == "DL02000001"
    listed = read_by_query("GLACCOUNTBALANCE", f"PERIOD in ('{budgeted[0]}')")
    assert client.error(listed)[0] == "DL02000001"
    client.sandbox.switches = Switches(
        balance_without_period="empty", balance_period_lists=True
    )
    assert len(client.data(without)) == 0
    assert client.data(listed) is not None


@pytest.mark.parametrize(
    ("function", "operation"),
    [
        ("<readByQuery><object>VENDOR</object><query/></readByQuery>", "READ_BY_QUERY"),
        ("<read><object>VENDOR</object><keys>1</keys></read>", "READ"),
        (
            "<readByName><object>VENDOR</object><keys>1</keys></readByName>",
            "READ_BY_NAME",
        ),
    ],
)
def test_denial_names_the_operation(
    client: Client, function: str, operation: str
) -> None:
    client.sandbox.switches = Switches(unsubscribed_objects=frozenset({"VENDOR"}))
    errorno, text = client.error(function)
    assert errorno == "PL04000005"
    assert f"API operation {operation} on objects of type vendor" in text


def test_records_are_read_by_number_and_by_name(reader: Client) -> None:
    vendor = next(iter(reader.sandbox.company.truth("VENDOR")))
    by_key = f"<read><object>VENDOR</object><keys>{vendor['RECORDNO']},-1</keys></read>"
    data = reader.data(by_key)
    assert (data.get("listtype"), data.get("count")) == ("VENDOR", "1")
    by_name = (
        f"<readByName><object>VENDOR</object><keys>{vendor['VENDORID']}</keys>"
        "<fields>RECORDNO,NAME</fields></readByName>"
    )
    assert rows(reader.data(by_name)) == [
        {"RECORDNO": str(vendor["RECORDNO"]), "NAME": vendor["NAME"]}
    ]


def test_read_takes_a_hundred_keys_and_known_fields(reader: Client) -> None:
    keys = ",".join(map(str, range(101)))
    many = f"<read><object>VENDOR</object><keys>{keys}</keys></read>"
    assert reader.error(many)[0] == "Query Failed"
    asked = "<read><object>VENDOR</object><keys>1</keys><fields>NOPE</fields></read>"
    assert reader.error(asked)[0] == "Invalid fields list NOPE"


def test_custom_objects_are_read_by_their_own_key(reader: Client) -> None:
    name = "subscription_plan"
    plan = next(iter(reader.sandbox.company.truth(name)))
    asked = f"<read><object>{name}</object><keys>{plan['id']}</keys></read>"
    assert reader.data(asked)[0].tag == name
