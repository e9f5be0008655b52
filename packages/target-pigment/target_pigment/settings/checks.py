"""What a JSON schema cannot check: whether an id is a UUID, whether a time zone exists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def _connection_problems(settings: Settings) -> list[str]:
    problems = []
    if settings.pushes and not settings.api_key:
        problems.append(
            "api_key is missing: give a key of type Import, as TARGET_PIGMENT_API_KEY in "
            ".env or in the environment, or in the settings file."
        )
    problems += [
        f"{name} holds a blank or a character that no key has; copy it again."
        for name in SECRETS
        if not _fits_a_header(getattr(settings, name).reveal())
    ]
    if settings.application_id and not _is_uuid(settings.application_id):
        problems.append("application_id must be a UUID, as /api/v1/applications lists.")
    try:
        url = urlsplit(settings.base_url)
        host = url.hostname
    except ValueError:
        return [*problems, "base_url is not an address; give https://pigment.app."]
    if not host or (url.scheme != "https" and host not in _LOOPBACK):
        problems.append("base_url must begin with https:// and name a host.")
    if url.username or url.password or url.query or url.fragment:
        problems.append("base_url must hold no user, password, query or fragment.")
    if url.path.strip("/"):
        problems.append("base_url must hold no path; /api is in api_prefix.")
    return problems


def _fits_a_header(key: str) -> bool:
    """Otherwise the HTTP library would quote the key in its error."""
    return key.isascii() and key.isprintable() and " " not in key


def _csv_problems(chosen: CsvFormat) -> list[str]:
    problems = []
    try:
        ZoneInfo(chosen.timezone)
    except (KeyError, ValueError, OSError):
        problems.append(
            f"csv.timezone '{chosen.timezone}' is unknown; give a name as Europe/Paris."
        )
    if chosen.bom and chosen.encoding != "utf-8":
        problems.append("csv.bom goes with the encoding utf-8 only.")
    if chosen.true_value == chosen.false_value:
        problems.append("csv.true_value and csv.false_value must differ.")
    return problems


def _stream_problems(settings: Settings) -> list[str]:
    problems = []
    needs_all = settings.write_samples_to is None
    for pattern, stream in settings.streams.items():
        where = f"streams.{pattern}"
        if needs_all:
            problems += _missing_choices(where, stream)
        if stream.configuration_id and not _is_uuid(stream.configuration_id):
            problems.append(
                f"{where}.configuration_id must be a UUID: copy it in Pigment from "
                "Block settings > Import configurations > Copy ID."
            )
        problems += _column_problems(where, stream)
    if needs_all and not settings.streams:
        problems.append(
            "streams is empty: name each stream's configuration_id, load_mode and "
            "columns, or set write_samples_to to prepare them."
        )
    return problems + _shared_configurations(settings.streams.values())


def _missing_choices(where: str, stream: StreamSettings) -> list[str]:
    problems = []
    if not stream.configuration_id:
        problems.append(
            f"{where}.configuration_id is missing: copy it in Pigment from Block settings "
            "> Import configurations > Copy ID. Where meltano.yml names a variable for it, "
            "such as $PIGMENT_VENDORS_ID, set that in .env."
        )
    if stream.load_mode is None:
        problems.append(
            f"{where}.load_mode is missing: one of {', '.join(LOAD_MODES)}, as the "
            "import configuration does."
        )
    if not stream.columns:
        problems.append(
            f"{where}.columns is missing: Pigment wants the same columns every time; "
            "write_samples_to prints them."
        )
    return problems


def _column_problems(where: str, stream: StreamSettings) -> list[str]:
    problems = []
    names = [column.name for column in stream.columns]
    headers = [column.header for column in stream.columns]
    problems += [f"{where}.columns names '{n}' twice." for n in _twice(names)]
    problems += [
        f"{where}.columns has the header '{h}' twice." for h in _twice(headers)
    ]
    problems += [
        f"{where}.null_values names '{name}', which is none of the columns."
        for name in stream.null_values
        if names and name not in names
    ]
    includes = stream.deleted_records == "include"
    if names and includes and DELETED_AT not in names:
        problems.append(
            f"{where}.columns must name {DELETED_AT} while deleted_records is include, "
            "or deleted records would look alive."
        )
    return problems


def _shared_configurations(streams: Iterable[StreamSettings]) -> list[str]:
    """Two streams that clear the same block wipe each other's rows."""
    placed = [stream for stream in streams if stream.configuration_id]
    clearing = {
        s.configuration_id for s in placed if s.load_mode and s.load_mode.clears
    }
    return [
        f"streams: configuration {id_} is given to several streams, and the last one "
        "pushed would delete the rows of the others; give each its own."
        for id_ in _twice([stream.configuration_id for stream in placed])
        if id_ in clearing
    ]


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
