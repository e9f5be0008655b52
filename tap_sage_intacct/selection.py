"""Which rows of a source the user's settings ask for.

Turns `filters` and `balance_periods` into a condition and periods, and refuses what
does not fit the source's schema; knows neither Singer nor the gateway.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_sage_intacct.filter_values import InvalidFilter
from tap_sage_intacct.schema import value_types
from tap_sage_intacct.settings import InvalidSettings
from tap_sage_intacct.sources import DATA_SOURCE_BY_STREAM

if TYPE_CHECKING:
    from tap_sage_intacct.discovery import OfferedSource
    from tap_sage_intacct.intacct.query import Condition
    from tap_sage_intacct.settings import Settings

PERIOD = "PERIOD"


@dataclass(frozen=True, slots=True)
class RowSelection:
    """The rows wanted.

    Attributes:
        condition: None for all.
        periods: of a source that needs them; empty where none is named.
    """

    condition: Condition | None = None
    periods: tuple[str, ...] = ()


def row_selection(offered: OfferedSource, settings: Settings) -> RowSelection:
    """What the settings say of this source.

    Raises:
        InvalidSettings: the filter is wrong, or names periods beside
            `balance_periods`.
    """
    source = offered.source
    periods = settings.balance_periods if source.needs_period else ()
    if source.stream_name not in settings.filters:
        return RowSelection(None, periods)
    # sqlglot takes a quarter of a second to import, and most runs have no filter.
    from tap_sage_intacct import filters  # noqa: PLC0415

    given = settings.filters[source.stream_name]
    fields = {
        name: filters.FilterField(value_type)
        for name, value_type in value_types(offered.schema).items()
    }
    try:
        condition = filters.parse_filter(given, fields, stream=source.stream_name)
        if not source.needs_period:
            return RowSelection(condition)
        named = filters.period_names(condition)
    except InvalidFilter as error:
        raise InvalidSettings([str(error)]) from None
    if named is not None and periods:
        raise InvalidSettings(
            [
                f"Both balance_periods and the filter of {source.stream_name} name "
                "periods: leave one of them."
            ]
        )
    return RowSelection(filters.without_field(condition, PERIOD), named or periods)


def unknown_stream(name: str, place: str) -> str:
    """What to say of a stream that does not exist.

    Args:
        name: as it was given.
        place: the setting or file that names it.
    """
    near = difflib.get_close_matches(name, DATA_SOURCE_BY_STREAM, n=3)
    hint = f": did you mean {' or '.join(near)}?" if near else "."
    return f"There is no stream '{name}', which {place} names{hint}"
