"""Every setting once, as JSON schema: name, type, default and what it is for."""

from __future__ import annotations

from singer_sdk import typing as th

from tap_sage_intacct.intacct.reader import MAX_QUERY_PAGE
from tap_sage_intacct.intacct.xml.gateway import DEFAULT_API_URL

SETTINGS = th.PropertiesList(
    th.Property(
        "company_id",
        th.StringType,
        required=True,
        title="Company ID",
        description="The company to sign in to, as on Intacct's sign-in page.",
    ),
    th.Property(
        "user_id",
        th.StringType,
        required=True,
        title="User ID",
        description="The web services user (Company > Admin > Web Services users).",
    ),
    th.Property(
        "user_password",
        th.StringType,
        required=True,
        secret=True,
        title="User password",
        description="The web services user's password.",
    ),
    th.Property(
        "sender_id",
        th.StringType,
        required=True,
        title="Sender ID",
        description="The web services sender that Sage issued; the company must have "
        "authorised it (Company > Company Info > Security).",
    ),
    th.Property(
        "sender_password",
        th.StringType,
        required=True,
        secret=True,
        title="Sender password",
        description="The web services sender's password.",
    ),
    th.Property(
        "entity_id",
        th.StringType,
        title="Entity ID",
        description="Sign in to this one entity instead of the top level.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        default=DEFAULT_API_URL,
        title="API URL",
        description="Where to sign in. The endpoint that sign-in returns is used only if "
        "it is https within the same registrable domain, or the same host and port.",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="The first sync of incremental streams leaves out what was last "
        "modified before this instant (ISO 8601; UTC unless it says otherwise). "
        "Default: everything.",
    ),
    th.Property(
        "filters",
        th.ObjectType(additional_properties=True),
        default={},
        title="Filters",
        description="Stream name to a SQL-like condition on field ids "
        "(`STATE = 'Posted' AND TOTALDUE > 1000`), or to a list of "
        "{field, operator, value}.",
    ),
    th.Property(
        "related_fields",
        th.ObjectType(additional_properties=th.ArrayType(th.StringType)),
        default={},
        title="Related fields",
        description="Stream name to paths into parent objects, such as "
        "`VENDOR.CREDITLIMIT` for bills: each becomes a field of the stream.",
    ),
    th.Property(
        "balance_periods",
        th.CustomType(
            {"type": ["array", "object", "string"], "items": {"type": "string"}}
        ),
        default=[],
        title="Balance periods",
        description="The budgetable reporting periods that gl_account_balances reads: "
        "names such as `Month Ended June 2026`, or {from, to, type} with type `month`, "
        "`quarter` or `year`; without `to`, up to the day of the run. A condition on "
        "PERIOD in `filters` names them too.",
    ),
    th.Property(
        "balance_books",
        th.ArrayType(th.StringType),
        default=[],
        title="Balance books",
        description="The BOOKIDs that gl_account_balances reads, such as `ACCRUAL`. "
        "Default: all, which repeat the same postings.",
    ),
    th.Property(
        "balance_leave_out_zero",
        th.BooleanType,
        default=False,
        title="Leave out zero balances",
        description="Leave out balances whose amounts are all zero.",
    ),
    th.Property(
        "balance_reread_periods",
        th.IntegerType(minimum=0),
        default=2,
        title="Balance periods read again",
        description="How many of the latest periods each run reads again. Earlier ones "
        "are read again when Intacct tells of a change in them.",
    ),
    th.Property(
        "custom_reports",
        th.ArrayType(
            th.ObjectType(
                th.Property("name", th.StringType, required=True),
                th.Property("stream_name", th.StringType),
                th.Property(
                    "type",
                    th.StringType,
                    allowed_values=["interactive", "original"],
                ),
                th.Property("arguments", th.ObjectType(additional_properties=True)),
                th.Property("primary_keys", th.ArrayType(th.StringType)),
                th.Property("typed", th.BooleanType),
                additional_properties=False,
            )
        ),
        default=[],
        title="Custom reports",
        description="Custom reports to load, a stream each: {name, stream_name, type, "
        "arguments, primary_keys, typed}.",
    ),
    th.Property(
        "report_timeout_minutes",
        th.IntegerType(minimum=1),
        default=60,
        title="Report time-out",
        description="How long to wait for a custom report, in minutes.",
    ),
    th.Property(
        "extra_objects",
        th.ArrayType(
            th.OneOf(
                th.StringType,
                th.ObjectType(
                    th.Property("object", th.StringType, required=True),
                    th.Property("stream_name", th.StringType),
                    th.Property("primary_keys", th.ArrayType(th.StringType)),
                    th.Property("replication_key", th.StringType),
                    th.Property("docparid", th.StringType),
                    additional_properties=False,
                ),
            )
        ),
        default=[],
        title="Extra objects",
        description="Any other standard or custom object, or user-defined dimension, to "
        "load as a stream: its name, or {object, stream_name, primary_keys, "
        "replication_key, docparid}. `*` offers all that the company has.",
    ),
    th.Property(
        "entities",
        th.CustomType({"type": ["array", "string"], "items": {"type": "string"}}),
        default=[],
        title="Entities",
        description="Read entity by entity, by the entities' IDs, or `all`: each record "
        "gets an `_entity_id`, which becomes part of its key.",
    ),
    th.Property(
        "include_deletes",
        th.BooleanType,
        default=False,
        title="Include deletions",
        description="Emit a record that holds the primary key and `_sdc_deleted_at` for "
        "each deletion that the audit trail tells of (needs View permission on custom "
        "reports), and with `key_store` for those that it does not.",
    ),
    th.Property(
        "key_store",
        th.StringType,
        title="Key store",
        description="Path of a SQLite file in which the tap remembers the keys that it "
        "loaded, for deletions that the audit trail does not tell or names by another "
        "id. Made if missing; losing it costs one scan of the keys.",
    ),
    th.Property(
        "include_sensitive",
        th.CustomType(
            {"type": ["boolean", "array", "string"], "items": {"type": "string"}}
        ),
        default=False,
        title="Include sensitive fields",
        description="Which bank, tax, pay and personal fields discovery offers: `true` "
        "for all, or a list of `stream.FIELD` patterns such as `employees.BIRTHDATE`. "
        "Other sensitive fields cannot be selected.",
    ),
    th.Property(
        "sensitive",
        th.StringType,
        default="drop",
        allowed_values=["drop", "hash", "keep"],
        title="Sensitive fields",
        description="What becomes of sensitive fields. `drop`: only those that "
        "include_sensitive allows are offered, as they are. `hash`: they are offered as "
        "keyed hashes, never as they are. `keep`: they are offered as they are. With "
        "`hash` and `keep`, a list in include_sensitive narrows what is offered.",
    ),
    th.Property(
        "sensitive_salt",
        th.StringType,
        secret=True,
        title="Salt of hashes",
        description="The key of the hashes of `sensitive: hash` (HMAC-SHA256): a long "
        "random text. Another salt gives other hashes.",
    ),
    th.Property(
        "lookback_minutes",
        th.IntegerType(minimum=0),
        default=120,
        title="Lookback",
        description="Overlap of incremental syncs, in minutes: Intacct shows some rows "
        "late.",
    ),
    th.Property(
        "user_timezone",
        th.StringType,
        title="Time zone of the API user",
        description="IANA name of the time zone in the API user's preferences, such as "
        "America/Los_Angeles; not needed if that is GMT. Intacct tells its current "
        "offset only, which is wrong for half of the timestamps of a zone with daylight "
        "saving.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=MAX_QUERY_PAGE),
        default=MAX_QUERY_PAGE,
        title="Page size",
        description="Rows asked for per call, at most 2,000 (1,000 where the object is "
        "read by readByQuery). Halved by the tap after a time-out.",
    ),
    th.Property(
        "paging",
        th.StringType,
        default="auto",
        allowed_values=["auto", "offset"],
        title="Paging",
        description="`auto` cuts pages by key, which cannot drift; `offset` takes them by "
        "offset under the eyes of the drift detector, for comparison.",
    ),
    th.Property(
        "response_format",
        th.StringType,
        default="auto",
        allowed_values=["auto", "xml", "json"],
        title="Response format",
        description="What the pages of a stream come in, except the first, the last and "
        "those that only XML serves. `auto`: JSON, which is read several times as fast, "
        "or XML where Intacct does not serve it; `json`: fail if Intacct refuses it.",
    ),
    th.Property(
        "on_drift",
        th.StringType,
        default="repair",
        allowed_values=["repair", "warn", "fail"],
        title="On drift",
        description="Rows moved across pages while they were read: read again what is "
        "affected, go on with a warning and leave the bookmark where it was, or end "
        "with exit code 1.",
    ),
    th.Property(
        "on_bad_value",
        th.StringType,
        default="fail",
        allowed_values=["fail", "null"],
        title="On bad value",
        description="A value that is not of its field's type, such as `N/A` in a number "
        "or 12.5 in an integer: end with exit code 1, or load null and count. In YAML "
        'write `"null"`, with quotes. Keys always fail.',
    ),
    th.Property(
        "on_denied",
        th.StringType,
        default="warn",
        allowed_values=["warn", "fail"],
        title="On denied",
        description="A selected stream whose object the user's role may not read: skip "
        "it with a warning, or also end with exit code 1 after the other streams.",
    ),
    th.Property(
        "on_changed_selection",
        th.StringType,
        default="warn",
        allowed_values=["warn", "reload", "fail"],
        title="On changed selection",
        description="The filter, start_date, entities or fields of an incremental stream "
        "changed since its state was written, so that rows or values are missing: say so "
        "and go on, load the stream anew, or end with exit code 1 before any data moves.",
    ),
    th.Property(
        "max_connections",
        th.IntegerType(minimum=1),
        default=2,
        title="Connections",
        description="Calls that may be in flight at once. Intacct allows a company only "
        "few, shared with all its other integrations.",
    ),
    th.Property(
        "request_timeout_seconds",
        th.IntegerType(minimum=1),
        default=300,
        title="Request time-out",
        description="How long to wait for a whole answer, in seconds. Intacct itself works on "
        "a call for up to 15 minutes.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType(minimum=0),
        default=8,
        title="Retries",
        description="Retries of a call that failed for a passing reason, with growing "
        "pauses.",
    ),
    th.Property(
        "maintenance_window",
        th.ObjectType(
            th.Property("start", th.StringType),
            th.Property("end", th.StringType),
            th.Property("timezone", th.StringType),
            th.Property(
                "action",
                th.StringType,
                allowed_values=["ignore", "warn", "wait", "fail"],
            ),
            additional_properties=False,
        ),
        default={},
        title="Maintenance window",
        description="{start, end, timezone, action}: hours of each day in which Intacct "
        "may be off-line (00:00 to 02:00 America/Los_Angeles), and what a run does that "
        "meets them: ignore, warn, wait or fail.",
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=True,
        title="Emit ACTIVATE_VERSION",
        description="After the last record of a stream that is read whole, tell the "
        "target to drop the rows that did not come again.",
    ),
)


SETTING_NAMES = frozenset(SETTINGS.to_dict()["properties"])


SECRET_SETTINGS = frozenset(
    name
    for name, schema in SETTINGS.to_dict()["properties"].items()
    if schema.get("secret")
)
