"""Functions that Sage's schema declares beside those that taps use."""

from __future__ import annotations

import dataclasses
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from intacct_sandbox import Company, ManualClock, Sandbox, Switches
from intacct_sandbox.company.definitions import RelationshipDefinition, load_definitions
from tests.sandbox.gateway.client import Client, rows
from tests.sandbox.gateway.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMA = Path(__file__).parents[4] / "shared" / "data" / "request-v3.0.xsd"
PERIOD = "Month Ended March 2026"
SPAN = f"<reportingperiodname>{PERIOD}</reportingperiodname>"
MARCH = (
    "<startdate><year>2026</year><month>03</month><day>01</day></startdate>"
    "<enddate><year>2026</year><month>03</month><day>31</day></enddate>"
)


def declared() -> list[str]:
    root = etree.parse(SCHEMA).getroot()
    path = "{*}element[@name='function']/{*}complexType/{*}choice/{*}element"
    return [str(part.get("ref")) for part in root.iterfind(path)]


@pytest.mark.skipif(not SCHEMA.exists(), reason="Sage's schema is not beside us")
def test_every_function_of_sages_schema_is_known(reader: Client) -> None:
    """None is refused as malformed for its name: it may lack what belongs in it."""
    names = declared()
    assert len(names) > 250
    for name in names:
        answer = reader.post(f"<{name}/>")
        text = answer.findtext("errormessage/error/description2") or ""
        assert f"Element '{name}': This element is not expected" not in text


def test_unknown_function_is_malformed(reader: Client) -> None:
    answer = reader.post("<getEverything/>")
    assert answer.findtext("control/status") == "failure"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("<create><VENDOR><NAME>x</NAME></VENDOR></create>", "CREATE {} vendor"),
        ("<update><VENDOR><NAME>x</NAME></VENDOR></update>", "UPDATE {} vendor"),
        (
            "<delete><object>VENDOR</object><keys>1</keys></delete>",
            "DELETE {} vendor",
        ),
        ("<create_bill><vendorid>V</vendorid></create_bill>", "CREATE {} bill"),
        ("<get_companyprefs/>", "GET {} companyprefs"),
    ],
)
def test_what_writes_is_refused_as_a_function(
    reader: Client, call: str, words: str
) -> None:
    count = reader.sandbox.company.count("VENDOR")
    answer = reader.post(call, "<getDimensions/>")
    refused, served = answer.iterfind("operation/result")
    assert refused.findtext("status") == "failure"
    text = refused.findtext("errormessage/error/description2") or ""
    assert words.format("on objects of type") in text
    assert "do not have permission for API operation" in text
    assert served.findtext("status") == "success"
    assert reader.sandbox.company.count("VENDOR") == count


def amounts(data: etree._Element, name: str) -> dict[str, Decimal]:
    return {row["glaccountno"]: Decimal(row[name]) for row in rows(data)}


def balances(company: Company, field: str) -> dict[str, Decimal]:
    where = '"PERIOD" = ? AND "BOOKID" = \'ACCRUAL\' AND "_private" = 0'
    found: Counter[str] = Counter()
    for row in company.truth("GLACCOUNTBALANCE", where=where, parameters=(PERIOD,)):
        amount = row[field]
        assert isinstance(amount, Decimal)
        found[str(row["ACCOUNTNO"])] += int(amount * 100)
    return {account: Decimal(cents) / 100 for account, cents in found.items()}


@pytest.mark.parametrize("span", [SPAN, MARCH])
@pytest.mark.parametrize("name", ["get_trialbalance", "get_accountbalances"])
def test_balances_agree_with_the_object(reader: Client, name: str, span: str) -> None:
    company = reader.sandbox.company
    shown = "<showzerobalances>true</showzerobalances>"
    data = reader.data(f"<{name}>{span}{shown}</{name}>")
    assert len(data) == company.count("GLACCOUNT")
    for column, field in (
        ("startbalance", "OPENBAL"),
        ("debits", "TOTDEBIT"),
        ("credits", "TOTCREDIT"),
        ("endbalance", "ENDBAL"),
    ):
        found, wanted = amounts(data, column), balances(company, field)
        assert {k: v for k, v in found.items() if v} == {
            k: v for k, v in wanted.items() if v
        }
    assert sum(amounts(data, "endbalance").values()) == 0
    assert len(set(balances(company, "ENDBAL").values())) > 5


def test_trial_balance_has_both_sides_and_details(reader: Client) -> None:
    flags = (
        "<showzerobalances>true</showzerobalances><showdeptdetail>true</showdeptdetail>"
        "<showlocdetail>true</showlocdetail>"
        "<debitcreditbalance>true</debitcreditbalance>"
    )
    found = rows(reader.data(f"<get_trialbalance>{SPAN}{flags}</get_trialbalance>"))
    assert list(found[0]) == [
        *("glaccountno", "startbalance", "startbalancedebit", "startbalancecredit"),
        *("debits", "credits", "adjdebits", "adjcredits"),
        *("endbalance", "endbalancedebit", "endbalancecredit"),
        *("departmentid", "locationid", "reportingbook", "currency"),
    ]
    for row in found:
        money = {name: Decimal(text) for name, text in row.items() if "balance" in name}
        assert money["startbalance"] == (
            money["startbalancedebit"] - money["startbalancecredit"]
        )
        assert money["endbalance"] == (
            money["endbalancedebit"] - money["endbalancecredit"]
        )
    assert len({row["departmentid"] for row in found}) > 3


