"""Checks of the names in settings, catalogs and patterns, before Intacct is asked.

Uses neither Singer nor the gateway.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatch

from tap_sage_intacct.catalog.sensitivity import is_sensitive
from tap_sage_intacct.catalog.sources import DATA_SOURCE_BY_STREAM
from tap_sage_intacct.errors import refuse
from tap_sage_intacct.selection.meltano import Pattern, Streams, corrected
from tap_sage_intacct.settings.settings import Settings
from tap_sage_intacct.settings.suggestions import did_you_mean
from tap_sage_intacct.settings.values import EVERY_OBJECT


def check_settings_names(settings: Settings, offered: Iterable[str]) -> None:
    """Refuse settings that name streams which do not exist.

    Args:
        settings: of the run.
        offered: the streams of data sources that were found. Known ones are missing if
            the user may not read them.

    Raises:
        InvalidSettings: with the nearest right names.
    """
    known = {*_known_sources(settings), *offered}
    _refuse_unknown("filters", settings.filters, known)
    _refuse_unknown("related_fields", settings.related_fields, known)


def check_stream_names(settings: Settings) -> None:
    """Refuse reports and extra objects with the stream name of a data source.

    Raises:
        InvalidSettings: with the names.
    """
    names = (
        *(report.stream_name for report in settings.custom_reports),
        *(extra.stream_name for extra in settings.extra_objects),
    )
    refuse(
        f"Two streams would be called '{name}': give one of them another stream_name."
        for name in names
        if name in DATA_SOURCE_BY_STREAM
    )


def check_catalog_names(settings: Settings, catalogued: Iterable[str]) -> None:
    """Refuse a catalog with streams that do not exist.

    Raises:
        InvalidSettings: with the nearest right names.
    """
    if any(extra.object_name == EVERY_OBJECT for extra in settings.extra_objects):
        # Only the company knows all of its streams.
        return
    reports = (report.stream_name for report in settings.custom_reports)
    _refuse_unknown("the catalog", catalogued, {*_known_sources(settings), *reports})


def unmatched_patterns(
    rules: Iterable[str], streams: Streams, others: Collection[str] = ()
) -> list[str]:
    """A sentence for each pattern of Meltano's `select` that matches nothing.

    Args:
        rules: the patterns.
        streams: what is offered.
        others: streams whose fields are not known.
    """
    patterns = ((rule, Pattern.parse(rule)) for rule in rules)
    return list(
        dict.fromkeys(
            _unmatched(rule, pattern, streams)
            for rule, pattern in patterns
            if not pattern.matches(streams)
            and not any(fnmatch(name, pattern.stream) for name in others)
        )
    )


def _unmatched(rule: str, pattern: Pattern, streams: Streams) -> str:
    if not any(fnmatch(name, pattern.stream) for name in streams):
        return (
            f"no stream is offered that '{pattern.stream}' matches"
            f"{did_you_mean(pattern.stream, streams)}"
        )
    better = corrected(rule)
    if better != rule and Pattern.parse(better).matches(streams):
        return (
            f"'{rule}' matches nothing, since a dot in a field separates levels in "
            f"Meltano: write '{better}'."
        )
    source = DATA_SOURCE_BY_STREAM.get(pattern.stream)
    object_name = source.object_name if source else ""
    if is_sensitive(object_name, pattern.field.replace("?", ".")):
        return (
            f"'{rule}' matches nothing: sensitive fields are offered only if "
            "include_sensitive allows them."
        )
    fields = streams.get(pattern.stream, ())
    return f"'{rule}' matches nothing{did_you_mean(pattern.field, fields)}"


def check_needs_no_lookup(settings: Settings) -> None:
    """Refuse what cannot be described without the company.

    Raises:
        InvalidSettings: extra objects, reports or related fields are wanted.
    """
    wanted = {
        "related_fields": settings.related_fields,
        "extra_objects": settings.extra_objects,
        "custom_reports": settings.custom_reports,
    }
    refuse(
        f"{name} needs the company's own metadata: set the credentials."
        for name, value in wanted.items()
        if value
    )


def _known_sources(settings: Settings) -> set[str]:
    return {
        *DATA_SOURCE_BY_STREAM,
        *(extra.stream_name for extra in settings.extra_objects),
    }


def _refuse_unknown(place: str, names: Iterable[str], known: set[str]) -> None:
    refuse(
        f"There is no stream '{name}', which {place} names{did_you_mean(name, known)}"
        for name in names
        if name not in known
    )
