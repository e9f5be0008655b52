"""The query string of `readByQuery`: text to a condition tree.

What the grammar does not have, ORDER BY included, ends in the database error that the
real gateway gives (DL02000001) [C].

    expression = term { OR term }
    term       = factor { AND factor }
    factor     = NOT factor | ( expression ) | comparison
    comparison = name op value | name [NOT] IN ( value, ... )
               | name [NOT] LIKE value | name IS [NOT] NULL
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, cast

from intacct_sandbox.objects.conditions import (
    Comparison,
    Condition,
    Junction,
    Negation,
    Operator,
)
from intacct_sandbox.wire.errors import database_error

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:\\.|[^'\\])*')
      | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
      | (?P<name>[A-Za-z_][\w.\#]*)
      | (?P<sign><=|>=|<|>|=|\(|\)|,)
    )""",
    re.VERBOSE | re.DOTALL,
)
_COMPARISONS = frozenset({"=", "<", "<=", ">", ">="})
_KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "LIKE", "IS", "NULL"})
# Deep enough for any filter a person or program writes.
_DEEPEST = 100

_Token = tuple[str, str]


def parse_legacy_query(text: str) -> Condition | None:
    r"""The condition of a query string; None if it is blank, which means all rows.

    Strings stand in single quotes, a quote inside one is written `\'` [D].

    Raises:
        FunctionRefusal: anything outside the grammar (DL02000001).
    """
    if not text.strip():
        return None
    parser = _Parser(_scan(text))
    condition = parser.expression()
    parser.expect_end()
    return condition


def _scan(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise database_error()
        tokens.append(_token(match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return tokens


def _token(kind: str, text: str) -> _Token:
    if kind == "text":
        return "value", re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    if kind == "number":
        return "value", text
    if kind == "name" and text.upper() in _KEYWORDS:
        return "word", text.upper()
    return kind, text


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0

    def expect_end(self) -> None:
        if self._position < len(self._tokens):
            raise database_error()

    def expression(self) -> Condition:
        return self._joined("OR", self._term)

    def _term(self) -> Condition:
        return self._joined("AND", self._factor)

    def _joined(
        self, word: Literal["AND", "OR"], part: Callable[[], Condition]
    ) -> Condition:
        parts = [part()]
        while self._accept("word", word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def _factor(self) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise database_error()
        condition = self._negated_or_grouped()
        self._depth -= 1
        return condition

    def _negated_or_grouped(self) -> Condition:
        if self._accept("word", "NOT"):
            return Negation(self._factor())
        if self._accept("sign", "("):
            condition = self.expression()
            self._expect("sign", ")")
            return condition
        return self._comparison()

    def _comparison(self) -> Condition:
        field = self._take("name")
        if self._accept("word", "IS"):
            negated = self._accept("word", "NOT")
            self._expect("word", "NULL")
            return Comparison("is not null" if negated else "is null", field)
        negated = self._accept("word", "NOT")
        if self._accept("word", "IN"):
            values = self._list()
            return Comparison("not in" if negated else "in", field, values)
        if self._accept("word", "LIKE"):
            value = self._take("value")
            return Comparison("not like" if negated else "like", field, (value,))
        operator = self._take("sign")
        if negated or operator not in _COMPARISONS:
            raise database_error()
        return Comparison(cast("Operator", operator), field, (self._take("value"),))

    def _list(self) -> tuple[str, ...]:
        self._expect("sign", "(")
        values = [self._take("value")]
        while self._accept("sign", ","):
            values.append(self._take("value"))
        self._expect("sign", ")")
        return tuple(values)

    def _peek(self) -> _Token:
        if self._position < len(self._tokens):
            return self._tokens[self._position]
        return "end", ""

    def _accept(self, kind: str, text: str) -> bool:
        if self._peek() != (kind, text):
            return False
        self._position += 1
        return True

    def _expect(self, kind: str, text: str) -> None:
        if not self._accept(kind, text):
            raise database_error()

    def _take(self, kind: str) -> str:
        found, text = self._peek()
        if found != kind:
            raise database_error()
        self._position += 1
        return text
