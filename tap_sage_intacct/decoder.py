"""Rows of text to Singer records, by a plan compiled once per stream.

Knows neither the gateway nor the catalog: it is told the fields and their types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tap_sage_intacct.intacct.values import InvalidValue, ValueType, converter

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.envelope import Row
    from tap_sage_intacct.intacct.values import JsonValue, UserFormat

Record = dict[str, "JsonValue"]
"""A Singer record: property to value; money is Decimal, never a binary float."""


class InvalidRecord(ValueError):
    """A value that is not of its field's type; the message tells its shape alone."""


class RowDecoder:
    """Converts the fields it was made for, and leaves others out."""

    def __init__(
        self,
        stream: str,
        value_types: Mapping[str, ValueType],
        user_format: UserFormat,
    ) -> None:
        """Compile the plan.

        Args:
            stream: for error texts.
            value_types: the fields to decode.
            user_format: how the API user's preferences write dates and times.
        """
        self._stream = stream
        # Most columns are texts, which need no call each.
        self._texts = frozenset(
            name for name, kind in value_types.items() if kind is ValueType.TEXT
        )
        self._converters = {
            name: converter(kind, user_format)
            for name, kind in value_types.items()
            if kind is not ValueType.TEXT
        }

    def decode(self, row: Row) -> Record:
        """One record; an empty text is null.

        Raises:
            InvalidRecord: naming the field, and the shape of its text but not the text.
        """
        texts, converters = self._texts, self._converters
        record: Record = {}
        name = ""
        try:
            for name, text in row.items():
                if name in texts:
                    record[name] = text or None
                elif name in converters:
                    record[name] = converters[name](text) if text else None
        except InvalidValue as error:
            raise InvalidRecord(f"{self._stream}.{name}: {error}.") from None
        return record
