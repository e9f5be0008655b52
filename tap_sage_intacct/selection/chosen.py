"""Which streams and fields are loaded: those that Meltano selects, or those by default."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from tap_sage_intacct.catalog.discovery import OfferedSource
from tap_sage_intacct.selection.meltano import MeltanoSelection
from tap_sage_intacct.selection.names import check_settings_names, unmatched_patterns
from tap_sage_intacct.selection.reading_plan import ReadingPlan, reading_plan
from tap_sage_intacct.settings.settings import Settings

logger = logging.getLogger(__name__)


def chosen_by_meltano(
    offered: Sequence[OfferedSource],
    selection: MeltanoSelection | None,
    settings: Settings,
) -> list[ReadingPlan]:
    """The plans of what Meltano selects; without it, of what is loaded by default.

    Raises:
        InvalidSettings: the settings name streams or fields that do not exist.
    """
    check_settings_names(settings, [one.source.stream_name for one in offered])
    if selection is None:
        plans = (reading_plan(one, settings) for one in offered)
        return [plan for plan in plans if plan.is_default]
    streams = {one.source.stream_name: one.schema["properties"] for one in offered}
    reports = {report.stream_name for report in settings.custom_reports}
    for problem in unmatched_patterns(selection.rules, streams, reports):
        logger.warning("select: %s", problem)
    return [
        _with_fields(reading_plan(one, settings), selection)
        for one in offered
        if selection.chooses(one.source.stream_name)
    ]


def _with_fields(plan: ReadingPlan, selection: MeltanoSelection) -> ReadingPlan:
    automatic = {*plan.source.primary_keys, plan.source.replication_key}
    return plan.choosing(
        (
            name
            for name in plan.fields
            if name in automatic or selection.chooses(plan.stream, name)
        ),
        is_incremental=selection.is_incremental(plan.stream),
    )
