"""The query string of readByQuery as a tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intacct_sandbox.objects.conditions import Comparison, Condition, Junction, Negation
from intacct_sandbox.objects.legacy_query import parse_legacy_query
from intacct_sandbox.wire.errors import FunctionRefusal

A, B, C = (Comparison("=", name, ("1",)) for name in "ABC")

TREES: list[tuple[str, Condition | None]] = [
    ("", None),
    ("  ", None),
    ("A = 1", A),
    ("a='1'", Comparison("=", "a", ("1",))),
    ("A = 1 AND B = 1 or C = 1", Junction("OR", (Junction("AND", (A, B)), C))),
    ("A = 1 AND (B = 1 OR C = 1)", Junction("AND", (A, Junction("OR", (B, C))))),
    ("NOT A = 1 AND B = 1", Junction("AND", (Negation(A), B))),
    ("NOT (A = 1 AND B = 1)", Negation(Junction("AND", (A, B)))),
    (r"NAME = 'Jane\'s Deli'", Comparison("=", "NAME", ("Jane's Deli",))),
    ("A >= -1.5", Comparison(">=", "A", ("-1.5",))),
    ("A in (1, 'x' ,3)", Comparison("in", "A", ("1", "x", "3"))),
    ("A not in ('x')", Comparison("not in", "A", ("x",))),
    ("A like 'x%'", Comparison("like", "A", ("x%",))),
    ("A NOT LIKE 'x%'", Comparison("not like", "A", ("x%",))),
    ("A IS NULL", Comparison("is null", "A")),
    ("A is not null", Comparison("is not null", "A")),
    ("PAYTO.CITY = 'AND'", Comparison("=", "PAYTO.CITY", ("AND",))),
]


@pytest.mark.parametrize(("text", "tree"), TREES)
def test_documented_grammar_is_understood(text: str, tree: Condition | None) -> None:
    assert parse_legacy_query(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "A = 1 ORDER BY A",
        "A",
        "A =",
        "A = 1 AND",
        "A <> 1",
        "A != 1",
        "A = 'x",
        "(A = 1",
        "A = 1)",
        "A in ()",
        "A in 1",
        "A NOT = 1",
        "A IS 1",
        "A = B",
        "1 = A",
        "A = 1; DROP TABLE X",
        "NOT " * 200 + "A = 1",
    ],
)
def test_anything_else_is_a_database_error(text: str) -> None:
    with pytest.raises(FunctionRefusal) as refusal:
        parse_legacy_query(text)
    assert refusal.value.errors[0].errorno == "DL02000001"


@given(st.text(max_size=40))
def test_any_quoted_text_comes_through(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    assert parse_legacy_query(f"A = '{quoted}'") == Comparison("=", "A", (text,))
