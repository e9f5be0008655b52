"""The user's filters: SQL-like text or a list of conditions, to a `Condition` tree.

Uses the fields of one source, but neither XML, Singer nor the gateway. sqlglot parses
the text. This module walks its tree, and refuses all but plain conditions. It is
imported only where a filter is set, since importing sqlglot takes long.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from tap_sage_intacct.intacct.query import AllOf, AnyOf, Comparison, Condition, Operator
from tap_sage_intacct.intacct.rows.values import ValueType
from tap_sage_intacct.selection.filter_values import (
    FilterField,
    Given,
    InvalidFilter,
    label_of,
    nearest,
    typed_value,
)
from tap_sage_intacct.settings.suggestions import shortened


def parse_filter(
    given: str | Sequence[Mapping[str, Any]],
    fields: Mapping[str, FilterField],
    *,
    stream: str,
) -> Condition:
    r"""Read a filter, checking its fields, values and operators.

    In strings `\'`, `\\` and a doubled quote are escapes; any other backslash is a plain one.
    HTML escapes are decoded outside strings only: within plain quotes they may be data.
    If all quotes are escaped, the text was pasted as HTML, and all of it is decoded.

    Timestamps without a zone stay naive: they mean the API user's own clock. A date
    compared with a timestamp means its midnight, so that `<= '2026-01-31'` and BETWEEN
    leave out what happened on that day: write `< '2026-02-01'`.

    Raises:
        InvalidFilter: the filter is wrong in any way; the message is one line.
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
        line = " ".join(str(error).split())
        raise InvalidFilter(f"The filter of {stream} {line}") from None


def period_names(condition: Condition) -> tuple[str, ...] | None:
    """The reporting periods that a condition allows; None if it names none.

    Each comes once, however often it was written: a period read twice would be
    emitted twice.

    Raises:
        InvalidFilter: PERIOD stands below an OR, or is not compared by = or IN.
    """
    named: list[tuple[str, ...]] = []
    for part in _joined(AllOf, condition):
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
            named.append(tuple(dict.fromkeys(map(str, part.values))))
    if len(named) > 1:
        raise InvalidFilter("The filter names PERIOD twice: use one IN (...).")
    return named[0] if named else None


def without_field(condition: Condition, field: str) -> Condition | None:
    """The condition without its top-level comparisons of a field."""
    rest = tuple(
        part
        for part in _joined(AllOf, condition)
        if not (isinstance(part, Comparison) and part.field == field)
    )
    return _join(AllOf, rest) if rest else None


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
    **{operator.value.upper(): operator for operator in Operator},
    "<>": Operator.NOT_EQUAL,
    "NOT BETWEEN": Operator.BETWEEN,
}
_LISTED = frozenset({Operator.IN, Operator.NOT_IN, Operator.BETWEEN})
_ALONE = frozenset({Operator.IS_NULL, Operator.IS_NOT_NULL})
_PATTERNS = frozenset({Operator.LIKE, Operator.NOT_LIKE})
_LABELLED = frozenset(
    {Operator.EQUAL, Operator.NOT_EQUAL, Operator.IN, Operator.NOT_IN}
)

