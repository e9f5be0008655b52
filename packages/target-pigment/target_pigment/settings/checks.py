"""What a JSON schema cannot check: whether an id is a UUID, whether a time zone exists."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from target_pigment.errors import InvalidSettings
from target_pigment.load_modes import LOAD_MODES
from target_pigment.settings.declaring import read
from target_pigment.settings.settings import (
    DELETED_AT,
    SECRETS,
    CsvFormat,
    Settings,
    StreamSettings,
)

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_OF_ALL = {f.name for f in fields(StreamSettings)} & {f.name for f in fields(Settings)}
"""What holds for each stream that has no such setting of its own."""


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Read a configuration that its JSON schema accepts.

    Raises:
        InvalidSettings: with every problem found.
    """
    for_all = _given({name: config.get(name) for name in _OF_ALL})
    streams = {
        pattern: {**for_all, **_given(entry)}
        for pattern, entry in (config.get("streams") or {}).items()
    }
    settings = read(Settings, {**config, "streams": streams})
    problems = [
        *_connection_problems(settings),
        *_csv_problems(settings.csv),
        *_stream_problems(settings),
    ]
    if problems:
        raise InvalidSettings(problems)
    return settings


def _given(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value is not None}


def _connection_problems(settings: Settings) -> Iterator[str]:
    if settings.pushes and not settings.api_key:
        yield (
            "api_key is missing: give a key of type Import, as TARGET_PIGMENT_API_KEY in "
            ".env or in the environment, or in the settings file."
        )
    for name in SECRETS:
        if not _fits_a_header(getattr(settings, name).reveal()):
            yield f"{name} holds a blank or a character that no key has; copy it again."
    if settings.application_id and not _is_uuid(settings.application_id):
        yield "application_id must be a UUID, as /api/v1/applications lists."
    try:
        url = urlsplit(settings.base_url)
        host = url.hostname
    except ValueError:
        yield "base_url is not an address; give https://pigment.app."
        return
    if not host or (url.scheme != "https" and host not in _LOOPBACK):
        yield "base_url must begin with https:// and name a host."
    if url.username or url.password or url.query or url.fragment:
        yield "base_url must hold no user, password, query or fragment."
    if url.path.strip("/"):
        yield "base_url must hold no path; /api is in api_prefix."


def _fits_a_header(key: str) -> bool:
    """Otherwise the HTTP library would quote the key in its error."""
    return key.isascii() and key.isprintable() and " " not in key


def _csv_problems(chosen: CsvFormat) -> Iterator[str]:
    try:
        ZoneInfo(chosen.timezone)
    except (KeyError, ValueError, OSError):
        yield f"csv.timezone '{chosen.timezone}' is unknown; give a name as Europe/Paris."
    if chosen.bom and chosen.encoding != "utf-8":
        yield "csv.bom goes with the encoding utf-8 only."
    if chosen.true_value == chosen.false_value:
        yield "csv.true_value and csv.false_value must differ."


def _stream_problems(settings: Settings) -> Iterator[str]:
    needs_all = settings.write_samples_to is None
    for pattern, stream in settings.streams.items():
        found = _own_problems(stream, needs_all=needs_all)
        yield from (f"streams.{pattern}.{problem}" for problem in found)
    if needs_all and not settings.streams:
        yield (
            "streams is empty: name each stream's configuration_id, load_mode and "
            "columns, or set write_samples_to to prepare them."
        )
    yield from _sharing_problems(settings.streams.values())


def _own_problems(stream: StreamSettings, *, needs_all: bool) -> Iterator[str]:
    """What is wrong with a stream's own settings, to go on after their place."""
    if needs_all and not stream.configuration_id:
        yield (
            "configuration_id is missing: copy it in Pigment from Block settings "
            "> Import configurations > Copy ID. Where meltano.yml names a variable for it, "
            "such as $PIGMENT_VENDORS_ID, set that in .env."
        )
    if needs_all and stream.load_mode is None:
        yield (
            f"load_mode is missing: one of {', '.join(LOAD_MODES)}, as the import "
            "configuration does."
        )
    if needs_all and not stream.columns:
        yield (
            "columns is missing: Pigment wants the same columns every time; "
            "write_samples_to prints them."
        )
    if stream.configuration_id and not _is_uuid(stream.configuration_id):
        yield (
            "configuration_id must be a UUID: copy it in Pigment from Block settings "
            "> Import configurations > Copy ID."
        )
    if stream.columns:
        yield from _column_problems(stream)


def _column_problems(stream: StreamSettings) -> Iterator[str]:
    names = [column.name for column in stream.columns]
    for name in _twice(names):
        yield f"columns names '{name}' twice."
    for header in _twice([column.header for column in stream.columns]):
        yield f"columns has the header '{header}' twice."
    for name in stream.null_values:
        if name not in names:
            yield f"null_values names '{name}', which is none of the columns."
    if stream.deleted_records == "include" and DELETED_AT not in names:
        yield (
            f"columns must name {DELETED_AT} while deleted_records is include, or deleted "
            "records would look alive."
        )


def _sharing_problems(streams: Collection[StreamSettings]) -> Iterator[str]:
    """Two streams that clear the same block wipe each other's rows."""
    ids = [stream.configuration_id for stream in streams if stream.configuration_id]
    clearing = {
        s.configuration_id for s in streams if s.load_mode and s.load_mode.clears
    }
    for id_ in _twice(ids):
        if id_ in clearing:
            yield (
                f"streams: configuration {id_} is given to several streams, and the last "
                "one pushed would delete the rows of the others; give each its own."
            )


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
