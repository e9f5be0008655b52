"""Request documents, compared as XML with golden files."""

from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from tap_sage_intacct.intacct.query import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Operator,
    Query,
    Value,
)
from tap_sage_intacct.intacct.rows.values import DEFAULT_USER_FORMAT, UserFormat
from tap_sage_intacct.intacct.secrets.credentials import Login, Secret, Sender
from tap_sage_intacct.intacct.xml import functions
from tap_sage_intacct.intacct.xml.envelope import Function, request_document
from tap_sage_intacct.intacct.xml.query import (
    condition_text,
    filter_element,
    query_function,
    read_by_query_function,
)

GOLDEN = Path(__file__).parent / "golden"
SENDER = Sender("acme_sender", Secret("s3nder&pw"))
SESSION = Secret("session-1")
NOON = datetime(2026, 1, 31, 13, 5, tzinfo=timezone.utc)


def canonical(document: bytes) -> bytes:
    root = etree.fromstring(document, etree.XMLParser(remove_blank_text=True))
    return etree.tostring(root, method="c14n")


def assert_golden(
    name: str, calls: list[Function], authentication: Secret | Login, control_id: str
) -> None:
    document = request_document(SENDER, authentication, calls, control_id=control_id)
    assert canonical(document) == canonical((GOLDEN / name).read_bytes())


def test_sign_in_document() -> None:
    login = Login("acme", "tap_user", Secret("us3r<pw"), "E100")
    assert_golden("sign_in.xml", [functions.get_api_session()], login, "run-1")


def test_query_document() -> None:
    condition = AllOf(
        (
            Comparison("WHENMODIFIED", Operator.GREATER_OR_EQUAL, (NOON,)),
            AnyOf(
                (
                    Comparison("STATE", Operator.EQUAL, ("Posted",)),
                    Comparison("VENDORID", Operator.IN, ("V1", "V<2>")),
                    Comparison(
                        "WHENDUE",
                        Operator.BETWEEN,
                        (date(2026, 1, 1), date(2026, 12, 31)),
                    ),
                )
            ),
            Comparison("WHENDUE", Operator.IS_NOT_NULL),
            Comparison("ONHOLD", Operator.NOT_EQUAL, (True,)),
            Comparison("TOTALDUE", Operator.LESS, (Decimal("1000.50"),)),
        )
    )
    query = Query(
        "APBILL",
        ("RECORDNO", "VENDOR.CREDITLIMIT"),
        condition,
        ("WHENMODIFIED", "RECORDNO"),
    )
    function = query_function(query, DEFAULT_USER_FORMAT, page_size=2000)
    assert_golden("query.xml", [function], SESSION, "run-7")


def test_query_document_that_asks_for_json() -> None:
    query = Query("VENDOR", ("RECORDNO", "NAME"), None, ("RECORDNO",), "Standard")
    function = query_function(
        query, DEFAULT_USER_FORMAT, page_size=500, offset=7, as_json=True
    )
    assert_golden("query_json.xml", [function], SESSION, "run-8")


def test_read_by_query_and_small_functions() -> None:
    condition = AllOf(
        (
            Comparison("WHENMODIFIED", Operator.GREATER_OR_EQUAL, (NOON,)),
            AnyOf(
                (
                    Comparison("CUSTOMERID", Operator.EQUAL, ("Jane's & Co",)),
                    Comparison("RECORDNO", Operator.IN, (1, 2)),
                )
            ),
        )
    )
    query = Query("REVRECSCHEDULE", ("RECORDNO", "STATUS"), condition)
    calls = [
        read_by_query_function(query, DEFAULT_USER_FORMAT, page_size=1000),
        functions.read_more("abc==", "REVRECSCHEDULE"),
        functions.lookup("APBILL"),
        functions.read_user_formatting("tap_user"),
        functions.read("CUSTOMER", (33, 34), ("*",)),
    ]
    assert_golden("read_by_query.xml", calls, SESSION, "run-2")


TEXTS: list[tuple[Condition, str]] = [
    (Comparison("A", Operator.NOT_EQUAL, ("x",)), "NOT (A = 'x')"),
    (Comparison("A", Operator.LIKE, ("%a_",)), "A like '%a_'"),
    (Comparison("A", Operator.NOT_LIKE, ("a%",)), "A not like 'a%'"),
    (Comparison("A", Operator.NOT_IN, ("x", "y")), "A not in ('x', 'y')"),
    (Comparison("A", Operator.BETWEEN, (1, 2)), "(A >= 1 AND A <= 2)"),
    (Comparison("A", Operator.IS_NULL), "A IS NULL"),
    (Comparison("A", Operator.IS_NOT_NULL), "A IS NOT NULL"),
    (Comparison("A", Operator.EQUAL, (True,)), "A = 'T'"),
    (Comparison("A", Operator.EQUAL, (Decimal("-1E+2"),)), "A = -100"),
    (Comparison("A", Operator.EQUAL, ("a\\b",)), "A = 'a\\\\b'"),
    (AllOf((Comparison("A", Operator.LESS, (1,)),)), "A < 1"),
]


@pytest.mark.parametrize(("condition", "text"), TEXTS, ids=[t for _, t in TEXTS])
def test_condition_text(condition: Condition, text: str) -> None:
    assert condition_text(condition, DEFAULT_USER_FORMAT) == text


def test_stored_codes_replace_labels_in_condition_text() -> None:
    def stored(field: str, value: Value) -> Value:
        return {"Posted": "A"}.get(str(value), value) if field == "STATE" else value

    condition = Comparison("STATE", Operator.IN, ("Posted", "Draft"))
    text = condition_text(condition, DEFAULT_USER_FORMAT, stored)
    assert text == "STATE in ('A', 'Draft')"


def test_long_value_lists_are_split_at_a_thousand() -> None:
    values = tuple(range(2500))
    element = filter_element(
        Comparison("RECORDNO", Operator.IN, values), DEFAULT_USER_FORMAT
    )
    assert element.tag == "or"
    assert [len(part.findall("value")) for part in element] == [1000, 1000, 500]
    negated = filter_element(
        Comparison("RECORDNO", Operator.NOT_IN, values), DEFAULT_USER_FORMAT
    )
    assert negated.tag == "and"


def test_values_follow_the_users_format() -> None:
    user_format = UserFormat.from_preferences(".dmY", "-08:00", "12")
    element = filter_element(
        Comparison("WHENMODIFIED", Operator.LESS, (NOON,)), user_format
    )
    assert element.findtext("value") == "31.01.2026 05:05:00 AM"


def test_timestamp_without_a_zone_is_the_users_own() -> None:
    user_format = UserFormat.from_preferences("/mdY", "-08:00", "24")
    condition = Comparison("WHENMODIFIED", Operator.LESS, (NOON.replace(tzinfo=None),))
    element = filter_element(condition, user_format)
    assert element.findtext("value") == "01/31/2026 13:05:00"
