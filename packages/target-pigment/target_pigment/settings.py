"""Every setting once: its JSON schema for Singer, and the frozen value in use.

Reads no environment and opens nothing. `Settings.from_config` refuses what a schema
cannot tell (an id that is no UUID, a time zone that is none), all faults at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from singer_sdk import typing as th

from target_pigment.errors import InvalidSettings
from target_pigment.secret import Secret

DELETED_AT = "_sdc_deleted_at"
"""The field in which a Singer record says that it was deleted, and when."""

SECRETS = ("api_key", "metadata_api_key")
"""The settings that no output may show."""

_GROUPS = ("streams", "csv", "poll", "retry")

_PER_STREAM = ("deleted_records", "end_mark", "allow_incremental_replace")
"""Settings that a stream may have of its own."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class LoadMode(Enum):
    """How rows meet what a block holds; must agree with the import configuration.

    The clear option and the unique id behind it are saved in Pigment and cannot be read
    by API [D], so the user declares them here.
    """

    APPEND = "append"
    UPSERT = "upsert"
    REPLACE = "replace"
    SCOPED_REPLACE = "scoped_replace"

    @property
    def clears(self) -> bool:
        """Whether a push deletes rows that are not in its file."""
        return self in {LoadMode.REPLACE, LoadMode.SCOPED_REPLACE}


class ColumnType(Enum):
    """What a column's cells must be; AUTO takes each value as it comes."""

    AUTO = "auto"
    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    DATE = "date"
    BOOLEAN = "boolean"


class EndMark(Enum):
    """What shows that a tap gave a stream whole before its output ended."""

    AUTO = "auto"
    ACTIVATE_VERSION = "activate_version"
    STATE = "state"
    NONE = "none"


class Reaction(Enum):
    """What to do about something unforeseen in the tap's output."""

    FAIL = "fail"
    WARN = "warn"
    IGNORE = "ignore"


class DeletedRecords(Enum):
    """What to do with a record that carries `_sdc_deleted_at`."""

    FAIL = "fail"
    DROP = "drop"
    INCLUDE = "include"


def _words(kind: type[Enum]) -> list[str]:
    return [member.value for member in kind]


_COLUMN = th.OneOf(
    th.StringType,
    th.ObjectType(
        th.Property("name", th.StringType, required=True),
        th.Property("header", th.StringType),
        th.Property("type", th.StringType, allowed_values=_words(ColumnType)),
        additional_properties=False,
    ),
)

_STREAM = th.ObjectType(
    th.Property("configuration_id", th.StringType),
    th.Property("load_mode", th.StringType, allowed_values=_words(LoadMode)),
    th.Property("columns", th.ArrayType(_COLUMN)),
    th.Property("null_values", th.ObjectType(additional_properties=th.StringType)),
    th.Property("order", th.IntegerType),
    th.Property(
        "deleted_records", th.StringType, allowed_values=_words(DeletedRecords)
    ),
    th.Property("end_mark", th.StringType, allowed_values=_words(EndMark)),
    th.Property("allow_incremental_replace", th.BooleanType),
    additional_properties=False,
)

_CSV = th.ObjectType(
    th.Property("delimiter", th.StringType, default=",", allowed_values=[",", ";"]),
    th.Property("quotechar", th.StringType, default='"', allowed_values=['"', "'"]),
    th.Property(
        "encoding",
        th.StringType,
        default="utf-8",
        allowed_values=["utf-8", "iso-8859-1", "windows-1252"],
    ),
    th.Property("bom", th.BooleanType, default=False),
    th.Property(
        "line_ending", th.StringType, default="\r\n", allowed_values=["\r\n", "\n"]
    ),
    th.Property(
        "decimal_separator", th.StringType, default=".", allowed_values=[".", ","]
    ),
    th.Property("date_format", th.StringType, default="%Y-%m-%d"),
    th.Property(
        "datetime_as", th.StringType, default="date", allowed_values=["date", "text"]
    ),
    th.Property("timezone", th.StringType, default="UTC"),
    th.Property("true_value", th.StringType, default="TRUE"),
    th.Property("false_value", th.StringType, default="FALSE"),
    th.Property("null_value", th.StringType, default=""),
    th.Property(
        "newlines",
        th.StringType,
        default="replace",
        allowed_values=["replace", "keep", "fail"],
    ),
    additional_properties=False,
)

