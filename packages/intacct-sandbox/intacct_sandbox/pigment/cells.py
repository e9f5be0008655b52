"""From a cell to the value of a property, by the property's type.

What lives here: how each of Pigment's types reads a text. What it must not know:
lists, or what becomes of a cell that does not fit. Spellings of booleans and the
formats of dates are not documented [?]; these are strict.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation

from intacct_sandbox.pigment.configuration import Configuration, PropertyType


def read_cell(text: str, kind: PropertyType, configuration: Configuration) -> str:
    """The value of a cell that is not empty, as the workspace writes it.

    Numbers are without exponent and trailing zeros, dates ISO 8601.

    Raises:
        ValueError: it does not fit; Pigment calls that a `ParsingError` [D].
    """
    if kind in {PropertyType.NUMBER, PropertyType.INTEGER}:
        return _number(text, kind, configuration)
    if kind is PropertyType.DATE:
        # A day has no zone.
        found = datetime.strptime(text, configuration.date_format)  # noqa: DTZ007
        return found.date().isoformat()
    if kind is PropertyType.BOOLEAN and text not in {"TRUE", "FALSE"}:
        raise ValueError("no boolean")
    return text


def _number(text: str, kind: PropertyType, configuration: Configuration) -> str:
    if configuration.decimal_separator == ",":
        text = text.replace(",", ".")
    if not set(text) <= set("+-.0123456789"):
        raise ValueError("no number")
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError("no number") from error
    if kind is PropertyType.INTEGER:
        return str(int(number))
    written = f"{number:f}"
    return (written.rstrip("0").rstrip(".") if "." in written else written) or "0"
