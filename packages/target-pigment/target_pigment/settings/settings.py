"""What can be set, and the values in use. Each setting is declared here, and only here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from operator import methodcaller
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from target_pigment.completeness import EndMark
from target_pigment.load_modes import LOAD_MODES, LoadMode
from target_pigment.secret import Secret
from target_pigment.settings.declaring import schema_of

DELETED_AT = "_sdc_deleted_at"
"""The field in which a Singer record says that it was deleted, and when."""


ColumnType: TypeAlias = Literal["auto", "text", "number", "integer", "date", "boolean"]
"""What a column's cells must be; `auto` takes each value as it comes."""

DeletedRecords: TypeAlias = Literal["fail", "drop", "include"]
"""What to do with a record that carries `_sdc_deleted_at`."""


def _folder(text: str) -> Path | None:
    return Path(text) if text else None


def _secret(text: str) -> Secret:
    # Keys come out of files with a line break.
    return Secret(text.strip())


_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_NO_KEY = Secret("")

_Count: TypeAlias = Annotated[int, {"minimum": 1}]
_Id: TypeAlias = Annotated[str, str.lower]
_Key: TypeAlias = Annotated[Secret, _secret, {"secret": True, "writeOnly": True}]
_Mode: TypeAlias = Annotated[LoadMode | None, LOAD_MODES.get, {"enum": [*LOAD_MODES]}]
_Seconds: TypeAlias = Annotated[float, {"exclusiveMinimum": 0}]
_Url: TypeAlias = Annotated[str, methodcaller("rstrip", "/")]
_Folder: TypeAlias = Annotated[Path | None, _folder]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file.

    Attributes:
        name: of the field in the stream.
        header: in the file; Pigment matches on it [I]. The name where it is not given.
    """

    name: str
    header: str = ""
    type: ColumnType = "auto"

    def __post_init__(self) -> None:
        """Take the name for a header that is not given."""
        object.__setattr__(self, "header", self.header or self.name)


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How one stream, or all that match a glob, are loaded.

    Attributes:
        configuration_id: a UUID; empty only where samples are written.
        load_mode: None only where samples are written.
        columns: empty only where samples are written: all of SCHEMA's.
        null_values: column name to the cell that stands for null.
        order: lower is pushed first.
        deleted_records: as the two that follow, the stream's own, or else that of all.
    """

    configuration_id: _Id = ""
    load_mode: _Mode = None
    columns: tuple[Column, ...] = ()
    null_values: Mapping[str, str] = field(default_factory=dict)
    order: int = 0
    deleted_records: DeletedRecords = "fail"
    end_mark: EndMark = "auto"
    allow_incremental_replace: bool = False


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How cells and lines are written; as chosen in Pigment's wizard."""

    delimiter: Literal[",", ";"] = ","
    quotechar: Literal['"', "'"] = '"'
    encoding: Literal["utf-8", "iso-8859-1", "windows-1252"] = "utf-8"
    bom: bool = False
    line_ending: Literal["\r\n", "\n"] = "\r\n"
    decimal_separator: Literal[".", ","] = "."
    date_format: str = "%Y-%m-%d"
    datetime_as: Literal["date", "text"] = "date"
    timezone: str = "UTC"
    true_value: str = "TRUE"
    false_value: str = "FALSE"
    null_value: str = ""
    newlines: Literal["replace", "keep", "fail"] = "replace"


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """How often, and how long, a status is asked for; all in seconds."""

    interval: _Seconds = 2
    max_interval: _Seconds = 30
    timeout: _Seconds = 3600


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a call is made, and whether one with a lost answer is repeated."""

    max_attempts: _Count = 5
    on_ambiguous: Literal["auto", "stop"] = "auto"

    def repeats_ambiguous(self, mode: LoadMode) -> bool:
        """Whether a push that may have been accepted is sent again.

        There is no idempotency key, so some modes would double its rows [D].
        """
        return self.on_ambiguous == "auto" and not mode.doubles


@dataclass(frozen=True, slots=True)
class Settings:
    """The target's settings; what they mean is in their descriptions."""

    api_key: Annotated[
        _Key,
        "A key of type Import (Pigment: Settings > API keys). Needed unless `dry_run` or "
        "`write_samples_to` is set.",
        {"title": "API key"},
    ] = _NO_KEY
    metadata_api_key: Annotated[
        _Key,
        "A key of type Modeling Metadata: before the first push, and in a dry run, look "
        "whether every configuration exists and where it leads.",
        {"title": "Metadata API key"},
    ] = _NO_KEY
    application_id: Annotated[
        str | None,
        str.lower,
        "Where metadata_api_key looks: a UUID. All applications otherwise, one request "
        "for each block until every configuration is found.",
        {"title": "Application ID"},
    ] = None
    base_url: Annotated[
        _Url,
        "Where Pigment is, without /api; https unless on this machine.",
        {"title": "Base URL"},
    ] = "https://pigment.app"
    api_prefix: Annotated[
        Literal["/api/v1", "/api"],
        "`/api` is the legacy path, which never gives the detailed report: lost rows "
        "cannot be seen there.",
        {"title": "API prefix"},
    ] = "/api/v1"
    streams: Annotated[
        Mapping[str, StreamSettings],
        "Stream name or glob to "
        f"{{{', '.join(entry.name for entry in fields(StreamSettings))}}}; an exact name "
        "goes before globs, globs in their order.",
    ] = field(default_factory=dict)
    on_unmapped_stream: Annotated[
        Literal["fail", "warn", "ignore"],
        "A stream that `streams` does not name.",
    ] = "fail"
    on_new_field: Annotated[
        Literal["fail", "ignore"],
        "A field in SCHEMA that `columns` does not name: leave it out (said once), or "
        "fail. Never sent.",
    ] = "ignore"
    on_missing_field: Annotated[
        Literal["fail", "ignore"],
        "A column that SCHEMA does not have: fail, or send empty cells.",
    ] = "fail"
    csv: Annotated[
        CsvFormat,
        "How files are written; as chosen in Pigment's wizard. See below.",
        {"title": "CSV format"},
    ] = field(default_factory=CsvFormat)
    max_rows_per_push: Annotated[
        _Count,
        "append and upsert only: larger streams go in several pushes.",
        {"title": "Rows per push"},
    ] = 100_000
    max_bytes_per_push: Annotated[
        _Count,
        "As max_rows_per_push, in bytes. A guess: Pigment has a limit but does not "
        "publish it.",
        {"title": "Bytes per push"},
    ] = 20_000_000
    oversize_replace: Annotated[
        Literal["fail", "send_anyway"],
        "A replace larger than max_bytes_per_push. It is never split.",
    ] = "fail"
    allow_empty_replace: Annotated[
        bool,
        "Let a replace stream without records empty its block. Otherwise the "
        "run fails before the first push.",
    ] = False
    allow_incremental_replace: Annotated[
        bool,
        "Let a stream replace a block although it may hold only what "
        "changed: the rest would be deleted. A stream's own goes before it.",
    ] = False
    end_mark: Annotated[
        EndMark,
        "What must follow the last record of a replace or append stream as a sign that "
        "the tap did not die: ACTIVATE_VERSION, STATE, nothing (`none`), or what `auto` "
        "takes for one. A stream's own goes before it.",
    ] = "auto"
    deleted_records: Annotated[
        DeletedRecords,
        "Records with `_sdc_deleted_at`: fail, drop, or include (needs `_sdc_deleted_at` "
        "among the columns). A stream's own goes before it.",
    ] = "fail"
    poll: Annotated[
        PollPolicy,
        "{interval, max_interval, timeout} in seconds: how often, and how long, to ask "
        "whether an import is done. A time-out is a failure.",
    ] = field(default_factory=PollPolicy)
    retry: Annotated[
        RetryPolicy,
        "{max_attempts, on_ambiguous}. A push whose answer was lost is repeated in upsert "
        "and replace (`auto`) or never (`stop`); in append never.",
    ] = field(default_factory=RetryPolicy)
    request_timeout: Annotated[
        _Seconds,
        "How long to wait for an answer, in seconds.",
        {"title": "Request time-out"},
    ] = 300
    fail_on_skipped: Annotated[
        bool,
        "Fail when an import left rows out, or does not tell.",
    ] = True
    max_skipped_rows: Annotated[
        int,
        {"minimum": 0},
        "Per import; the larger of this and max_skipped_ratio holds.",
        {"title": "Skipped rows allowed"},
    ] = 0
    max_skipped_ratio: Annotated[
        float,
        {"minimum": 0, "maximum": 1},
        "Of the rows pushed, from 0 to 1.",
        {"title": "Skipped ratio allowed"},
    ] = 0
    fail_on_defaulted: Annotated[
        bool,
        "Fail, rather than warn, when unknown items became blank or default.",
    ] = False
    log_samples: Annotated[
        bool,
        "Show Pigment's samples of skipped values, which are your data.",
    ] = False
    write_samples_to: Annotated[
        _Folder,
        "A directory: write a sample file and a guide per stream for Pigment's wizard, "
        "and push nothing.",
    ] = None
    sample_rows: Annotated[_Count, "Rows in a sample file."] = 100
    dry_run: Annotated[
        bool,
        "Build and check all files, push nothing, pass on no STATE.",
    ] = False

    @property
    def pushes(self) -> bool:
        """Whether this run may change anything in Pigment."""
        return not self.dry_run and self.write_samples_to is None

    def for_stream(self, name: str) -> StreamSettings | None:
        """An exact name before any glob; None where neither is there."""
        globs = (s for glob, s in self.streams.items() if fnmatchcase(name, glob))
        return self.streams.get(name) or next(globs, None)

    def skipped_allowed(self, rows: int) -> float:
        """How many of so many rows pushed an import may leave out."""
        return max(self.max_skipped_rows, self.max_skipped_ratio * rows)


def settings_schema() -> dict[str, Any]:
    """What can be set, as JSON schema; a new one each time, since the SDK adds to it."""
    # The SDK has settings of its own.
    return schema_of(Settings) | {"$schema": _DRAFT, "additionalProperties": True}


SECRETS = [n for n, s in settings_schema()["properties"].items() if s.get("secret")]
"""The settings that no output may show."""
