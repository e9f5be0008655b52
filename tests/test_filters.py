"""Filters: what they say, and what is refused with which words."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_sage_intacct.filters import (
    FilterField,
    InvalidFilter,
    parse_filter,
    period_names,
    without_field,
)
from tap_sage_intacct.intacct.query import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Operator,
    condition_text,
)
from tap_sage_intacct.intacct.values import DEFAULT_USER_FORMAT, ValueType

FIELDS = {
    "RECORDNO": FilterField(ValueType.INTEGER),
    "TOTALDUE": FilterField(ValueType.DECIMAL),
    "ONHOLD": FilterField(ValueType.BOOLEAN),
    "WHENDUE": FilterField(ValueType.DATE),
    "WHENMODIFIED": FilterField(ValueType.TIMESTAMP),
    "VENDORID": FilterField(ValueType.TEXT),
    "KEY": FilterField(ValueType.TEXT),
    "PERIOD": FilterField(ValueType.TEXT),
    "createdBy": FilterField(ValueType.TEXT),
    "DISPLAYCONTACT.MAILADDRESS.CITY": FilterField(ValueType.TEXT),
    "STATE": FilterField(ValueType.TEXT, ("Posted", "Paid", "Draft")),
}
Op = Operator


def is_(field: str, operator: Operator, *values: Any) -> Comparison:
    return Comparison(field, operator, values)


def parse(given: Any) -> Condition:
    return parse_filter(given, FIELDS, stream="bills")


TEXTS: list[tuple[str, Condition]] = [
    ("RECORDNO < 1", is_("RECORDNO", Op.LESS, 1)),
    ("recordno <= -1", is_("RECORDNO", Op.LESS_OR_EQUAL, -1)),
    ("RECORDNO > 1", is_("RECORDNO", Op.GREATER, 1)),
    ("RECORDNO>=1", is_("RECORDNO", Op.GREATER_OR_EQUAL, 1)),
    ("1000.10 < TOTALDUE", is_("TOTALDUE", Op.GREATER, Decimal("1000.10"))),
    ("VENDORID = 'V1'", is_("VENDORID", Op.EQUAL, "V1")),
    ("VENDORID = 10", is_("VENDORID", Op.EQUAL, "10")),
    ("VENDORID <> 'V1'", is_("VENDORID", Op.NOT_EQUAL, "V1")),
    ("VENDORID != 'O''Brien'", is_("VENDORID", Op.NOT_EQUAL, "O'Brien")),
    (r"VENDORID = 'O\'Brien'", is_("VENDORID", Op.EQUAL, "O'Brien")),
    ("VENDORID like 'A%'", is_("VENDORID", Op.LIKE, "A%")),
    ("VENDORID NOT LIKE 'A_'", is_("VENDORID", Op.NOT_LIKE, "A_")),
    ("VENDORID In ('a', 'b')", is_("VENDORID", Op.IN, "a", "b")),
    ("VENDORID not in ('a')", is_("VENDORID", Op.NOT_IN, "a")),
    ("WHENDUE is null", is_("WHENDUE", Op.IS_NULL)),
    ("WHENDUE IS NOT NULL", is_("WHENDUE", Op.IS_NOT_NULL)),
    (
        "WHENDUE between '2026-01-01' and '01/31/2026'",
        is_("WHENDUE", Op.BETWEEN, date(2026, 1, 1), date(2026, 1, 31)),
    ),
    (
        "RECORDNO not between 1 and 5",
        AnyOf((is_("RECORDNO", Op.LESS, 1), is_("RECORDNO", Op.GREATER, 5))),
    ),
    ("ONHOLD = true", is_("ONHOLD", Op.EQUAL, True)),
    ("ONHOLD = 'F'", is_("ONHOLD", Op.EQUAL, False)),
    ("key = 'x'", is_("KEY", Op.EQUAL, "x")),
    ("CREATEDBY = 'x'", is_("createdBy", Op.EQUAL, "x")),
    (
        "displaycontact.mailaddress.city = 'Köln'",
        is_("DISPLAYCONTACT.MAILADDRESS.CITY", Op.EQUAL, "Köln"),
    ),
    ("TOTALDUE &gt;= 5", is_("TOTALDUE", Op.GREATER_OR_EQUAL, Decimal(5))),
    ("VENDORID = '&lt;b&gt;'", is_("VENDORID", Op.EQUAL, "&lt;b&gt;")),
    ("VENDORID = &#39;V1&#39;", is_("VENDORID", Op.EQUAL, "V1")),
    ("STATE = 'posted'", is_("STATE", Op.EQUAL, "Posted")),
    (
        "WHENMODIFIED > '2026-01-31T10:00:00Z'",
        is_("WHENMODIFIED", Op.GREATER, datetime(2026, 1, 31, 10, tzinfo=timezone.utc)),
    ),
    (
        "WHENMODIFIED > '2026-01-31'",
        is_("WHENMODIFIED", Op.GREATER, datetime(2026, 1, 31)),
    ),
    (
        "NOT (RECORDNO = 1 AND (ONHOLD = true OR NOT VENDORID IN ('a')))",
        AnyOf(
            (
                is_("RECORDNO", Op.NOT_EQUAL, 1),
                AllOf((is_("ONHOLD", Op.NOT_EQUAL, True), is_("VENDORID", Op.IN, "a"))),
            )
        ),
    ),
    (
        "STATE = 'Posted' AND (TOTALDUE > 1000 OR VENDORID in ('V1','V2')) AND WHENDUE "
        "IS NOT NULL",
        AllOf(
            (
                is_("STATE", Op.EQUAL, "Posted"),
                AnyOf(
                    (
                        is_("TOTALDUE", Op.GREATER, Decimal(1000)),
                        is_("VENDORID", Op.IN, "V1", "V2"),
                    )
                ),
                is_("WHENDUE", Op.IS_NOT_NULL),
            )
        ),
    ),
]


@pytest.mark.parametrize(("text", "condition"), TEXTS, ids=[text for text, _ in TEXTS])
def test_text_says(text: str, condition: Condition) -> None:
    assert parse(text) == condition


REFUSED: list[tuple[Any, str]] = [
    ("", "not one condition"),
    ("RECORDNO", "no comparison"),
    ("RECORDNO = 1; RECORDNO = 2", "no comparison"),
    ("SELECT 1", "not one condition"),
    ("RECORDNO = 1 ORDER BY RECORDNO", "not one condition"),
    ("EXISTS(SELECT 1)", "not one condition"),
    ("upper(VENDORID) = 'X'", "not a field"),
    ("RECORDNO + 1 = 2", "not a field"),
    ("RECORDNO = 1 + 1", "not a value"),
    ("VENDORID = STATE", "single quotes"),
    ("VENDORID = V1", "single quotes"),
    ("VENDORID = NULL", "IS NULL"),
    ("RECORDNO in ()", "IN without a list"),
    ("RECORDNO in (SELECT 1)", "not one condition"),
    ("RECORDNO = 1 -- or so", "comment"),
    ("RECORDNO = 'x'", "such as 42"),
    ("TOTALDUE = 'NaN'", "such as 1679.93"),
    ("ONHOLD = 'maybe'", "such as true"),
    ("WHENDUE = '31.01.2026'", "such as '2026-01-31'"),
    ("RECORDNO like '1%'", "not text"),
    ("STATE = 'Postd'", "did you mean Posted"),
    ("VENDRID = 'V1'", "did you mean VENDORID"),
    ("NOSUCHTHINGATALL = 'V1'", "which there is not."),
    ("VENDORID regexp 'x'", "not one condition"),
    ("(" * 2000 + "RECORDNO = 1" + ")" * 2000, "nested too deeply"),
    ([], "empty list"),
    ([{"field": "RECORDNO"}], "{field, operator, value}"),
    ([{"field": "RECORDNO", "operator": "is", "value": 1}], "did you mean"),
    ([{"field": "RECORDNO", "operator": "=", "value": None}], "IS NULL"),
    ([{"field": "RECORDNO", "operator": "=", "value": [1, 2]}], "use IN"),
    ([{"field": "RECORDNO", "operator": "between", "value": [1]}], "two values"),
]


@pytest.mark.parametrize(
    ("given_", "words"), REFUSED, ids=[str(g)[:30] for g, _ in REFUSED]
)
def test_refused(given_: Any, words: str) -> None:
    with pytest.raises(InvalidFilter, match="bills") as caught:
        parse(given_)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_basic_conditions_are_joined_by_and() -> None:
    condition = parse(
        [
            {"field": "vendorid", "operator": "Not In", "value": ["V1", "V2"]},
            {"field": "TOTALDUE", "operator": ">=", "value": 10.5},
            {"field": "WHENDUE", "operator": "is  null"},
        ]
    )
    assert condition == AllOf(
        (
            is_("VENDORID", Op.NOT_IN, "V1", "V2"),
            is_("TOTALDUE", Op.GREATER_OR_EQUAL, Decimal("10.5")),
            is_("WHENDUE", Op.IS_NULL),
        )
    )


def test_long_lists_are_read() -> None:
    condition = parse(f"RECORDNO IN ({', '.join(map(str, range(10_000)))})")
    assert isinstance(condition, Comparison)
    assert len(condition.values) == 10_000


def test_periods_are_found_and_taken_out() -> None:
    condition = parse("PERIOD IN ('June', 'July') AND TOTALDUE > 0")
    assert period_names(condition) == ("June", "July")
    rest = without_field(condition, "PERIOD")
    assert rest == is_("TOTALDUE", Op.GREATER, Decimal(0))
    assert period_names(rest) is None
    assert without_field(parse("PERIOD = 'June'"), "PERIOD") is None


@pytest.mark.parametrize(
    "text",
    [
        "PERIOD = 'June' OR TOTALDUE > 0",
        "PERIOD LIKE 'J%'",
        "PERIOD = 'June' AND PERIOD = 'July'",
    ],
)
def test_periods_that_cannot_be_read_one_by_one_are_refused(text: str) -> None:
    with pytest.raises(InvalidFilter, match="PERIOD"):
        period_names(parse(text))


LEAVES = st.one_of(
    st.builds(
        lambda operator, value: is_("RECORDNO", operator, value),
        st.sampled_from([Op.EQUAL, Op.LESS, Op.GREATER_OR_EQUAL]),
        st.integers(-(10**9), 10**9),
    ),
    st.builds(
        lambda values: Comparison("VENDORID", Op.IN, tuple(values)),
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_categories=["C"])), min_size=1
        ),
    ),
    st.sampled_from([is_("WHENDUE", Op.IS_NULL), is_("WHENDUE", Op.IS_NOT_NULL)]),
)
TREES = st.recursive(
    LEAVES,
    lambda parts: (
        st.builds(AllOf, st.lists(parts, min_size=2, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(parts, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=8,
)


def flat(condition: Condition) -> Condition:
    """A tree with nested ANDs and ORs joined, as the parser gives it."""
    if isinstance(condition, Comparison):
        return condition
    kind = type(condition)
    parts = [flat(part) for part in condition.conditions]
    joined = [p.conditions if isinstance(p, kind) else (p,) for p in parts]
    return kind(tuple(leaf for part in joined for leaf in part))


@given(TREES)
def test_what_is_written_for_read_by_query_reads_back(tree: Condition) -> None:
    assert parse(condition_text(tree, DEFAULT_USER_FORMAT)) == flat(tree)
