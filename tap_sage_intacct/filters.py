"""The user's filters: SQL-like text or a list of conditions, to a `Condition` tree.

Knows the fields of one source and nothing of XML, Singer or the gateway. sqlglot
parses; here its tree is walked, and whatever is not a plain condition is refused.
Importing this module imports sqlglot, so it is imported only where a filter is set.
"""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tap_sage_intacct.intacct.query import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Operator,
    Value,
)
from tap_sage_intacct.intacct.values import ValueType


class InvalidFilter(ValueError):
    """A filter that cannot be used; the message says whose, why, and what to do."""


@dataclass(frozen=True, slots=True)
class FilterField:
    """What the schema knows of a field; `values` are an enum's labels, if closed."""

    value_type: ValueType
    values: tuple[str, ...] = ()


def parse_filter(
    given: str | Sequence[Mapping[str, Any]],
    fields: Mapping[str, FilterField],
    *,
    stream: str,
) -> Condition:
    """Read a filter, checking its fields, values and operators.

    Timestamps without a zone stay naive: they mean the API user's own clock. A date
    compared with a timestamp means its midnight.

    Raises:
        InvalidFilter: the filter is wrong in any way.
    """
    reader = _Reader(fields)
    try:
        if isinstance(given, str):
            return reader.condition(_parsed(given, reader))
        return reader.basic(given)
    except RecursionError:
        raise InvalidFilter(
            f"The filter of {stream} is nested too deeply: write it with fewer parentheses."
        ) from None
    except InvalidFilter as error:
        raise InvalidFilter(f"The filter of {stream} {error}") from None


def period_names(condition: Condition) -> tuple[str, ...] | None:
    """The reporting periods that the condition holds PERIOD to; None if it names none.

    Raises:
        InvalidFilter: PERIOD stands below an OR, or is not compared by = or IN.
    """
    named: list[tuple[str, ...]] = []
    for part in _joined(condition):
        if not isinstance(part, Comparison):
            if any(leaf.field == _PERIOD for leaf in _leaves(part)):
                raise InvalidFilter(
                    "The filter names PERIOD below an OR, but balances are read period by "
                    "period: join it with AND to the rest."
                )
        elif part.field == _PERIOD:
            if part.operator not in {Operator.EQUAL, Operator.IN}:
                raise InvalidFilter(
                    "The filter may compare PERIOD only by = or IN, since Intacct wants "
                    "the names of periods."
                )
            named.append(tuple(str(value) for value in part.values))
    if len(named) > 1:
        raise InvalidFilter("The filter names PERIOD twice: use one IN (...).")
    return named[0] if named else None


def without_field(condition: Condition, field: str) -> Condition | None:
    """The condition less its top-level comparisons of a field."""
    rest = tuple(
        part
        for part in _joined(condition)
        if not (isinstance(part, Comparison) and part.field == field)
    )
    return _all_of(rest) if rest else None


_PERIOD = "PERIOD"

_OPERATORS: Mapping[type[exp.Expr], Operator] = {
    exp.EQ: Operator.EQUAL,
    exp.NEQ: Operator.NOT_EQUAL,
    exp.LT: Operator.LESS,
    exp.LTE: Operator.LESS_OR_EQUAL,
    exp.GT: Operator.GREATER,
    exp.GTE: Operator.GREATER_OR_EQUAL,
    exp.Like: Operator.LIKE,
}
_TURNED_ROUND = {
    Operator.LESS: Operator.GREATER,
    Operator.GREATER: Operator.LESS,
    Operator.LESS_OR_EQUAL: Operator.GREATER_OR_EQUAL,
    Operator.GREATER_OR_EQUAL: Operator.LESS_OR_EQUAL,
    Operator.EQUAL: Operator.EQUAL,
    Operator.NOT_EQUAL: Operator.NOT_EQUAL,
}
_OPPOSITES = {
    Operator.EQUAL: Operator.NOT_EQUAL,
    Operator.LESS: Operator.GREATER_OR_EQUAL,
    Operator.GREATER: Operator.LESS_OR_EQUAL,
    Operator.IN: Operator.NOT_IN,
    Operator.LIKE: Operator.NOT_LIKE,
    Operator.IS_NULL: Operator.IS_NOT_NULL,
}
_OPPOSITES |= {other: one for one, other in _OPPOSITES.items()}

