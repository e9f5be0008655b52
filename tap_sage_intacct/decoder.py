"""Rows of text to Singer records, by a plan compiled once per stream.

Knows neither the gateway nor the catalog: it is told the fields and their types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tap_sage_intacct.intacct.values import InvalidValue, converter

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.envelope import Row
    from tap_sage_intacct.intacct.values import JsonValue, UserFormat, ValueType

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
        self._converters = {
            name: converter(value_type, user_format)
            for name, value_type in value_types.items()
        }

    def decode(self, row: Row) -> Record:
        """One record; an empty text is null.

        Raises:
            InvalidRecord: naming the field, and the shape of its text but not the text.
        """
        converters = self._converters
        record: Record = {}
        for name, text in row.items():
            convert = converters.get(name)
            if convert is None:
                continue
            if not text:
                record[name] = None
                continue
            try:
                record[name] = convert(text)
            except InvalidValue as error:
                raise InvalidRecord(f"{self._stream}.{name}: {error}.") from None
        return record
