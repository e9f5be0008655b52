"""Every behaviour of the gateway that is unknown, optional or the tenant's choice.

A client is tested against both readings of what Sage does not document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from intacct_sandbox.company.definitions import read_facts
from intacct_sandbox.company.reports import REPORTS, Report
from intacct_sandbox.wire.formatting import UserFormatting

# Refused by `query` although `lookup` lists them [C].
_UNQUERYABLE: Mapping[str, frozenset[str]] = {
    name: frozenset(fields) for name, fields in read_facts("unqueryable").items()
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may sign in. Published on purpose: the sandbox guards nothing.

    The passwords hold characters that XML must escape, and words that occur
    nowhere else, so that a log can be searched for them.
    """

    company_id: str = "sandbox"
    user_id: str = "tap_user"
    user_password: str = "user-pa55&<w0rd>"  # noqa: S105 - published
    sender_id: str = "sandbox_sender"
    sender_password: str = 'sender-s3cret&"x"'  # noqa: S105 - published


PLAIN_CREDENTIALS = Credentials(
    user_password="user-pa55w0rd",  # noqa: S106 - published
    sender_password="sender-s3cret",  # noqa: S106 - published
)
"""For clients that put passwords into XML as they are, which real ones do [C]."""


@dataclass(frozen=True, slots=True)
class Switches:
    """How this sandbox behaves where real tenants differ or nothing is known.

    Signing in:
        session_seconds: life of a session after its last call; sliding [D].
            Tenants show 2 to 24 hours [C].
        endpoint: what getAPISession answers; None is the sandbox's own URL.
            Real ones name another host of intacct.com [D].
        session_timestamp: `sessiontimestamp` is when the call was answered, as in
            Sage's examples [D], or when the session began [?]; or it is missing.
        http_date_ahead: seconds by which the HTTP header `Date` is ahead of the
            company's clock, or behind it; None: the header is not sent.
        clock_ahead: seconds by which `sessiontimestamp` is ahead of the company's
            clock, which stamps the rows.
        session_timeout_sent: `sessiontimeout` in the authentication block; some
            captures lack it [C].
        sender_authorised: the company's list names the sender [D].
        web_services_subscribed: the company may use the gateway at all [D].
        address_allowed: the company's address filter lets the caller in; that there
            is such a filter is known, how it is answered is not [?].
        results_of: whose the result sets of readByQuery and the report runs are: the
            user's, in whatever session, as Sage's own examples need, which sign in
            new for each call [C]; or one session's. How long they live is not
            known [?]; here, as long as a session after its user's last call.
        refused_at_gateway: wrong credentials are answered by the HTTP gateway,
            with 400 GW-0011 or 401 XMLGW_JPP0002, rather than by the XML one [C].
        max_functions: functions in one request; no number is published [?].
        max_connections: calls in flight before HTTP 429; None: no limit. Tier 1
            allows 6 per application, older companies 2 [D/C].

    The user:
        formatting: the API user's preferences, which rule every date [C].
        denied_objects: objects the role may not read: PL04000005 [C].
        unsubscribed_objects: objects of modules the company does not have; the
            answer is the same [C]. An application without any other object is
            missing from the user's permissions [I].
        api_usage: the object that counts billed calls is offered to the user; there
            is one [C], who may read it is unknown [?].

    Texts:
        unknown_fields: XL03000010 lists names in brackets, or names
            the first one behind a dot; both were met [C].
        double_escaped_errors: error texts are HTML inside XML [C].

    query:
        unordered: without `orderby` the order is arbitrary from call to call
            [D], or happens to be the natural one.
        nulls_first: place of nulls in an ascending order [?]; Oracle has them last.
        unqueryable: listed by lookup, refused by query [C].
        query_serves_all: objects documented for readByQuery only (REVRECSCHEDULE
            ...) are served by query too [?].
        json: `returnformat` json is served [D]; ignored, so that XML comes; or
            refused [?].
        json_empty: what JSON without rows looks like: an empty list [I], or a body
            of no bytes, as CSV's is [C].
        json_null: a null is JSON's `null`, as the one production client that reads
            JSON expects [C]; an empty text; or its member is absent [?].
        sum_prefixed: aggregates come back as `SUM.X` [I] or plain `X` [D, one
            example]; COUNT is always prefixed [D].
        numeric_text_keys: a TEXT RECORDNO is compared as a number where both
            sides are all digits; otherwise as text [?].

    Balances:
        balance_query: `query` on GLACCOUNTBALANCE is served, refused, or
            answered with no rows [?].
        balance_without_period: a call that names no PERIOD fails with
            DL02000001 [I] or finds nothing [C].
        balance_period_lists: `PERIOD in (...)` counts as naming it [?].

    readByQuery:
        max_page_rows: largest `pagesize`; 1,000 is documented [D], 2,000 was
            accepted once [C].
        result_id_missing: a full page comes without resultId [C].
        read_by_query_private: rows of private entities are served at top level;
            the function has no option for it [?].

    Contract revenue and expense schedule entries:
        schedule_entries: served by lookup and query (`queried`); by readByQuery
            alone and without lookup (`legacy`); or not at all, while `read` of
            the parent schedule nests them (`nested`) [?].

    Reports:
        reports: the custom reports the user may run.
        report_polls: polls that find a report not ready.
        report_pending_status: what they are told: PENDING is confirmed, INPROGRESS
            and INWAIT are on a peer's defensive list [C].
        report_status: what a report ends with instead of rows, if set: FAILED,
            ERROR and CANCELLED are on the same list [C].
        report_shape: rows are fetched by reportId (`report`) [D], or stand in the
            answer to readReport itself (`rows`), which a peer handles as rare [C].
        report_unnamed: a column without a name is sent under its number, or left
            out [?].
    """

    session_seconds: int = 6 * 3600
    endpoint: str | None = None
    session_timestamp: Literal["call", "sign_in", "none"] = "call"
    http_date_ahead: int | None = 0
    clock_ahead: int = 0
    session_timeout_sent: bool = True
    sender_authorised: bool = True
    web_services_subscribed: bool = True
    address_allowed: bool = True
    results_of: Literal["user", "session"] = "user"
    refused_at_gateway: bool = False
    max_functions: int = 100
    max_connections: int | None = None

    formatting: UserFormatting = field(default_factory=UserFormatting)
    denied_objects: frozenset[str] = frozenset()
    unsubscribed_objects: frozenset[str] = frozenset()
    api_usage: bool = True

    unknown_fields: Literal["bracketed", "dotted", "unnamed"] = "bracketed"
    double_escaped_errors: bool = False

    unordered: Literal["arbitrary", "natural"] = "arbitrary"
    nulls_first: bool = False
    unqueryable: Mapping[str, frozenset[str]] = field(
        default_factory=lambda: _UNQUERYABLE
    )
    query_serves_all: bool = False
    json: Literal["served", "ignored", "refused"] = "served"
    json_empty: Literal["list", "nothing"] = "list"
    json_null: Literal["null", "empty", "absent"] = "null"
    sum_prefixed: bool = True
    numeric_text_keys: bool = True

    balance_query: Literal["serve", "refuse", "empty"] = "serve"
    balance_without_period: Literal["fail", "empty"] = "fail"
    balance_period_lists: bool = False

    max_page_rows: int = 1000
    result_id_missing: bool = False
    read_by_query_private: bool = False

    schedule_entries: Literal["queried", "legacy", "nested"] = "queried"

    reports: tuple[Report, ...] = REPORTS
    report_polls: int = 1
    report_pending_status: str = "PENDING"
    report_status: str = ""
    report_shape: Literal["report", "rows"] = "report"
    report_unnamed: Literal["numbered", "absent"] = "numbered"