def test_zero_rows_are_left_out_and_dimensions_grouped(reader: Client) -> None:
    plain = rows(reader.data(f"<get_trialbalance>{SPAN}</get_trialbalance>"))
    assert all(
        any(Decimal(row[n]) for n in ("debits", "credits", "endbalance"))
        for row in plain
    )
    name = "get_accountbalancesbydimensions"
    by_location = rows(
        reader.data(f"<{name}>{SPAN}<groupby>location</groupby></{name}>")
    )
    totals: Counter[str] = Counter()
    for row in by_location:
        totals[row["glaccountno"]] += int(Decimal(row["endbalance"]) * 100)
    wanted = {
        row["glaccountno"]: int(Decimal(row["endbalance"]) * 100) for row in plain
    }
    assert +totals == +Counter(wanted)
    assert -totals == -Counter(wanted)
    _, text = reader.error(f"<{name}>{SPAN}<taskid>1</taskid></{name}>")
    assert text == "taskid is not supported."


def test_balances_need_a_span_and_permission(client: Client) -> None:
    answer = client.post("<get_trialbalance/>")
    assert answer.findtext("control/status") == "failure"
    _, text = client.error(
        "<get_trialbalance><reportingperiodname>Never</reportingperiodname>"
        "</get_trialbalance>"
    )
    assert "'Never' is not valid" in text
    client.sandbox.switches = Switches(denied_objects=frozenset({"GLACCOUNTBALANCE"}))
    errorno, _ = client.error(f"<get_trialbalance>{SPAN}</get_trialbalance>")
    assert errorno == "PL04000005"


def get_list(client: Client, call: str) -> tuple[etree._Element, list[dict[str, str]]]:
    result = client.post(call).find("operation/result")
    assert result is not None
    assert result.findtext("status") == "success", etree.tostring(result)
    # The type stands before the data, beside it.
    assert [child.tag for child in result][-2:] == ["listtype", "data"]
    listtype, data = result[-2], result[-1]
    return listtype, rows(data)


def ids(found: Iterable[dict[str, str]], name: str = "key") -> list[str]:
    return [row[name] for row in found]


def test_get_list_filters_sorts_and_pages(reader: Client) -> None:
    wanted = sorted(
        (
            str(row["CLASSID"])
            for row in reader.sandbox.company.truth("CLASS")
            if row["STATUS"] == "active"
        ),
        reverse=True,
    )
    call = (
        '<get_list object="class" start="{}" maxitems="5"><filter>'
        '<logical logical_operator="and">'
        "<expression><field>status</field><operator>=</operator><value>active</value>"
        "</expression><expression><field>key</field><operator>like</operator>"
        "<value>CL%</value></expression></logical></filter>"
        '<sorts><sortfield order="desc">key</sortfield></sorts>'
        "<fields><field>key</field><field>name</field></fields></get_list>"
    )
    listtype, first = get_list(reader, call.format(0))
    assert {name: listtype.get(name) for name in ("start", "end", "total")} == {
        "start": "0",
        "end": "4",
        "total": str(len(wanted)),
    }
    assert listtype.text == "class"
    assert list(first[0]) == ["key", "name"]
    _, second = get_list(reader, call.format(5))
    assert ids(first + second) == wanted
    assert len(wanted) > 5


def test_get_reads_one_row(reader: Client) -> None:
    found = reader.data('<get object="department" key="D0003"/>')
    assert found[0].tag == "department"
    assert found[0].findtext("departmentid") == "D0003"
    _, text = reader.error('<get object="department" key="nothing"/>')
    assert "nothing" in text


def test_object_that_no_list_has_is_malformed(reader: Client) -> None:
    """The objects are enumerated: another name fails the whole request [D]."""
    answer = reader.post('<get_list object="trialbalance"/>')
    assert answer.findtext("control/status") == "failure"
    text = answer.findtext("errormessage/error/description2") or ""
    assert "trialbalance" in text
    errorno, _ = reader.error('<get_list object="smarteventlog"/>')
    assert errorno == "PL04000005"


def test_related_records_of_custom_objects(tmp_path: Path) -> None:
    relation = RelationshipDefinition(
        "Rregion", "region", "", "MANY2ONE", "updatedBy", "id"
    )
    definitions = dict(load_definitions())
    plan = definitions["subscription_plan"]
    definitions["subscription_plan"] = dataclasses.replace(
        plan, relationships=(relation,)
    )
    company = Company.create(
        tmp_path / "company.sqlite",
        journal_lines=40,
        clock=ManualClock(NOW),
        definitions=definitions,
    )
    company.update("subscription_plan", 1, {"updatedBy": 3})
    with Sandbox(company) as sandbox:
        client = Client(sandbox)
        client.sign_in()
        asked = (
            "<readRelated><object>{}</object><relation>{}</relation>"
            "<keys>1</keys><fields>id,name</fields></readRelated>"
        )
        found = client.data(asked.format("subscription_plan", "Rregion"))
        assert rows(found) == [{"id": "3", "name": "Plan 3"}]
        client.error(asked.format("subscription_plan", "Rnothing"))
        client.error(asked.format("VENDOR", "MELOCATION"))
        client.close()
    company.close()


def test_entities_views_and_trails(client: Client) -> None:
    company = client.sandbox.company
    entities = client.data("<readEntityDetails/>")
    assert len(entities) == company.count("LOCATIONENTITY")
    client.error("<readView><view>VENDOR#135422@10051</view></readView>")
    company.update("APBILL", 1, {"DESCRIPTION": "Changed"})
    for name in ("getAuditTrail", "getObjectTrail"):
        trail = client.data(
            f"<{name}><object>APBILL</object><recordNo>1</recordNo></{name}>"
        )
        assert rows(trail)[-1]["accesstime"] == "2026-07-01T12:00:00+00:00"
        assert rows(trail)[-1]["accessmode"] == "Modify"
