"""Filters mean what they say: over HTTP, they choose the rows that SQL's logic does."""

from __future__ import annotations

import html
import operator
import os
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

from intacct_sandbox import Company, ManualClock, Sandbox
from tap_sage_intacct.intacct.errors import DatabaseRefused
from tap_sage_intacct.intacct.gateway import GatewaySettings
from tap_sage_intacct.intacct.query import Condition
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.row import RowSet
from tap_sage_intacct.intacct.rows.values import ValueType, value_type_of
from tap_sage_intacct.intacct.secrets.credentials import Login, Secret, Sender
from tap_sage_intacct.intacct.xml.gateway import XmlGateway
from tap_sage_intacct.selection.filter_values import FilterField, InvalidFilter
from tap_sage_intacct.selection.filters import parse_filter
from tests.conftest import NOON

EXAMPLES = 60
LONG_EXAMPLES = int(os.environ.get("FILTERS_EXAMPLES", "600"))
TEXT_EXAMPLES = 100
LARGE = 300_000

OBJECT = "APBILL"
LABELLED = "STATE"
# Of every type, without nulls, with some, with many; one id has a dot.
COMMON = (
    "RECORDNO",
    "TERMKEY",
    "TOTALDUE",
    "TOTALENTERED",
    "EXCHANGE_RATE",
    "RETAINAGEPERCENTAGE",
    "ONHOLD",
    "WHENDUE",
    "WHENCREATED",
    "WHENPAID",
    "WHENMODIFIED",
    "AUWHENCREATED",
    "VENDORID",
    "VENDORNAME",
    "VENDORKEY",
    "DESCRIPTION",
    "SYSTEMGENERATED",
    "PAYTO.TAXID",
    "DOCSOURCE",
)
HOSTILE = (
    "O'Brien",
    "''",
    "'",
    '"',
    '"quoted"',
    "\\",
    "\\\\",
    "\\'",
    "C:\\temp\\new",
    "ends in \\",
    "100%",
    "%",
    "_",
    "a_b",
    "[a-z]*?",
    "-- comment",
    "/* comment */",
    "; DROP TABLE APBILL;",
    "' OR '1'='1",
    "\\' OR 1=1 --",
    "') OR (RECORDNO > 0",
    '" OR ""="',
    "x' AND DESCRIPTION LIKE '%",
    "NULL",
    "IS NULL",
    "NOT",
    "T",
    "&lt;",
    "&amp;lt;",
    "&#39;",
    "&quot;",
    "<value>x</value>",
    "</value></equalto>",
    "<!-- -->",
    "<![CDATA[x]]>",
    "]]>",
    "&",
    "`RECORDNO`",
    "{0} ${x} %s",
    "first\nsecond",
    "a\tb",
    "a\rb",
    "a\r\nb",
    " ",
    " leading and trailing ",
    "\n",
    "\u00a0",
    "\u2028",
    "\x85",
    "\uff26\uff35\uff2c\uff2c",
    "Zoë 🚀",
    "e\u0301",
    "\u202egnp",
    "コピー",
    "1e5",
    "007",
)

SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
TURNED_ROUND = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
BETWEENS = ("BETWEEN", "NOT BETWEEN")
LISTS = ("IN", "NOT IN")
LIKES = ("LIKE", "NOT LIKE")
NULLS = ("IS NULL", "IS NOT NULL")
OPERAND_ENDS = "()'\",<>=!&;"
ISO = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True)
class Leaf:
    field: str
    word: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Negated:
    part: Tree


@dataclass(frozen=True)
class Joined:
    word: str
    parts: tuple[Tree, ...]


Tree = Leaf | Negated | Joined
Row = Mapping[str, Any]


def holds(tree: Tree, row: Row) -> bool | None:
    """SQL's answer: true, false, or unknown as None."""
    if isinstance(tree, Leaf):
        return compares(tree, row[tree.field])
    if isinstance(tree, Negated):
        answer = holds(tree.part, row)
        return None if answer is None else not answer
    answers = [holds(part, row) for part in tree.parts]
    decisive = tree.word == "OR"
    if decisive in answers:
        return decisive
    return None if None in answers else not decisive


