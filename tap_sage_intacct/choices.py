"""Whether what the settings name can be there at all, before Intacct is asked.

Pure; knows neither Singer nor the gateway.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tap_sage_intacct.setting_values import EVERY_OBJECT
from tap_sage_intacct.settings import InvalidSettings
from tap_sage_intacct.sources import DATA_SOURCE_BY_STREAM
from tap_sage_intacct.suggestions import did_you_mean

if TYPE_CHECKING:
    from tap_sage_intacct.settings import Settings


def check_settings_names(settings: Settings, offered: Iterable[str]) -> None:
    """Refuse settings of streams that there are not.

    Args:
        settings: of the run.
        offered: the streams of data sources that were found; some that are known may
            be missing, since the user may not read them.

    Raises:
        InvalidSettings: with the nearest right names.
    """
    known = {*_known_sources(settings), *offered}
    _refuse_unknown("filters", settings.filters, known)
    _refuse_unknown("related_fields", settings.related_fields, known)


def check_catalog_names(settings: Settings, catalogued: Iterable[str]) -> None:
    """Refuse a catalog's streams that there are not.

    Raises:
        InvalidSettings: with the nearest right names.
    """
    if any(extra.object_name == EVERY_OBJECT for extra in settings.extra_objects):
        # Which streams there are, only the company knows.
        return
    reports = (report.stream_name for report in settings.custom_reports)
    _refuse_unknown("the catalog", catalogued, {*_known_sources(settings), *reports})


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
    problems = [
        f"{name} needs the company's own metadata: set the credentials."
        for name, value in wanted.items()
        if value
    ]
    if problems:
        raise InvalidSettings(problems)


def _known_sources(settings: Settings) -> set[str]:
    return {
        *DATA_SOURCE_BY_STREAM,
        *(extra.stream_name for extra in settings.extra_objects),
    }


def _refuse_unknown(place: str, names: Iterable[str], known: set[str]) -> None:
    problems = [
        f"There is no stream '{name}', which {place} names{did_you_mean(name, known)}"
        for name in names
        if name not in known
    ]
    if problems:
        raise InvalidSettings(problems)