_STRING = r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\""
_PIECES = re.compile(rf"(?P<string>{_STRING})|(?P<other>[^'\"]+)|['\"]", re.DOTALL)
_ESCAPES = {
    "'": re.compile(r"\\([\\'])|'(')"),
    '"': re.compile(r"\\([\\\"])|\"(\")"),
}
# Comments, several statements, MySQL's own quotes: the parser would let some pass.
_FOREIGN = re.compile(r"--|/\*|[#;`]")
_WORD = re.compile(
    r"(?<![\w.#])(?P<word>[^\W\d][\w#]*(?:\s*\.\s*[\w#]+)*)(?P<call>\s*\()?"
)
_KEYWORDS = frozenset(
    {"AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "BETWEEN", "TRUE", "FALSE"}
)


def _parsed(text: str, reader: _Reader) -> exp.Expr:
    """The text as one condition of sqlglot's.

    Field ids are quoted first, since many (STATUS, KEY, DATE ...) are words of SQL, and
    strings are rewritten, since MySQL's escapes (a tab, a new line) are not ours.
    """
    if "'" not in text and '"' not in text:
        text = html.unescape(text)
    pieces = (_sql(match, reader) for match in _PIECES.finditer(text))
    try:
        found: exp.Expr = sqlglot.parse_one(
            "".join(pieces), dialect="mysql", into=exp.Condition
        )
    except SqlglotError:
        raise InvalidFilter(
            "is not one condition, such as STATE = 'Posted' AND TOTALDUE > 1000."
        ) from None
    return found


def _sql(piece: re.Match[str], reader: _Reader) -> str:
    """A string, or the text between two strings, written for sqlglot."""
    if piece["string"]:
        value = _string_value(piece["string"]).replace("\\", "\\\\")
        # Blanks keep two strings in a row from becoming one with a quote inside.
        return " '" + value.replace("'", "''") + "' "
    text = html.unescape(piece["other"] or piece[0])
    if "'" in text or '"' in text:
        raise InvalidFilter(
            "has a quote that is not closed, or escapes only some of its quotes: write "
            "a quote within a text twice ('')."
        )
    foreign = _FOREIGN.search(_WORD.sub(lambda m: m[0] if m["call"] else " ", text))
    if foreign:
        raise InvalidFilter(
            f"holds {foreign[0]}, which a condition cannot hold: leave it out."
        )
    return _WORD.sub(lambda match: _quoted_field(match, reader), text)


def _string_value(quoted: str) -> str:
    return _ESCAPES[quoted[0]].sub(lambda match: match[1] or match[2], quoted[1:-1])


def _quoted_field(word: re.Match[str], reader: _Reader) -> str:
    """A field in MySQL's quotes; keywords and functions unchanged."""
    if word["call"] or word["word"].upper() in _KEYWORDS:
        return word[0]
    return f"`{reader.spelled(''.join(word['word'].split()))}`"


class _Reader:
    """Turns sqlglot's nodes, or basic conditions, into ours."""

    def __init__(self, fields: Mapping[str, FilterField]) -> None:
        self._fields = fields
        # As written first: ids of a custom object may differ in case alone.
        self._spelling = {name.upper(): name for name in fields}
        self._spelling |= {name: name for name in fields}

    def spelled(self, name: str) -> str:
        """A field's id as the schema spells it; unknown names unchanged."""
        return self._spelling.get(name) or self._spelling.get(name.upper(), name)

    def basic(self, given: Sequence[Mapping[str, Any]]) -> Condition:
        """A list of {field, operator, value}, joined by AND."""
        if not isinstance(given, Sequence) or not given:
            raise InvalidFilter(
                "must be a text or a list of {field, operator, value}, and not empty."
            )
        return _join(AllOf, map(self._basic, given))

    def _basic(self, part: Mapping[str, Any]) -> Condition:
        known = {"field", "operator", "value"}
        if not isinstance(part, Mapping) or set(part) | {"value"} != known:
            raise InvalidFilter("must list conditions as {field, operator, value}.")
        word = " ".join(html.unescape(str(part["operator"])).upper().split())
        operator = _WORDS.get(word)
        if operator is None:
            raise InvalidFilter(
                f"has the operator '{shortened(word)}'{nearest(word, _WORDS)}"
            )
        values = _listed_values(word, operator, part.get("value"))
        name = self.spelled(str(part["field"]))
        comparison = self._comparison(name, operator, values)
        return _outside(comparison) if word == "NOT BETWEEN" else comparison

    def condition(self, node: exp.Expr, *, negated: bool = False) -> Condition:
        """A node as a condition; NOT is pushed inwards, since `query` has none."""
        if isinstance(node, exp.Paren):
            return self.condition(node.this, negated=negated)
        if isinstance(node, exp.Not):
            return self.condition(node.this, negated=not negated)
        if isinstance(node, exp.And | exp.Or):
            kind = AllOf if isinstance(node, exp.And) != negated else AnyOf
            parts = (self.condition(part, negated=negated) for part in node.flatten())
            return _join(kind, parts)
        return self._leaf(node, negated=negated)

    def _leaf(self, node: exp.Expr, *, negated: bool) -> Condition:
        # sqlglot keeps some of its NOTs (that of NOT LIKE) inside the comparison.
        negated ^= bool(node.args.get("negate"))
        field, operator, values = self._compared(node)
        if operator is Operator.BETWEEN:
            comparison = self._comparison(field, operator, values)
            return _outside(comparison) if negated else comparison
        return self._comparison(
            field, _OPPOSITES[operator] if negated else operator, values
        )

    def _compared(self, node: exp.Expr) -> tuple[str, Operator, list[Given]]:
        if isinstance(node, exp.Is):
            if not isinstance(node.expression, exp.Null):
                raise InvalidFilter("uses IS with something other than NULL: use =.")
            return self._name(node.this), Operator.IS_NULL, []
        if isinstance(node, exp.In):
            if node.args.get("query") or not node.expressions:
                raise InvalidFilter("has an IN without a list of values.")
            values = [_literal(value) for value in node.expressions]
            return self._name(node.this), Operator.IN, values
        if isinstance(node, exp.Between):
            values = [_literal(node.args["low"]), _literal(node.args["high"])]
            return self._name(node.this), Operator.BETWEEN, values
        operator = _OPERATORS.get(type(node))
        if operator is None:
            raise InvalidFilter(
                f"holds {_shown(node)}, which is not a comparison of a field with a value."
            )
        is_turned = isinstance(node.expression.unnest(), exp.Column) and isinstance(
            node.this.unnest(), exp.Literal | exp.Neg | exp.Boolean
        )
        if not is_turned or operator is Operator.LIKE:
            return self._name(node.this), operator, [_literal(node.expression)]
        value = _literal(node.this)
        return self._name(node.expression), _TURNED_ROUND[operator], [value]

    def _name(self, node: exp.Expr) -> str:
        column = node.unnest()
        if not isinstance(column, exp.Column) or len(column.parts) != 1:
            raise InvalidFilter(f"compares {_shown(node)}, which is not a field.")
        return str(column.name)

    def _comparison(
        self, name: str, operator: Operator, given: Sequence[Given]
    ) -> Comparison:
        known = self._fields.get(name)
        if known is None:
            raise InvalidFilter(
                f"names the field '{shortened(name)}'{nearest(name, self._fields)}"
            )
        if operator in _PATTERNS and known.value_type is not ValueType.TEXT:
            raise InvalidFilter(f"uses LIKE for {name}, which is not text.")
        if operator is Operator.BETWEEN and len(given) != len(("low", "high")):
            raise InvalidFilter(f"must give BETWEEN of {name} two values.")
        values = [typed_value(name, known.value_type, value) for value in given]
        if known.labels and operator in _LABELLED:
            values = [
                label_of(name, known.labels, known.codes, str(value))
                for value in values
            ]
        return Comparison(name, operator, tuple(values))


def _outside(between: Comparison) -> AnyOf:
    """NOT BETWEEN, which `query` does not have."""
    low, high = between.values
    below = Comparison(between.field, Operator.LESS, (low,))
    return AnyOf((below, Comparison(between.field, Operator.GREATER, (high,))))


def _listed_values(word: str, operator: Operator, value: Any) -> list[Given]:
    """What a basic condition compares with."""
    values = list(value) if isinstance(value, list | tuple) else [value]
    if operator in _ALONE:
        if value is not None:
            raise InvalidFilter(f"gives {word} a value: leave it out.")
        return []
    if None in values or not values:
        raise InvalidFilter(f"gives {word} no value, or null: use IS NULL.")
    if isinstance(value, list | tuple) and operator not in _LISTED:
        raise InvalidFilter(f"gives {word} a list: use IN.")
    if not all(isinstance(one, str | int | float | Decimal | date) for one in values):
        raise InvalidFilter(
            f"gives {word} a value that is not a text, number, boolean or date."
        )
    return [one if isinstance(one, bool) else str(one) for one in values]


def _literal(written: exp.Expr) -> Given:
    """A literal; numbers as they were written, signs included."""
    node = written.unnest()
    if isinstance(node, exp.Neg) and node.this.is_number:
        return f"-{_literal(node.this)}"
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Literal):
        return str(node.this)
    if isinstance(node, exp.Null):
        raise InvalidFilter("compares with NULL: use IS NULL or IS NOT NULL.")
    if isinstance(node, exp.Column):
        raise InvalidFilter(
            f"compares with {_shown(node)}, which is not a value: a text needs single "
            "quotes, and two fields cannot be compared."
        )
    raise InvalidFilter(f"compares with {_shown(node)}, which is not a value.")


def _shown(node: exp.Expr) -> str:
    sql = node.sql(dialect="mysql", unsupported_level=ErrorLevel.IGNORE)
    return shortened(sql.replace("`", ""))


def _join(kind: type[AllOf | AnyOf], parts: Iterable[Condition]) -> Condition:
    """The conditions as one; those within others of the same kind stand beside them."""
    flat = tuple(leaf for part in parts for leaf in _joined(kind, part))
    return flat[0] if len(flat) == 1 else kind(flat)


def _joined(kind: type[AllOf | AnyOf], condition: Condition) -> tuple[Condition, ...]:
    """The conditions that AND, or OR, joins at the top."""
    return condition.conditions if isinstance(condition, kind) else (condition,)


def _leaves(condition: Condition) -> Iterator[Comparison]:
    if isinstance(condition, Comparison):
        yield condition
        return
    for part in condition.conditions:
        yield from _leaves(part)
