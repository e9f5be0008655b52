"""Which streams and fields a run would load: by a catalog, by Meltano, or by default."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import Catalog

from tap_sage_intacct.catalog import discovery
from tap_sage_intacct.catalog.discovery import OfferedSource
from tap_sage_intacct.catalog.extra_objects import source_of
from tap_sage_intacct.catalog.labels import shipped_labels
from tap_sage_intacct.catalog.schema import is_own
from tap_sage_intacct.catalog.sources import DATA_SOURCE_BY_STREAM, DATA_SOURCES
from tap_sage_intacct.selection.meltano import MeltanoSelection
from tap_sage_intacct.selection.names import (
    check_catalog_names,
    check_settings_names,
    unmatched_patterns,
)
from tap_sage_intacct.selection.rows import row_selection
from tap_sage_intacct.settings.values import ExtraObject

if TYPE_CHECKING:
    from tap_sage_intacct.run.run import Run


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChosenStream:
    """A stream that is to be loaded, and the fields wanted of it."""

    offered: OfferedSource
    fields: tuple[str, ...]
    is_incremental: bool = True


def chosen_by_catalog(run: Run, catalog: Mapping[str, Any]) -> list[ChosenStream]:
    """The streams and fields that a catalog selects.

    Raises:
        InvalidSettings: it names streams that there are not.
    """
    entries = Catalog.from_dict(dict(catalog))
    check_catalog_names(run.settings, entries)
    reports = {report.stream_name for report in run.settings.custom_reports}
    chosen = []
    for name, entry in entries.items():
        mask = entry.metadata.resolve_selection()
        if name in reports or not mask[()]:
            continue
        schema = entry.schema.to_dict()
        fields = [field for field in schema["properties"] if mask["properties", field]]
        method = entry.replication_method or "INCREMENTAL"
        offered = _catalogued(run, name, schema)
        chosen.append(ChosenStream(offered, _own(fields), method == "INCREMENTAL"))
    return chosen


def chosen_by_meltano(
    run: Run, selection: MeltanoSelection | None
) -> list[ChosenStream]:
    """The streams and fields that Meltano selects; without it, those by default.

    Raises:
        InvalidSettings: the settings name streams or fields that there are not.
    """
    offered = discovery.live(run.gateway, DATA_SOURCES, run.settings)
    check_settings_names(run.settings, [one.source.stream_name for one in offered])
    if selection is None:
        return [_by_default(one) for one in offered if _is_default(run, one)]
    streams = {one.source.stream_name: one.schema["properties"] for one in offered}
    reports = {report.stream_name for report in run.settings.custom_reports}
    for problem in unmatched_patterns(selection.rules, streams, reports):
        logger.warning("select: %s", problem)
    chosen = [_by_meltano(one, selection) for one in offered]
    return [stream for stream in chosen if stream is not None]


def _is_default(run: Run, offered: OfferedSource) -> bool:
    lacks_periods = (
        offered.source.needs_period and not row_selection(offered, run.settings).periods
    )
    return not (offered.is_listed_only or lacks_periods)


def _by_default(offered: OfferedSource) -> ChosenStream:
    return ChosenStream(offered, _own(offered.schema["properties"]))


def _by_meltano(
    offered: OfferedSource, selection: MeltanoSelection
) -> ChosenStream | None:
    source = offered.source
    if not selection.chooses(source.stream_name):
        return None
    automatic = {*source.primary_keys, source.replication_key}
    fields = [
        name
        for name in offered.schema["properties"]
        if name in automatic or selection.chooses(source.stream_name, name)
    ]
    is_incremental = selection.is_incremental(source.stream_name)
    return ChosenStream(offered, _own(fields), is_incremental)


def _own(fields: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in fields if not is_own(name))


def _catalogued(run: Run, name: str, schema: dict[str, Any]) -> OfferedSource:
    source = DATA_SOURCE_BY_STREAM.get(name)
    if source is None:
        wanted = {extra.stream_name: extra for extra in run.settings.extra_objects}
        extra = wanted.get(name) or ExtraObject(schema.get("title", name), name)
        source = source_of(extra, schema)
    return OfferedSource(source, schema, shipped_labels(source.object_name))
