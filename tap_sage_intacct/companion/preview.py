"""Some real rows of a source, decoded as the tap would load them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tap_sage_intacct.catalog.discovery import OfferedSource
from tap_sage_intacct.catalog.offering import hash_converters, hashed
from tap_sage_intacct.catalog.schema import is_own, value_types
from tap_sage_intacct.catalog.sensitivity import sensitive_fields
from tap_sage_intacct.catalog.sources import DataSource
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.reading.balance_key import keyed_balance
from tap_sage_intacct.reading.first_page import first_page
from tap_sage_intacct.records.bad_values import BadValues
from tap_sage_intacct.records.decoder import RowDecoder
from tap_sage_intacct.records.table import Record
from tap_sage_intacct.run.run import Run
from tap_sage_intacct.selection.meltano import MeltanoSelection
from tap_sage_intacct.selection.reading_plan import reading_plan
from tap_sage_intacct.selection.source_lookup import (
    offered_source,
    source_named,
    spelled,
)
from tap_sage_intacct.settings.sensitive import SensitivePolicy
from tap_sage_intacct.settings.settings import OnBadValue, Settings
from tap_sage_intacct.settings.values import ExtraObject

_NO_PERIOD = (
    "Balances are read period by period, and none is named: set balance_periods, or "
    "filter by PERIOD = 'Month Ended June 2026'."
)
SHOWN_FIELDS = 6
"""Columns that a terminal has room for, where the user names none."""


@dataclass(frozen=True)
class Preview:
    """Rows of a source.

    Attributes:
        fields: the columns, in order.
        records: decoded, money exact.
        total: rows that fit in all; None where Intacct does not count them.
        offered_fields: how many columns there are to choose from.
        part: the period or entity that was read, where the source is read in parts.
    """

    stream: str
    fields: tuple[str, ...]
    records: Sequence[Record]
    total: int | None
    offered_fields: int
    part: str = ""


def preview(  # noqa: PLR0913, PLR0917 - each is another thing
    run: Run,
    name: str,
    fields: Sequence[str] = (),
    condition: str | None = None,
    count: int = 20,
    chosen: MeltanoSelection | None = None,
) -> Preview:
    """Read the first rows, by one call.

    Args:
        run: of the settings, whose filter holds unless another is given.
        name: of the source.
        fields: columns; none for those that Meltano selects by name, or else the first
            that are not sensitive. One with a dot that is no field of the source is a
            path to a parent's field.
        condition: a filter instead of that of the settings; an empty one for none.
        count: of rows, at most a page.
        chosen: what Meltano selects.

    Raises:
        InvalidSettings: a name or the filter is wrong; with the nearest right names.
        PermissionDenied: the source may not be read.
    """
    wanted = source_named(name, run.settings)
    settings = _with_paths(run, wanted, fields)
    if condition is not None:
        filters = {wanted.stream_name: condition} if condition else {}
        settings = replace(settings, filters=filters)
    offered = offered_source(run, wanted, settings)
    columns = _columns(offered, fields, settings.sensitive, chosen)
    source = offered.source
    plan = reading_plan(_hashed(offered, settings), settings).choosing(columns)
    if plan.lacks_periods:
        raise InvalidSettings(_NO_PERIOD)
    # The latest period; of other sources the first part, what all entities share.
    part = plan.parts(run)[-1 if source.needs_period else 0]
    gateway = run.gateway_of(part.entity)
    page = first_page(source, plan.reader(gateway, count), plan.condition(part))
    bad_values = BadValues(
        plan.stream,
        named_by=(source.record_key,),
        as_null=settings.on_bad_value is OnBadValue.NULL,
    )
    decoder = RowDecoder(
        value_types(plan.offered.schema),
        gateway.user_format(),
        bad_values,
        hash_converters(plan.schema, settings.sensitive),
    )
    rows = page.rows[:count]
    if source.needs_period:
        rows = [keyed_balance(row, plan.balance_key_fields) for row in rows]
    records = (record for table in decoder.tables(rows) for record in table.records())
    return Preview(
        plan.stream,
        columns,
        [{name: record.get(name) for name in columns} for record in records],
        page.total,
        len(offered.schema["properties"]),
        ", ".join(filter(None, (part.entity, part.period))),
    )


def _hashed(offered: OfferedSource, settings: Settings) -> OfferedSource:
    """The source as a catalog would describe it where sensitive fields leave as hashes."""
    source = offered.source
    schema = hashed(
        source.object_name, offered.schema, source.primary_keys, settings.sensitive
    )
    return replace(offered, schema=schema)


def _with_paths(
    run: Run, wanted: DataSource | ExtraObject, fields: Sequence[str]
) -> Settings:
    """The settings, with the named paths to parents' fields among the related ones."""
    dotted = [field for field in fields if "." in field]
    if not dotted:
        return run.settings
    own = offered_source(run, wanted, run.settings).schema["properties"]
    known = {field.upper() for field in own}
    stream = wanted.stream_name
    related = run.settings.related_fields.get(stream, ())
    paths = (*related, *(path for path in dotted if path.upper() not in known))
    return replace(run.settings, related_fields={stream: paths})


def _columns(
    offered: OfferedSource,
    fields: Sequence[str],
    policy: SensitivePolicy,
    chosen: MeltanoSelection | None,
) -> tuple[str, ...]:
    properties = offered.schema["properties"]
    if fields:
        return spelled(fields, properties, offered.source.stream_name)
    source = offered.source
    hidden = {
        name
        for name in sensitive_fields(source.object_name, offered.schema)
        if not policy.offers(source.stream_name, name)
    }
    shown = [name for name in properties if not is_own(name) and name not in hidden]
    named = chosen.named_fields(source.stream_name, shown) if chosen else ()
    return (named or tuple(shown))[:SHOWN_FIELDS]