def compares(leaf: Leaf, value: Any) -> bool | None:
    if leaf.word.endswith("NULL"):
        return (value is None) is (leaf.word == "IS NULL")
    if value is None:
        return None
    if leaf.word in SIGNS:
        return SIGNS[leaf.word](value, leaf.values[0])
    word = leaf.word.removeprefix("NOT ")
    return is_within(word, value, leaf.values) is (word == leaf.word)


def is_within(word: str, value: Any, values: tuple[Any, ...]) -> bool:
    if word == "IN":
        return value in values
    if word == "BETWEEN":
        return bool(values[0] <= value <= values[1])
    wild = {"%": ".*", "_": "."}
    pattern = "".join(wild.get(letter, re.escape(letter)) for letter in values[0])
    return re.fullmatch(pattern, value, re.DOTALL) is not None


class Writer:
    """Writes a tree as people do, and as those who paste from a web page do."""

    def __init__(
        self, chance: random.Random, fields: Mapping[str, FilterField]
    ) -> None:
        self._chance = chance
        self._fields = fields
        self._is_pasted = self._maybe(0.1)

    def text(self, tree: Tree) -> str:
        text = self._blank() + self._tree(tree) + self._blank()
        return html.escape(text) if self._is_pasted else text

    def _tree(self, tree: Tree) -> str:
        if isinstance(tree, Leaf):
            text = self._leaf(tree)
        elif isinstance(tree, Negated):
            text = self._glued(self._cased("NOT"), self._part(tree.part, "NOT"))
        else:
            text = self._part(tree.parts[0], tree.word)
            for part in tree.parts[1:]:
                word = self._cased(tree.word)
                text = self._glued(text, word, self._part(part, tree.word))
        return self._enclosed(text) if self._maybe(0.15) else text

    def _part(self, part: Tree, around: str) -> str:
        is_looser = isinstance(part, Joined) and (around, part.word) in {
            ("NOT", "AND"),
            ("NOT", "OR"),
            ("AND", "OR"),
        }
        text = self._tree(part)
        return self._enclosed(text) if is_looser else text

    def _leaf(self, leaf: Leaf) -> str:
        words = self._words(leaf.word)
        values = [self._operand(self._value(leaf, value)) for value in leaf.values]
        field = self._operand(self._field(leaf.field))
        if leaf.word in SIGNS:
            return self._sided(field, leaf.word, values[0])
        if leaf.word.endswith("IN"):
            comma = self._blank() + "," + self._blank()
            return self._glued(field, words, self._enclosed(comma.join(values)))
        if leaf.word.endswith("BETWEEN"):
            low, high = values
            return self._glued(field, words, low, self._cased("and"), high)
        return self._glued(field, words, *values)

    def _sided(self, field: str, sign: str, value: str) -> str:
        if self._maybe(0.3):
            field, sign, value = value, TURNED_ROUND[sign], field
        if sign == "<>" and self._maybe(0.5):
            sign = "!="
        if not self._is_pasted and self._maybe(0.2):
            less = self._chance.choice(("&lt;", "&#60;", "&#x3C;"))
            sign = sign.replace("<", less).replace(">", "&gt;")
        return self._glued(field, sign, value)

    def _field(self, name: str) -> str:
        dot = self._blank() + "." + self._blank() if self._maybe(0.2) else "."
        return self._cased(name).replace(".", dot)

    def _value(self, leaf: Leaf, value: Any) -> str:
        if isinstance(value, bool):
            bare = self._cased(str(value))
            short = self._quoted(self._cased(str(value)[0]))
            return self._chance.choice((bare, short, str(int(value))))
        if isinstance(value, int | Decimal):
            return self._number(value)
        if isinstance(value, datetime):
            return self._quoted(self._instant(value))
        if isinstance(value, date):
            forms = ("%Y-%m-%d", "%m/%d/%Y", "%Y-%m-%dT00:00:00")
            return self._quoted(value.strftime(self._chance.choice(forms)))
        if re.fullmatch("[1-9][0-9]*", value, re.ASCII) and self._maybe(0.3):
            return str(value)
        return self._quoted(self._label(leaf, value))

    def _number(self, value: int | Decimal) -> str:
        forms = [f"{value:f}", f"{value:.4f}", f"{Decimal(value):E}"]
        if isinstance(value, int):
            forms[0] = str(value)
        text = self._chance.choice(forms if value == round(value, 4) else forms[:1])
        return self._quoted(text) if self._maybe(0.2) else text

    def _instant(self, value: datetime) -> str:
        east = timezone(timedelta(hours=5, minutes=30))
        utc = value.strftime(ISO)
        return self._chance.choice(
            (f"{utc}Z", f"{utc}.000Z", f"{utc}+00:00", f"{value.astimezone(east)}")
        )

    def _label(self, leaf: Leaf, value: str) -> str:
        field = self._fields[leaf.field]
        if value not in field.labels or "LIKE" in leaf.word or leaf.word[0] in "<>BN":
            return value
        return self._chance.choice((value, value.lower(), field.codes[value]))

    def _quoted(self, text: str) -> str:
        quote = self._chance.choice("'\"")
        pieces = []
        for letter, following in zip(text, [*text[1:], quote], strict=True):
            if letter == quote:
                pieces.append(self._chance.choice((quote, "\\")) + quote)
            elif letter == "\\" and (following in (quote, "\\") or self._maybe(0.5)):
                pieces.append("\\\\")
            else:
                pieces.append(letter)
        return quote + "".join(pieces) + quote

    def _operand(self, text: str) -> str:
        return self._enclosed(text) if self._maybe(0.05) else text

    def _enclosed(self, text: str) -> str:
        return f"({self._blank()}{text}{self._blank()})"

    def _glued(self, *pieces: str) -> str:
        """The pieces in a row; without a blank only where both ends stand apart."""
        text = pieces[0]
        for piece in pieces[1:]:
            is_apart = text[-1] in OPERAND_ENDS or piece[0] in OPERAND_ENDS
            text += (self._blank() if is_apart else self._gap()) + piece
        return text

    def _words(self, words: str) -> str:
        return self._gap().join(self._cased(word) for word in words.split())

    def _cased(self, word: str) -> str:
        mixed = "".join(self._chance.choice((c.upper(), c.lower())) for c in word)
        return self._chance.choice((word, word.upper(), word.lower(), mixed))

    def _gap(self) -> str:
        return self._chance.choice((" ", "  ", "\n", "\t", " \r\n "))

    def _blank(self) -> str:
        return self._chance.choice(("", "", self._gap()))

    def _maybe(self, share: float) -> bool:
        return self._chance.random() < share