_POLL = th.ObjectType(
    th.Property("interval", th.NumberType(exclusive_minimum=0), default=2),
    th.Property("max_interval", th.NumberType(exclusive_minimum=0), default=30),
    th.Property("timeout", th.NumberType(exclusive_minimum=0), default=3600),
    additional_properties=False,
)

_RETRY = th.ObjectType(
    th.Property("max_attempts", th.IntegerType(minimum=1), default=5),
    th.Property(
        "on_ambiguous", th.StringType, default="auto", allowed_values=["auto", "stop"]
    ),
    additional_properties=False,
)

SETTINGS = th.PropertiesList(
    th.Property(
        "api_key",
        th.StringType,
        secret=True,
        title="API key",
        description="A key of type Import (Pigment: Settings > API keys). Needed unless "
        "`dry_run` or `write_samples_to` is set.",
    ),
    th.Property(
        "metadata_api_key",
        th.StringType,
        secret=True,
        title="Metadata API key",
        description="A key of type Modeling Metadata: before the first push, and in a dry "
        "run, look whether every configuration exists and where it leads.",
    ),
    th.Property(
        "application_id",
        th.StringType,
        title="Application ID",
        description="Where metadata_api_key looks: a UUID. All applications otherwise, "
        "one request for each block until every configuration is found.",
    ),
    th.Property(
        "base_url",
        th.StringType,
        default="https://pigment.app",
        title="Base URL",
        description="Where Pigment is, without /api; https unless on this machine.",
    ),
    th.Property(
        "api_prefix",
        th.StringType,
        default="/api/v1",
        allowed_values=["/api/v1", "/api"],
        title="API prefix",
        description="`/api` is the legacy path, which never gives the detailed report: "
        "lost rows cannot be seen there.",
    ),
    th.Property(
        "streams",
        th.ObjectType(additional_properties=_STREAM),
        title="Streams",
        description="Stream name or glob to {configuration_id, load_mode, columns, "
        "null_values, order, deleted_records, end_mark, allow_incremental_replace}; an exact "
        "name goes before globs, globs in their order.",
    ),
    th.Property(
        "on_unmapped_stream",
        th.StringType,
        default="fail",
        allowed_values=_words(Reaction),
        title="On unmapped stream",
        description="A stream that `streams` does not name.",
    ),
    th.Property(
        "on_new_field",
        th.StringType,
        default="ignore",
        allowed_values=["fail", "ignore"],
        title="On new field",
        description="A field in SCHEMA that `columns` does not name: leave it out (said "
        "once), or fail. Never sent.",
    ),
    th.Property(
        "on_missing_field",
        th.StringType,
        default="fail",
        allowed_values=["fail", "ignore"],
        title="On missing field",
        description="A column that SCHEMA does not have: fail, or send empty cells.",
    ),
    th.Property(
        "csv",
        _CSV,
        title="CSV format",
        description="How files are written; as chosen in Pigment's wizard. See below.",
    ),
    th.Property(
        "max_rows_per_push",
        th.IntegerType(minimum=1),
        default=100_000,
        title="Rows per push",
        description="append and upsert only: larger streams go in several pushes.",
    ),
    th.Property(
        "max_bytes_per_push",
        th.IntegerType(minimum=1),
        default=20_000_000,
        title="Bytes per push",
        description="As max_rows_per_push, in bytes. A guess: Pigment has a limit but "
        "does not publish it.",
    ),
    th.Property(
        "oversize_replace",
        th.StringType,
        default="fail",
        allowed_values=["fail", "send_anyway"],
        title="Oversize replace",
        description="A replace larger than max_bytes_per_push. It is never split.",
    ),
    th.Property(
        "allow_empty_replace",
        th.BooleanType,
        default=False,
        title="Allow empty replace",
        description="Let a replace stream without records empty its block. Otherwise the "
        "run fails before the first push.",
    ),
    th.Property(
        "allow_incremental_replace",
        th.BooleanType,
        default=False,
        title="Allow incremental replace",
        description="Let a stream replace a block although it may hold only what changed: "
        "the rest would be deleted. A stream's own goes before it.",
    ),
    th.Property(
        "end_mark",
        th.StringType,
        default="auto",
        allowed_values=_words(EndMark),
        title="End mark",
        description="What must follow the last record of a replace or append stream as a "
        "sign that the tap did not die: ACTIVATE_VERSION, STATE, nothing (`none`), or "
        "what `auto` takes for one. A stream's own goes before it.",
    ),
    th.Property(
        "deleted_records",
        th.StringType,
        default="fail",
        allowed_values=_words(DeletedRecords),
        title="Deleted records",
        description="Records with `_sdc_deleted_at`: fail, drop, or include (needs "
        "`_sdc_deleted_at` among the columns). A stream's own goes before it.",
    ),
    th.Property(
        "poll",
        _POLL,
        title="Poll",
        description="{interval, max_interval, timeout} in seconds: how often, and how "
        "long, to ask whether an import is done. A time-out is a failure.",
    ),
    th.Property(
        "retry",
        _RETRY,
        title="Retry",
        description="{max_attempts, on_ambiguous}. A push whose answer was lost is "
        "repeated in upsert and replace (`auto`) or never (`stop`); in append never.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0),
        default=300,
        title="Request time-out",
        description="How long to wait for an answer, in seconds.",
    ),
    th.Property(
        "fail_on_skipped",
        th.BooleanType,
        default=True,
        title="Fail on skipped",
        description="Fail when an import left rows out, or does not tell.",
    ),
    th.Property(
        "max_skipped_rows",
        th.IntegerType(minimum=0),
        default=0,
        title="Skipped rows allowed",
        description="Per import; the larger of this and max_skipped_ratio holds.",
    ),
    th.Property(
        "max_skipped_ratio",
        th.NumberType(minimum=0, maximum=1),
        default=0,
        title="Skipped ratio allowed",
        description="Of the rows pushed, from 0 to 1.",
    ),
    th.Property(
        "fail_on_defaulted",
        th.BooleanType,
        default=False,
        title="Fail on defaulted",
        description="Fail, rather than warn, when unknown items became blank or default.",
    ),
    th.Property(
        "log_samples",
        th.BooleanType,
        default=False,
        title="Log samples",
        description="Show Pigment's samples of skipped values, which are your data.",
    ),
    th.Property(
        "write_samples_to",
        th.StringType,
        title="Write samples to",
        description="A directory: write a sample file and a guide per stream for Pigment's "
        "wizard, and push nothing.",
    ),
    th.Property(
        "sample_rows",
        th.IntegerType(minimum=1),
        default=100,
        title="Sample rows",
        description="Rows in a sample file.",
    ),
    th.Property(
        "dry_run",
        th.BooleanType,
        default=False,
        title="Dry run",
        description="Build and check all files, push nothing, pass on no STATE.",
    ),
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file.

    Attributes:
        name: of the field in the stream.
        header: in the file; Pigment matches on it [I].
    """

    name: str
    header: str
    type: ColumnType = ColumnType.AUTO


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How one stream, or all that match a glob, are loaded.

    Attributes:
        pattern: the name or glob.
        configuration_id: a UUID; empty only where samples are written.
        load_mode: None only where samples are written.
        columns: empty only where samples are written: all of SCHEMA's.
        null_values: column name to the cell that stands for null.
        order: lower is pushed first.
        deleted_records: as the two that follow, the stream's own, or else that of all.
    """

    pattern: str
    configuration_id: str = ""
    load_mode: LoadMode | None = None
    columns: tuple[Column, ...] = ()
    null_values: Mapping[str, str] = field(default_factory=dict)
    order: int = 0
    deleted_records: DeletedRecords = DeletedRecords.FAIL
    end_mark: EndMark = EndMark.AUTO
    allow_incremental_replace: bool = False


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How cells and lines are written; as chosen in Pigment's wizard."""

    delimiter: str = ","
    quotechar: str = '"'
    encoding: str = "utf-8"
    bom: bool = False
    line_ending: str = "\r\n"
    decimal_separator: str = "."
    date_format: str = "%Y-%m-%d"
    datetime_as: str = "date"
    timezone: str = "UTC"
    true_value: str = "TRUE"
    false_value: str = "FALSE"
    null_value: str = ""
    newlines: str = "replace"


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """How often, and how long, a status is asked for; all in seconds."""

    interval: float = 2
    max_interval: float = 30
    timeout: float = 3600


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a call is made, and whether one with a lost answer is repeated."""

    max_attempts: int = 5
    on_ambiguous: str = "auto"

    def repeats_ambiguous(self, mode: LoadMode) -> bool:
        """Whether a push that may have been accepted is sent again.

        Never in append: there is no idempotency key, and rows would be doubled [D].
        """
        return self.on_ambiguous == "auto" and mode is not LoadMode.APPEND


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much an import may leave out and still be taken for a success."""

    fail_on_skipped: bool = True
    max_skipped_rows: int = 0
    max_skipped_ratio: float = 0
    fail_on_defaulted: bool = False
    log_samples: bool = False

    def skipped_allowed(self, rows: int) -> float:
        """Of so many rows pushed."""
        return max(self.max_skipped_rows, self.max_skipped_ratio * rows)


@dataclass(frozen=True, slots=True)
class Settings:
    """The target's settings, checked.

    Attributes:
        metadata_api_key: empty to push without a look at where configurations lead.
        application_id: empty for all that the metadata key sees.
        request_timeout: seconds.
        write_samples_to: None to push.
    """

    api_key: Secret
    metadata_api_key: Secret
    application_id: str
    base_url: str
    api_prefix: str
    streams: tuple[StreamSettings, ...]
    on_unmapped_stream: Reaction
    on_new_field: Reaction
    on_missing_field: Reaction
    csv: CsvFormat
    max_rows_per_push: int
    max_bytes_per_push: int
    oversize_replace: str
    allow_empty_replace: bool
    poll: PollPolicy
    retry: RetryPolicy
    request_timeout: float
    tolerance: Tolerance
    write_samples_to: Path | None
    sample_rows: int
    dry_run: bool

    @property
    def pushes(self) -> bool:
        """Whether this run may change anything in Pigment."""
        return not self.dry_run and self.write_samples_to is None

    def for_stream(self, name: str) -> StreamSettings | None:
        """An exact name before any glob; None where neither is there."""
        for stream in self.streams:
            if stream.pattern == name:
                return stream
        return next((s for s in self.streams if fnmatchcase(name, s.pattern)), None)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Read a configuration that its JSON schema accepts.

        Raises:
            InvalidSettings: with every problem found.
        """
        given = _with_defaults(config)
        problems = [
            *_connection_problems(given),
            *_csv_problems(given["csv"]),
            *_stream_problems(given),
        ]
        if problems:
            raise InvalidSettings(problems)
        return _checked(given)


def _with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    properties = SETTINGS.to_dict()["properties"]
    given = {name: s["default"] for name, s in properties.items() if "default" in s}
    # Not defaults in the schema: the SDK would write into the one object they are.
    given.update({name: {} for name in _GROUPS})
    given.update({name: value for name, value in config.items() if value is not None})
    for_all = {name: given[name] for name in _PER_STREAM}
    given["streams"] = {
        pattern: {**for_all, **{n: v for n, v in entry.items() if v is not None}}
        for pattern, entry in given["streams"].items()
    }
    return given


def _checked(given: Mapping[str, Any]) -> Settings:
    samples = given.get("write_samples_to")
    return Settings(
        api_key=_secret(given, "api_key"),
        metadata_api_key=_secret(given, "metadata_api_key"),
        application_id=(given.get("application_id") or "").lower(),
        base_url=given["base_url"].rstrip("/"),
        api_prefix=given["api_prefix"],
        streams=tuple(_stream(*item) for item in given["streams"].items()),
        on_unmapped_stream=Reaction(given["on_unmapped_stream"]),
        on_new_field=Reaction(given["on_new_field"]),
        on_missing_field=Reaction(given["on_missing_field"]),
        csv=CsvFormat(**given["csv"]),
        max_rows_per_push=given["max_rows_per_push"],
        max_bytes_per_push=given["max_bytes_per_push"],
        oversize_replace=given["oversize_replace"],
        allow_empty_replace=given["allow_empty_replace"],
        # From the environment the SDK reads fractions as Decimal.
        poll=PollPolicy(**{name: float(n) for name, n in given["poll"].items()}),
        retry=RetryPolicy(**given["retry"]),
        request_timeout=float(given["request_timeout"]),
        tolerance=Tolerance(
            given["fail_on_skipped"],
            given["max_skipped_rows"],
            float(given["max_skipped_ratio"]),
            given["fail_on_defaulted"],
            given["log_samples"],
        ),
        write_samples_to=Path(samples) if samples else None,
        sample_rows=given["sample_rows"],
        dry_run=given["dry_run"],
    )


def _secret(given: Mapping[str, Any], name: str) -> Secret:
    """Without the line break with which keys come out of files."""
    return Secret((given.get(name) or "").strip())


def _stream(pattern: str, given: Mapping[str, Any]) -> StreamSettings:
    mode = given.get("load_mode")
    return StreamSettings(
        pattern,
        (given.get("configuration_id") or "").lower(),
        LoadMode(mode) if mode else None,
        tuple(_column(entry) for entry in given.get("columns") or ()),
        dict(given.get("null_values") or {}),
        given.get("order") or 0,
        DeletedRecords(given["deleted_records"]),
        EndMark(given["end_mark"]),
        given["allow_incremental_replace"],
    )


def _column(entry: str | Mapping[str, str]) -> Column:
    if isinstance(entry, str):
        return Column(entry, entry)
    kind = ColumnType(entry.get("type") or ColumnType.AUTO.value)
    return Column(entry["name"], entry.get("header") or entry["name"], kind)


def _connection_problems(given: Mapping[str, Any]) -> list[str]:
    problems = []
    pushes = not given["dry_run"] and not given.get("write_samples_to")
    if pushes and not given.get("api_key"):
        problems.append(
            "api_key is missing: give a key of type Import, as TARGET_PIGMENT_API_KEY in "
            ".env or in the environment, or in the settings file."
        )
    problems += [
        f"{name} holds a blank or a character that no key has; copy it again."
        for name in SECRETS
        if not _fits_a_header(_secret(given, name).reveal())
    ]
    application_id = given.get("application_id")
    if application_id and not _is_uuid(application_id):
        problems.append("application_id must be a UUID, as /api/v1/applications lists.")
    try:
        url = urlsplit(given["base_url"])
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


def _csv_problems(given: Mapping[str, Any]) -> list[str]:
    problems = []
    chosen = CsvFormat(**given)
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


def _stream_problems(given: Mapping[str, Any]) -> list[str]:
    problems = []
    needs_all = not given.get("write_samples_to")
    for pattern, entry in given["streams"].items():
        stream = _stream(pattern, entry)
        where = f"streams.{pattern}"
        if needs_all:
            problems += _missing_choices(where, stream)
        if stream.configuration_id and not _is_uuid(stream.configuration_id):
            problems.append(
                f"{where}.configuration_id must be a UUID: copy it in Pigment from "
                "Block settings > Import configurations > Copy ID."
            )
        problems += _column_problems(where, stream)
    if needs_all and not given["streams"]:
        problems.append(
            "streams is empty: name each stream's configuration_id, load_mode and "
            "columns, or set write_samples_to to prepare them."
        )
    return problems + _shared_configurations(given["streams"])


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
            f"{where}.load_mode is missing: one of {', '.join(_words(LoadMode))}, as the "
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
    includes = stream.deleted_records is DeletedRecords.INCLUDE
    if names and includes and DELETED_AT not in names:
        problems.append(
            f"{where}.columns must name {DELETED_AT} while deleted_records is include, "
            "or deleted records would look alive."
        )
    return problems


def _shared_configurations(streams: Mapping[str, Any]) -> list[str]:
    """Two streams that clear the same block wipe each other's rows."""
    parsed = [_stream(*item) for item in streams.items()]
    clearing = {
        s.configuration_id for s in parsed if s.load_mode and s.load_mode.clears
    }
    twice = _twice([s.configuration_id for s in parsed if s.configuration_id])
    return [
        f"streams: configuration {id_} is given to several streams, and the last one "
        "pushed would delete the rows of the others; give each its own."
        for id_ in twice
        if id_ in clearing
    ]


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
