"""A source by the name that a user gives it, and what the company offers of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tap_sage_intacct.catalog import discovery
from tap_sage_intacct.catalog.discovery import OfferedSource
from tap_sage_intacct.catalog.sources import DATA_SOURCES, DataSource
from tap_sage_intacct.errors import InvalidSettings, refuse
from tap_sage_intacct.selection.names import check_needs_no_lookup
from tap_sage_intacct.selection.reading_plan import Company
from tap_sage_intacct.settings.settings import Settings
from tap_sage_intacct.settings.suggestions import did_you_mean
from tap_sage_intacct.settings.values import EVERY_OBJECT, ExtraObject

Wanted = DataSource | ExtraObject


def source_named(name: str, settings: Settings) -> Wanted:
    """The source that a stream's or object's name means, in any case.

    Raises:
        InvalidSettings: there is no such source; with the nearest right names.
    """
    known: dict[str, Wanted] = {}
    extras = (e for e in settings.extra_objects if e.object_name != EVERY_OBJECT)
    sources: Iterable[Wanted] = (*DATA_SOURCES, *extras)
    for source in sources:
        known.setdefault(source.stream_name, source)
        known.setdefault(source.object_name, source)
    by_upper = {word.upper(): source for word, source in known.items()}
    found = by_upper.get(name.strip().upper())
    if found is None:
        raise InvalidSettings(f"There is no source '{name}'{did_you_mean(name, known)}")
    return found


def offered_source(
    company: Company, wanted: Wanted, settings: Settings
) -> OfferedSource:
    """What the company offers; without credentials, what the tap ships.

    Args:
        company: is asked where there are credentials.
        wanted: the source.
        settings: the related fields of the source.

    Raises:
        InvalidSettings: a related field leads nowhere, or credentials are needed.
    """
    paths = settings.related_fields.get(wanted.stream_name)
    chosen = replace(
        settings,
        extra_objects=() if isinstance(wanted, DataSource) else (wanted,),
        related_fields={wanted.stream_name: paths} if paths else {},
        custom_reports=(),
    )
    sources = [wanted] if isinstance(wanted, DataSource) else []
    if settings.gateway is None:
        check_needs_no_lookup(chosen)
        (found,) = map(discovery.shipped, sources)
    else:
        (found,) = discovery.described(company.gateway, sources, chosen)
    return found


def spelled(names: Iterable[str], known: Iterable[str], owner: str) -> tuple[str, ...]:
    """Fields as Intacct spells them.

    Raises:
        InvalidSettings: there is no such field; with the nearest right names.
    """
    known = list(known)
    spelling = {name.upper(): name for name in known} | {name: name for name in known}
    refuse(
        f"{owner} has no field '{name}'{did_you_mean(name, known)}"
        for name in names
        if name not in spelling and name.upper() not in spelling
    )
    return tuple(
        dict.fromkeys(spelling.get(name) or spelling[name.upper()] for name in names)
    )
