from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pigment.errors import UnsuitableValue
from target_pigment.rows.cells import CellWriter
from target_pigment.settings.settings import Column, ColumnType, CsvFormat
from target_pigment.singer.reader import ExactReader

JANUARY = datetime(2025, 1, 1, 3, tzinfo=timezone.utc)


def cell(value: Any, kind: ColumnType = "auto", **chosen: Any) -> str:
    column = Column("x", "X", kind)
    wanted = CsvFormat(**chosen)
    writer = CellWriter("s", (column, Column("y", "Y")), wanted, {"y": "n/a"})
    text = writer.line({"x": value}).decode(wanted.encoding)
    cells = next(
        csv.reader(
            io.StringIO(text, newline=""),
            delimiter=wanted.delimiter,
            quotechar=wanted.quotechar,
        )
    )
    assert cells[1] == "n/a"
    return cells[0]


@pytest.mark.parametrize(
    ("value", "kind", "chosen", "expected"),
    [
        (True, "auto", {}, "TRUE"),
        ("False", "boolean", {}, "FALSE"),
        (True, "auto", {"true_value": "Y"}, "Y"),
        (None, "auto", {}, ""),
        (None, "auto", {"null_value": "-"}, "-"),
        (Decimal("1E+3"), "auto", {}, "1000"),
        (Decimal("-0.00"), "auto", {}, "0.00"),
        (Decimal("1.5"), "auto", {"decimal_separator": ","}, "1,5"),
        (Decimal("7.0"), "integer", {}, "7"),
        ("0100", "auto", {}, "0100"),
        (date(2024, 2, 29), "auto", {}, "2024-02-29"),
        (date(2024, 2, 29), "auto", {"date_format": "%d/%m/%Y"}, "29/02/2024"),
        (JANUARY, "auto", {}, "2025-01-01"),
        (JANUARY, "auto", {"timezone": "America/New_York"}, "2024-12-31"),
        (JANUARY.replace(tzinfo=None), "auto", {"timezone": "America/New_York"},
         "2024-12-31"),
        (JANUARY, "auto", {"datetime_as": "text"}, "2025-01-01T03:00:00+00:00"),
        (JANUARY, "text", {}, "2025-01-01T03:00:00+00:00"),
        ("2025-01-01T03:00:00Z", "date", {}, "2025-01-01"),
        ("a\r\nb\nc", "auto", {}, "a b c"),
        ("a\nb", "auto", {"newlines": "keep"}, "a\nb"),
        ("a\x00b\x07", "auto", {}, "ab"),
        ({"a": [Decimal("1.10"), "ü"]}, "auto", {}, '{"a":[1.10,"ü"]}'),
        ("a;b'c", "auto", {"delimiter": ";", "quotechar": "'"}, "a;b'c"),
    ],
)  # fmt: skip
def test_cells(
    value: Any, kind: ColumnType, chosen: dict[str, Any], expected: str
) -> None:
    assert cell(value, kind, **chosen) == expected


@pytest.mark.parametrize(
    ("value", "kind", "chosen"),
    [
        (Decimal("1.5"), "integer", {}),
        ("1,000", "number", {}),
        (Decimal("NaN"), "number", {}),
        ("maybe", "boolean", {}),
        ("tomorrow", "date", {}),
        (True, "number", {}),
        ("secret\nvalue", "auto", {"newlines": "fail"}),
        ("日本", "auto", {"encoding": "iso-8859-1"}),
    ],
)
def test_a_misfit_names_the_column_and_not_the_value(
    value: Any, kind: ColumnType, chosen: dict[str, Any]
) -> None:
    with pytest.raises(UnsuitableValue) as caught:
        cell(value, kind, **chosen)
    assert "Stream s" in str(caught.value)
    assert str(value) not in str(caught.value)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30),
                max_value=10**30)
)  # fmt: skip
def test_numbers_keep_their_digits(number: Decimal) -> None:
    read = ExactReader().deserialize_json(f'{{"x": {number}}}')
    text = cell(read["x"])
    assert Decimal(text) == number
    assert "E" not in text.upper()


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])))
def test_texts_come_back_as_they_went(text: str) -> None:
    assert cell(text) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_breaks_a_line(text: str) -> None:
    writer = CellWriter("s", (Column("x", "X"),), CsvFormat(), {})
    line = writer.line({"x": text}).decode()
    assert len(line.splitlines()) == 1


@given(st.datetimes(min_value=datetime(1900, 1, 2), max_value=datetime(2200, 1, 1)))
def test_instants_become_the_day_of_the_zone(instant: datetime) -> None:
    aware = instant.replace(tzinfo=timezone(timedelta(hours=5)))
    expected = aware.astimezone(timezone.utc).date()
    assert cell(aware) == expected.isoformat()


def test_the_header_is_the_same_with_and_without_a_mark() -> None:
    columns = (Column("x", "X, y"),)
    plain = CellWriter("s", columns, CsvFormat(), {}).header()
    assert plain == b'"X, y"\r\n'
    marked = CellWriter("s", columns, CsvFormat(bom=True), {}).header()
    assert marked == b"\xef\xbb\xbf" + plain


def test_a_binary_float_would_have_lost_digits() -> None:
    line = '{"x": 12345678901234567890.123456789}'
    assert cell(ExactReader().deserialize_json(line)["x"]) in line
    assert str(json.loads(line)["x"]) not in line


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.decimals(-3, 3, places=2),
    st.datetimes(timezones=st.timezones()),
    st.text("a \n\x00\u20281.", max_size=3),
    st.sampled_from(["TRUE", "", "0", "none"]),
)


@given(st.lists(VALUES, min_size=2, max_size=2), st.sampled_from(["auto", "text"]))
def test_keys_are_the_same_for_equal_values_only(
    values: list[Any], kind: ColumnType
) -> None:
    """And where the cells are, but the values are not, the key says so."""
    chosen = CsvFormat(null_value="none")
    columns = (Column("id", "id", kind), Column("n", "n"))
    writer = CellWriter("s", columns, chosen, {})
    one, other = (writer.key({"id": v, "n": 1}, ("id", "n")) for v in values)
    apart = any(isinstance(v, bool) for v in values)
    equal = values[0] == values[1] and (not apart or type(values[0]) is type(values[1]))
    assert (one == other) is equal
    cells = [writer.line({"id": v, "n": 1}) for v in values]
    if cells[0] == cells[1]:
        assert one.cells == other.cells