_WORDS: Mapping[str, Operator] = {
    **{operator.text.upper(): operator for operator in Operator},
    "<>": Operator.NOT_EQUAL,
}
_LISTED = frozenset({Operator.IN, Operator.NOT_IN, Operator.BETWEEN})
_ALONE = frozenset({Operator.IS_NULL, Operator.IS_NOT_NULL})
_PATTERNS = frozenset({Operator.LIKE, Operator.NOT_LIKE})

_STRING = r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\""
_PIECES = re.compile(rf"(?P<string>{_STRING})|(?P<other>[^'\"]+|['\"])", re.DOTALL)
_WORD = re.compile(r"(?<![\w.#])[A-Za-z_][\w.#]*(?!\w*\s*\()")
_KEYWORDS = frozenset(
    {"AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "BETWEEN", "TRUE", "FALSE"}
)


def _parsed(text: str, reader: _Reader) -> exp.Expr:
    r"""The text as one condition of sqlglot's.

    Field ids are quoted first, since many (STATUS, KEY, DATE ...) are words of SQL;
    the dialect is one whose strings allow both `''` and `\'`.
    """
    if "'" not in text and '"' not in text:
        # Pasted out of a web page whole, quotes and all.
        text = html.unescape(text)
    pieces = (
        match["string"] or _quoted_fields(html.unescape(match["other"]), reader)
        for match in _PIECES.finditer(text)
    )
    try:
        found: exp.Expr = sqlglot.parse_one(
            "".join(pieces), dialect="mysql", into=exp.Condition
        )
    except SqlglotError:
        raise InvalidFilter(
            "is not one condition, such as STATE = 'Posted' AND TOTALDUE > 1000."
        ) from None
    if any(node.comments for node in found.walk()):
        raise InvalidFilter("holds a comment: leave it out.")
    return found


def _quoted_fields(text: str, reader: _Reader) -> str:
    def quoted(match: re.Match[str]) -> str:
        word = match[0]
        return word if word.upper() in _KEYWORDS else f"`{reader.spelled(word)}`"

    return _WORD.sub(quoted, text)


class _Reader:
    """Turns sqlglot's nodes, or basic conditions, into ours."""

    def __init__(self, fields: Mapping[str, FilterField]) -> None:
        self._fields = fields
        self._spelling = {name.upper(): name for name in fields}

    def spelled(self, name: str) -> str:
        """A field's id as the schema spells it; unknown names as they are."""
        return self._spelling.get(name.upper(), name)

    def basic(self, given: Sequence[Mapping[str, Any]]) -> Condition:
        """A list of {field, operator, value}, joined by AND."""
        if not given:
            raise InvalidFilter("is an empty list: leave it out.")
        return _all_of(tuple(self._basic(part) for part in given))

    def _basic(self, part: Mapping[str, Any]) -> Condition:
        if not isinstance(part, Mapping) or not {"field", "operator"} <= set(part):
            raise InvalidFilter("must list conditions as {field, operator, value}.")
        word = " ".join(str(part["operator"]).upper().split())
        operator = _WORDS.get(word)
        if operator is None:
            raise InvalidFilter(
                f"has the operator '{part['operator']}'{_near(word, _WORDS)}"
            )
        value = part.get("value")
        values = list(value) if isinstance(value, list | tuple) else [value]
        if operator in _ALONE:
            values = []
        elif operator not in _LISTED and len(values) != 1:
            raise InvalidFilter(f"gives {word} a list: use IN.")
        elif None in values or not values:
            raise InvalidFilter(f"gives {word} no value: use IS NULL.")
        texts = [str(value) for value in values]
        return self._comparison(self.spelled(str(part["field"])), operator, texts)

    def condition(self, node: exp.Expr, *, negated: bool = False) -> Condition:
        """A node as a condition; NOT is pushed inwards, since `query` has none."""
        if isinstance(node, exp.Paren):
            return self.condition(node.this, negated=negated)
        if isinstance(node, exp.Not):
            return self.condition(node.this, negated=not negated)
        if isinstance(node, exp.And | exp.Or):
            parts = tuple(
                self.condition(part, negated=negated) for part in node.flatten()
            )
            is_all = isinstance(node, exp.And) != negated
            return _all_of(parts) if is_all else _any_of(parts)
        return self._leaf(node, negated=negated)

    def _leaf(self, node: exp.Expr, *, negated: bool) -> Condition:
        # sqlglot keeps some of its NOTs (that of NOT LIKE) inside the comparison.
        negated ^= bool(node.args.get("negate"))
        if isinstance(node, exp.Between):
            return self._between(node, negated=negated)
        field, operator, texts = self._compared(node)
        return self._comparison(
            field, _OPPOSITES[operator] if negated else operator, texts
        )

    def _compared(self, node: exp.Expr) -> tuple[str, Operator, list[str]]:
        if isinstance(node, exp.Is):
            if not isinstance(node.expression, exp.Null):
                raise InvalidFilter("uses IS for something else than NULL: use =.")
            return self._name(node.this), Operator.IS_NULL, []
        if isinstance(node, exp.In):
            if node.args.get("query") or not node.expressions:
                raise InvalidFilter("has an IN without a list of values.")
            texts = [_literal(value) for value in node.expressions]
            return self._name(node.this), Operator.IN, texts
        operator = _OPERATORS.get(type(node))
        if operator is None:
            raise InvalidFilter(
                f"holds {_shown(node)}, which is no comparison of a field with a value."
            )
        is_turned = isinstance(node.expression, exp.Column) and isinstance(
            node.this, exp.Literal | exp.Neg | exp.Boolean
        )
        if not is_turned or operator is Operator.LIKE:
            return self._name(node.this), operator, [_literal(node.expression)]
        value = _literal(node.this)
        return self._name(node.expression), _TURNED_ROUND[operator], [value]

    def _between(self, node: exp.Between, *, negated: bool) -> Condition:
        field = self._name(node.this)
        low, high = _literal(node.args["low"]), _literal(node.args["high"])
        if not negated:
            return self._comparison(field, Operator.BETWEEN, [low, high])
        below = self._comparison(field, Operator.LESS, [low])
        return AnyOf((below, self._comparison(field, Operator.GREATER, [high])))

    def _name(self, node: exp.Expr) -> str:
        if not isinstance(node, exp.Column):
            raise InvalidFilter(f"compares {_shown(node)}, which is not a field.")
        return str(node.name)

    def _comparison(
        self, name: str, operator: Operator, texts: Sequence[str]
    ) -> Comparison:
        field = self._fields.get(name)
        if field is None:
            raise InvalidFilter(f"names the field '{name}'{_near(name, self._fields)}")
        if operator in _PATTERNS and field.value_type is not ValueType.TEXT:
            raise InvalidFilter(f"uses LIKE for {name}, which is not text.")
        if operator is Operator.BETWEEN and len(texts) != len(("low", "high")):
            raise InvalidFilter(f"must give BETWEEN of {name} two values.")
        if operator in _PATTERNS:
            return Comparison(name, operator, tuple(texts))
        values = tuple(_value(name, field, text) for text in texts)
        return Comparison(name, operator, values)


def _literal(node: exp.Expr) -> str:
    """The text of a literal; numbers as they were written, signs included."""
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return f"-{node.this.this}"
    if isinstance(node, exp.Boolean):
        return "true" if node.this else "false"
    if isinstance(node, exp.Literal):
        return str(node.this)
    if isinstance(node, exp.Null):
        raise InvalidFilter("compares with NULL: use IS NULL or IS NOT NULL.")
    if isinstance(node, exp.Column):
        raise InvalidFilter(
            f"compares with {node.name}, which is a field: a text needs single quotes."
        )
    raise InvalidFilter(f"compares with {_shown(node)}, which is not a value.")


def _shown(node: exp.Expr) -> str:
    text = node.sql(dialect="mysql").replace("`", "")
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."


_LONGEST_QUOTE = 40

_BOOLEANS = {
    **dict.fromkeys(("TRUE", "T", "1"), True),
    **dict.fromkeys(("FALSE", "F", "0"), False),
}
_INTACCT_FORMATS = ("%m/%d/%Y", "%m/%d/%Y %H:%M:%S")
_EXAMPLES = {
    ValueType.INTEGER: "42",
    ValueType.DECIMAL: "1679.93",
    ValueType.BOOLEAN: "true",
    ValueType.DATE: "'2026-01-31'",
    ValueType.TIMESTAMP: "'2026-01-31T07:12:45'",
}


def _value(name: str, field: FilterField, text: str) -> Value:
    if field.value_type is ValueType.TEXT:
        return _label(name, field, text) if field.values else text
    try:
        return _typed(field.value_type, text)
    except (KeyError, InvalidOperation, ValueError):
        raise InvalidFilter(
            f"compares {name} with '{text}': write a value such as "
            f"{_EXAMPLES[field.value_type]}."
        ) from None


def _typed(value_type: ValueType, text: str) -> Value:
    if value_type is ValueType.INTEGER:
        return int(text)
    if value_type is ValueType.BOOLEAN:
        return _BOOLEANS[text.strip().upper()]
    if value_type is ValueType.DATE:
        return _instant(text).date()
    if value_type is ValueType.TIMESTAMP:
        return _instant(text)
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    return number


def _instant(text: str) -> datetime:
    """ISO 8601, or Intacct's own formats; a date alone is its midnight."""
    stripped = text.strip()
    for pattern in _INTACCT_FORMATS:
        try:
            return datetime.strptime(stripped, pattern)  # noqa: DTZ007 - the user's zone
        except ValueError:
            continue
    if len(stripped) == len("2026-01-31"):
        return datetime.combine(date.fromisoformat(stripped), datetime.min.time())
    return datetime.fromisoformat(re.sub("[Zz]$", "+00:00", stripped))


def _label(name: str, field: FilterField, text: str) -> str:
    labels = {label.upper(): label for label in field.values}
    if text.upper() not in labels:
        raise InvalidFilter(f"compares {name} with '{text}'{_near(text, field.values)}")
    return labels[text.upper()]


def _near(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """The nearest right names, to go on with after a wrong one."""
    spelling = {word.upper(): word for word in known}
    near = difflib.get_close_matches(name.upper(), spelling, n=3, cutoff=0.5)
    if not near:
        return ", which there is not."
    return (
        f", which there is not: did you mean {' or '.join(spelling[n] for n in near)}?"
    )


def _all_of(parts: tuple[Condition, ...]) -> Condition:
    flat = tuple(leaf for part in parts for leaf in _joined(part))
    return flat[0] if len(flat) == 1 else AllOf(flat)


def _any_of(parts: tuple[Condition, ...]) -> Condition:
    flat = tuple(
        leaf
        for part in parts
        for leaf in (part.conditions if isinstance(part, AnyOf) else (part,))
    )
    return flat[0] if len(flat) == 1 else AnyOf(flat)


def _joined(condition: Condition) -> tuple[Condition, ...]:
    """The conditions that AND joins at the top."""
    return condition.conditions if isinstance(condition, AllOf) else (condition,)


def _leaves(condition: Condition) -> Iterator[Comparison]:
    if isinstance(condition, Comparison):
        yield condition
        return
    for part in condition.conditions:
        yield from _leaves(part)