def is_in_xml(text: str) -> bool:
    return all(
        letter in "\t\n\r"
        or " " <= letter < "\ud800"
        or "\ue000" <= letter <= "\ufffd"
        or letter >= "\U00010000"
        for letter in text
    )


PLAIN_TEXTS = st.text(st.characters(codec="utf-8"), min_size=1).filter(is_in_xml)
INSTANTS = st.datetimes(datetime(1000, 1, 2), datetime(9998, 12, 30)).map(
    lambda instant: instant.replace(microsecond=0, tzinfo=timezone.utc)
)
ANY_VALUES: Mapping[ValueType, st.SearchStrategy[Any]] = {
    ValueType.INTEGER: st.integers(-(10**18), 10**18),
    ValueType.DECIMAL: st.decimals(-(10**12), 10**12, places=6),
    ValueType.BOOLEAN: st.booleans(),
    ValueType.DATE: st.dates(date(1000, 1, 1)),
    ValueType.TIMESTAMP: INSTANTS,
    ValueType.TEXT: st.sampled_from(HOSTILE) | PLAIN_TEXTS,
}


def near(value: Any) -> list[Any]:
    """Values that a wrong comparison would take for this one, or on its wrong side."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value - 1, value + 1, -value]
    if isinstance(value, Decimal):
        cent = Decimal("0.01")
        return [value - cent, value + cent, -value]
    if isinstance(value, datetime):
        second = timedelta(seconds=1)
        return [value - second, value + second, value + timedelta(days=1)]
    if isinstance(value, date):
        return [value - timedelta(days=1), value + timedelta(days=1)]
    others = [value + " ", value + "'", value[:-1], value.swapcase(), value[::-1]]
    return [other for other in others if other]


@st.composite
def patterns(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    text = draw(texts)
    for hole in draw(st.lists(st.sampled_from(["%", "_", "", "%_"]), max_size=2)):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 5)))
        text = text[:start] + hole + text[end:]
    return text or "%"


def leaves(
    name: str, field: FilterField, known: Sequence[Any]
) -> st.SearchStrategy[Leaf]:
    """Comparisons of a field with what it holds, mostly."""
    seen = st.sampled_from(known)
    values = seen | seen | seen.flatmap(lambda value: st.sampled_from(near(value)))
    values |= ANY_VALUES[field.value_type]
    if field.labels:
        values = st.sampled_from(field.labels)

    given_: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
        **dict.fromkeys(SIGNS, st.tuples(values)),
        **dict.fromkeys(BETWEENS, st.tuples(values, values)),
        **dict.fromkeys(LISTS, st.lists(values, min_size=1, max_size=5).map(tuple)),
        **dict.fromkeys(NULLS, st.just(())),
    }
    if field.value_type is ValueType.BOOLEAN:
        given_ = {word: given_[word] for word in ("=", "<>", *LISTS, *NULLS)}
    if field.value_type is ValueType.TEXT:
        given_ |= dict.fromkeys(LIKES, st.tuples(patterns(values)))
    return st.sampled_from(list(given_)).flatmap(
        lambda word: st.builds(Leaf, st.just(name), st.just(word), given_[word])
    )


def trees(any_leaves: st.SearchStrategy[Leaf]) -> st.SearchStrategy[Tree]:
    def grown(parts: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        several = st.lists(parts, min_size=2, max_size=4).map(tuple)
        joined = st.builds(Joined, st.sampled_from(["AND", "OR"]), several)
        return joined | st.builds(Negated, parts)

    return st.recursive(any_leaves, grown, max_leaves=8)


@dataclass(frozen=True)
class Road:
    """One of the two ways to have Intacct choose rows.

    Attributes:
        rows: the truth of those that this way shows.
        ask: a condition to the first page.
    """

    fields: Mapping[str, FilterField]
    rows: Sequence[Row]
    ask: Callable[[Condition], RowSet]

    def found(self, text: str) -> set[int]:
        """The rows that a filter's text chooses."""
        return self.chosen(parse_filter(text, self.fields, stream="x"))

    def chosen(self, condition: Condition) -> set[int]:
        row_set = self.ask(condition)
        numbers = [int(row["RECORDNO"]) for row in row_set.rows]
        assert row_set.remaining == 0
        assert row_set.total == len(numbers) == len(set(numbers))
        return set(numbers)

    def expected(self, tree: Tree) -> set[int]:
        return {row["RECORDNO"] for row in self.rows if holds(tree, row) is True}

    def trees(self) -> st.SearchStrategy[Tree]:
        return trees(
            st.one_of(
                [
                    leaves(name, field, self._known(name))
                    for name, field in self.fields.items()
                ]
            )
        )

    def _known(self, name: str) -> list[Any]:
        return list(
            dict.fromkeys(row[name] for row in self.rows if row[name] is not None)
        )


@pytest.fixture(scope="module")
def company(company_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The books and a bill for each hostile text, every third one private."""
    folder = tmp_path_factory.mktemp("hostile")
    for file in company_file.parent.glob(f"{company_file.name}*"):
        shutil.copy(file, folder / file.name)
    found = Company.open(folder / company_file.name, clock=ManualClock(NOON))
    for number, text in enumerate(HOSTILE):
        found.insert(OBJECT, {"DESCRIPTION": text}, private=number % 3 == 0)
    return found


@pytest.fixture(scope="module")
def roads(company: Company) -> Iterator[Mapping[str, Road]]:
    with Sandbox(company) as sandbox:
        gateway = XmlGateway(gateway_settings(sandbox))
        yield {
            "query": Road(
                filter_fields(company, (*COMMON, LABELLED)),
                list(company.truth(OBJECT)),
                lambda condition: (
                    reader(gateway).query(condition, ("RECORDNO",)).result()
                ),
            ),
            "readByQuery": Road(
                filter_fields(company, COMMON),
                list(company.truth(OBJECT, where='"_private" = 0')),
                lambda condition: reader(gateway).open_result_set(condition).result(),
            ),
        }
        gateway.close()
    company.close()


@pytest.fixture(params=["query", "readByQuery"])
def road(request: pytest.FixtureRequest, roads: Mapping[str, Road]) -> Road:
    return roads[request.param]


def gateway_settings(sandbox: Sandbox) -> GatewaySettings:
    known = sandbox.credentials
    return GatewaySettings(
        Sender(known.sender_id, Secret(known.sender_password)),
        Login(known.company_id, known.user_id, Secret(known.user_password)),
        sandbox.url,
        # A user at +00:00 may be in London, where filters are widened in summer.
        user_timezone=ZoneInfo("GMT"),
    )


def reader(gateway: XmlGateway) -> ObjectReader:
    """A new one each time, since a reader learns from what was refused."""
    return ObjectReader(gateway, OBJECT, ("RECORDNO",))


def filter_fields(company: Company, names: Sequence[str]) -> dict[str, FilterField]:
    found = {}
    for name in names:
        definition = company.definitions[OBJECT].field(name)
        assert definition is not None
        value_type = value_type_of(definition.datatype)
        codes = definition.codes
        found[name] = FilterField(value_type, tuple(codes), codes)
    return found


def check_meaning(road: Road, examples: int, chosen: int) -> Counter[str]:
    """Ask for that many random filters; counts what they found."""
    counts: Counter[str] = Counter()

    @seed(chosen)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(road.trees(), st.randoms(use_true_random=False))
    def means_what_it_says(tree: Tree, chance: random.Random) -> None:
        text = Writer(chance, road.fields).text(tree)
        expected, got = road.expected(tree), road.found(text)
        counts["filters"] += 1
        counts["that chose some rows but not all"] += 0 < len(got) < len(road.rows)
        assert got == expected, f"\ntext: {text!r}\ntree: {tree}"

    means_what_it_says()
    return counts


def seed_of_the_run() -> int:
    given = os.environ.get("FILTERS_SEED")
    return int(given) if given else random.SystemRandom().randrange(2**32)


def test_books_are_as_supposed(company: Company, roads: Mapping[str, Road]) -> None:
    shown = {len(road.rows) for road in roads.values()}
    assert max(shown) == company.count(OBJECT)
    assert max(shown) - min(shown) >= len(HOSTILE[::3])
    types = {field.value_type for field in roads["readByQuery"].fields.values()}
    assert types == set(ValueType)
    assert not any(field.codes for field in roads["readByQuery"].fields.values())
    nulls = [row["WHENMODIFIED"] is None for row in roads["query"].rows]
    assert any(nulls)
    assert not all(nulls)


def test_filters_choose_what_they_say(road: Road) -> None:
    counts = check_meaning(road, EXAMPLES, seed_of_the_run())
    assert counts["that chose some rows but not all"] > EXAMPLES / 6


@pytest.mark.long
def test_many_filters_choose_what_they_say(
    road: Road,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    chosen = seed_of_the_run()
    name = request.node.callspec.params["road"]
    record_property("campaign", f"filters by {name}: seed {chosen}")
    counts = check_meaning(road, LONG_EXAMPLES, chosen)
    record_property("campaign", f"filters by {name}: {dict(counts)}, seed {chosen}")
    assert counts["filters"] >= LONG_EXAMPLES
    assert counts["that chose some rows but not all"] > LONG_EXAMPLES / 4


def described(road: Road, text: str) -> set[int]:
    return {row["RECORDNO"] for row in road.rows if row["DESCRIPTION"] == text}


def described_otherwise(road: Road, text: str) -> set[int]:
    return road.expected(Leaf("DESCRIPTION", "<>", (text,)))


@pytest.mark.parametrize("quote", ["'", '"'])
@pytest.mark.parametrize("escape", ["doubled", "backslash"])
def test_hostile_values_find_the_rows_that_hold_them(
    road: Road, quote: str, escape: str
) -> None:
    for value in HOSTILE:
        escaped = {"doubled": quote, "backslash": "\\"}[escape] + quote
        written = value.replace("\\", "\\\\").replace(quote, escaped)
        literal = quote + written + quote
        expected = described(road, value)
        assert road.found(f"DESCRIPTION = {literal}") == expected, value
        assert road.found(f"DESCRIPTION IN ({literal})") == expected, value
        others = road.found(f"NOT DESCRIPTION = {literal}")
        assert others == described_otherwise(road, value), value


@pytest.mark.parametrize("name", ["query", "readByQuery"])
def test_any_value_finds_the_rows_that_hold_it(
    roads: Mapping[str, Road], name: str
) -> None:
    road = roads[name]

    @settings(max_examples=TEXT_EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(st.text(min_size=1) | st.text("'\"\\;-%_&<]> OR=1", min_size=1))
    @example("\x00")
    @example("\ufffe")
    def finds_its_rows(value: str) -> None:
        literal = "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
        text = f"DESCRIPTION = {literal} OR DESCRIPTION <> {literal}"
        if not is_in_xml(value):
            with pytest.raises(InvalidFilter, match="control characters"):
                road.found(text)
            return
        assert road.found(f"DESCRIPTION = {literal}") == described(road, value)
        assert road.found(text) == road.expected(Leaf("DESCRIPTION", "IS NOT NULL"))

    finds_its_rows()


REFUSED = (
    "",
    " ",
    ";",
    "()",
    "''",
    "'",
    "NOT",
    "TRUE",
    "1 = 1",
    "'a' = 'a'",
    "NULL = NULL",
    "RECORDNO",
    "ONHOLD",
    "RECORDNO = RECORDNO",
    "RECORDNO = 1 OR 1 = 1",
    "RECORDNO = 1 OR TRUE",
    "DESCRIPTION = 'x' OR '1' = '1'",
    "DESCRIPTION = 'a' OR 'b'",
    "DESCRIPTION = 'a' 'b'",
    "DESCRIPTION = 'O'Brien'",
    "DESCRIPTION = ''",
    "DESCRIPTION = N'x'",
    "DESCRIPTION = x'41'",
    "DESCRIPTION = 0x41",
    "DESCRIPTION = CHAR(65)",
    "DESCRIPTION IN ('a', NULL)",
    "DESCRIPTION LIKE 'a' ESCAPE '!'",
    "DESCRIPTION LIKE ANY ('a', 'b')",
    "DESCRIPTION REGEXP 'a'",
    "DESCRIPTION = 'a' COLLATE utf8_bin",
    "'a' LIKE DESCRIPTION",
    "UPPER(DESCRIPTION) = 'A'",
    "SLEEP(5) = RECORDNO",
    "RECORDNO = SLEEP(5)",
    "RECORDNO + 1 = 2",
    "RECORDNO = 1 + 1",
    "RECORDNO = 1-1",
    "RECORDNO % 2 = 1",
    "-RECORDNO = 1",
    "~RECORDNO = 1",
    "RECORDNO <=> 1",
    "RECORDNO := 1",
    "RECORDNO = 1 XOR RECORDNO = 2",
    "RECORDNO = (SELECT 1)",
    "RECORDNO IN (SELECT RECORDNO FROM APBILL)",
    "RECORDNO NOT IN (SELECT RECORDNO FROM APBILL)",
    "RECORDNO IN (1, (SELECT 2))",
    "RECORDNO = ALL (SELECT 1)",
    "EXISTS (SELECT 1)",
    "NOT EXISTS (SELECT 1)",
    "SELECT * FROM APBILL WHERE RECORDNO = 1",
    "WHERE RECORDNO = 1",
    "DROP TABLE APBILL",
    "RECORDNO = 1 UNION SELECT 1",
    "RECORDNO = 1 ORDER BY 1",
    "RECORDNO = 1 LIMIT 1",
    "RECORDNO = 1 INTO OUTFILE 'x'",
    "RECORDNO = 1 AS x",
    "RECORDNO = 1; DROP TABLE APBILL",
    "RECORDNO = 1;",
    "RECORDNO = 1 -- OR 1 = 1",
    "RECORDNO = 1 # OR 1 = 1",
    "RECORDNO = 1 /* x */",
    "RECORDNO = 1 /*! OR 1 = 1 */",
    "/*+ hint */ RECORDNO = 1",
    "`RECORDNO` = 1",
    "[RECORDNO] = 1",
    "RECORDNO = @@version",
    "RECORDNO = ?",
    "RECORDNO = :x",
    "RECORDNO = $1",
    "RECORDNO = {{ 1 }}",
    "(RECORDNO, TERMKEY) = (1, 2)",
    "RECORDNO = 1 RECORDNO = 2",
    "RECORDNO = 1 AND",
    "(RECORDNO = 1",
    "RECORDNO = 1)",
    "RECORDNO BETWEEN 1 AND 2 AND 3",
    "RECORDNO BETWEEN SYMMETRIC 2 AND 1",
    "RECORDNO < 2 < 3",
    "(RECORDNO = 1) = TRUE",
    "(RECORDNO = 1) IS NOT NULL",
    "ONHOLD IS NOT TRUE",
    "ONHOLD IS UNKNOWN",
    "CASE WHEN RECORDNO = 1 THEN TRUE END",
    "IF(RECORDNO = 1, 1, 0)",
    "CAST(RECORDNO AS CHAR) = 1",
    "RECORDNO::int = 1",
    "WHENDUE < NOW()",
    "WHENDUE = CURRENT_DATE",
    "WHENDUE = DATE '2026-01-01'",
    "WHENDUE = '2026-01-01' + INTERVAL 1 DAY",
    "MATCH (DESCRIPTION) AGAINST ('x')",
)


def condition_or_refusal(road: Road, text: str) -> Condition | str:
    try:
        return parse_filter(text, road.fields, stream="bills")
    except InvalidFilter as error:
        return str(error)


def assert_refused(message: object) -> None:
    assert isinstance(message, str)
    assert message.startswith("The filter of bills ")
    assert len(message.splitlines()) == 1
    assert len(message) < 500


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_condition_is_refused_in_one_line(
    roads: Mapping[str, Road], text: str
) -> None:
    assert_refused(condition_or_refusal(roads["query"], text))


TOKENS = (
    *COMMON[:3],
    *("DESCRIPTION", "ONHOLD", "NOSUCH", "AND", "OR", "NOT", "IN", "IS", "NULL"),
    *("LIKE", "BETWEEN", "TRUE", "SELECT", "FROM", "WHERE", "CASE", "XOR", "DATE"),
    *("(", ")", "((", "))", ",", "=", "<", ">", "!=", "<=", "||", "&&", "!", "+"),
    *("-", "--", "/*", "*/", ";", "#", "`", "'", '"', "\\", ".", "*", "&lt;", "&"),
    *("1", "-1", "1.5", "1e5", "0x1", "'x'", "'1'", '"x"', "''", "@", ":", "[", "{"),
    *("\n", "\x00", "\ud800", "é", "\u3000"),
)
ANY_TEXTS = st.text() | st.lists(st.sampled_from(TOKENS), max_size=12).map(" ".join)
STARTED = st.tuples(
    st.sampled_from(["RECORDNO = 1", "DESCRIPTION = 'x'", "NOT ONHOLD = true"]),
    ANY_TEXTS,
).map(" ".join)


@pytest.mark.parametrize("name", ["query", "readByQuery"])
def test_any_text_is_a_condition_or_is_refused(
    roads: Mapping[str, Road], name: str
) -> None:
    road = roads[name]

    @settings(max_examples=TEXT_EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(ANY_TEXTS | STARTED)
    def is_either(text: str) -> None:
        answer = condition_or_refusal(road, text)
        if isinstance(answer, str):
            assert_refused(answer)
        else:
            road.chosen(answer)

    is_either()


BIG: Mapping[str, tuple[str, bool]] = {
    "parentheses": ("(" * 10_000 + "RECORDNO = 1" + ")" * 10_000, False),
    "open parentheses": ("(" * 100_000, False),
    "negations": ("NOT " * 10_000 + "RECORDNO = 1", False),
    "minus signs": ("RECORDNO = " + "- " * 10_000 + "1", False),
    "text": (f"DESCRIPTION = '{'x' * LARGE}'", True),
    "text of quotes": ("DESCRIPTION = '" + "''" * (LARGE // 2) + "'", True),
    "text of backslashes": ("DESCRIPTION = '" + "\\\\" * (LARGE // 2) + "'", True),
    "text of escapes": ("DESCRIPTION = '" + "&lt;" * (LARGE // 4) + "'", True),
    "text without end": ("DESCRIPTION = '" + "x" * LARGE, False),
    "quotes": ("'" * (LARGE + 1), False),
    "digits": ("RECORDNO = " + "9" * LARGE, False),
    "word": ("x" * LARGE + " = 1", False),
    "blanks": ("RECORDNO" + " " * LARGE + "= 1", True),
    "numbers": (f"RECORDNO IN ({', '.join(map(str, range(6_000)))})", True),
    "numbers not in": (f"RECORDNO NOT IN ({', '.join(map(str, range(6_000)))})", True),
    "texts": (
        f"DESCRIPTION IN ({', '.join(repr(str(n)) for n in range(6_000))})",
        True,
    ),
    "conditions": (" OR ".join(["RECORDNO = 1"] * 500), True),
}


def test_the_largest_texts_work_or_are_refused(roads: Mapping[str, Road]) -> None:
    for name, (text, is_condition) in BIG.items():
        answer = condition_or_refusal(roads["readByQuery"], text)
        assert isinstance(answer, str) is not is_condition, name
        if isinstance(answer, str):
            assert_refused(answer)
            continue
        assert roads["readByQuery"].chosen(answer) <= roads["query"].chosen(answer)


@pytest.mark.parametrize(
    "text",
    [" OR ".join(["RECORDNO = 1"] * 2000), f"DESCRIPTION LIKE '{'x' * LARGE}'"],
    ids=["conditions", "pattern"],
)
def test_what_is_too_much_for_the_database_is_its_refusal(
    road: Road, text: str
) -> None:
    with pytest.raises(DatabaseRefused):
        road.found(text)


def test_day_in_the_first_thousand_years_is_before_all_others(road: Road) -> None:
    assert road.found("WHENDUE < '0999-01-01'") == set()
    assert road.found("WHENMODIFIED < '0999-01-01T00:00:00Z'") == set()


def test_long_lists_find_their_rows(road: Road) -> None:
    everything = {row["RECORDNO"] for row in road.rows}
    few = set(sorted(everything)[::7])
    written = ", ".join(map(str, sorted(few | set(range(10_000, 16_000)))))
    assert road.found(f"RECORDNO IN ({written})") == few
    assert road.found(f"RECORDNO NOT IN ({written})") == everything - few
    assert road.found(f"NOT RECORDNO IN ({written})") == everything - few
