"""The company's API: all that may be asked of it, by whichever transport."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol
from zoneinfo import ZoneInfo

from tap_sage_intacct.intacct.errors import IntacctError
from tap_sage_intacct.intacct.http.call_counts import CallCounts
from tap_sage_intacct.intacct.http.client import Contact
from tap_sage_intacct.intacct.http.retrying import RetryPolicy
from tap_sage_intacct.intacct.objects import Dimension, ObjectDefinition
from tap_sage_intacct.intacct.pending import Pending
from tap_sage_intacct.intacct.query import Query, StoredValue
from tap_sage_intacct.intacct.reports import (
    Argument,
    ReportAnswer,
    ReportDefinition,
    ReportKind,
)
from tap_sage_intacct.intacct.rows.row import Row, RowSet
from tap_sage_intacct.intacct.rows.user_format import UserFormat
from tap_sage_intacct.intacct.secrets.credentials import Login, Sender

DEFAULT_API_URL = "https://api.intacct.com/ia/xml/xmlgw.phtml"

Subject = tuple[str, str | None]
"""An object, and its transaction definition if it has one."""


class ResponseFormat(Enum):
    """What rows are asked for in, where both are served."""

    AUTO = "auto"
    XML = "xml"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Where to call, as whom, and how hard.

    Attributes:
        user_timezone: of the API user; None where it is not known.
        contact: the hosts that have answered. Copies of these settings share it.
    """

    sender: Sender
    login: Login
    api_url: str = DEFAULT_API_URL
    timeout_seconds: float = 300.0
    max_connections: int = 2
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    response_format: ResponseFormat = ResponseFormat.AUTO
    user_timezone: ZoneInfo | None = None
    contact: Contact = field(default_factory=Contact, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Probe:
    """A query that is only made to see whether it is served.

    Attributes:
        by_result_set: whether it opens a result set.
    """

    query: Query
    by_result_set: bool = False


class Gateway(Protocol):
    """What reading asks of Intacct. One serves a whole run, in all of its threads.

    Objects and fields have the names of the XML API, whatever the transport. A method
    that gives a `Pending` has the call on its way when it returns. What a transport
    cannot do it refuses with `ObjectRefused`, and `refusals` says so before.
    Every method that calls raises the classes of `errors`, after the retries that the
    settings allow. Credentials and session ids are in none of them.
    """

    counts: CallCounts
    """Calls made so far, retries and sign-ins included."""
    max_connections: int
    """Calls that may be in flight at once; one more waits."""
    asks_json: bool
    """Whether rows may be asked for as JSON, which comes sooner and without counts."""

    def server_now(self) -> datetime:
        """Intacct's clock, aware, whole seconds: ours corrected by its last answer.

        Bounds of incremental reads come from it, so that a wrong clock on this machine
        cannot lose rows. Signs in if no answer has come yet.
        """

    def check_preferences(self) -> None:
        """Ask for the API user's preferences; raises why they may not be read."""

    def ask_user_format(self) -> None:
        """Have the question for the `user_format` on its way, unless it was asked."""

    def user_format(self) -> UserFormat:
        """How values and filters are written; asked for once.

        Where the user's preferences may not be read, Intacct's own defaults are assumed,
        with a warning.
        """

    def give_up_json(self, reason: str, error: IntacctError | None = None) -> None:
        """Ask for rows with counts from now on.

        Args:
            reason: what Intacct does with JSON, for the log.
            error: how it refused; None where it only ignored it.

        Raises:
            ConfigurationError: it refused, and the settings insist.
        """

    def query(
        self, query: Query, *, page_size: int, offset: int = 0, as_json: bool = False
    ) -> Pending[RowSet]:
        """Ask for a page of rows, in the query's order.

        Args:
            query: what.
            page_size: rows at most.
            offset: rows to skip; they are others as soon as the rows move.
            as_json: see `asks_json`.
        """

    def open_result_set(
        self, query: Query, *, page_size: int, stored: StoredValue | None = None
    ) -> Pending[RowSet]:
        """Ask for the first page of rows that the server keeps as they are.

        Args:
            query: what; its order is ignored.
            page_size: rows at most.
            stored: turns an enum's label into the code that is compared here.
        """

    def continue_result_set(
        self, result_id: str, object_name: str, *, page_size: int
    ) -> Pending[RowSet]:
        """Ask for the next page of a result set, whose pages all have one size."""

    def count_each(
        self, queries: Sequence[Query], stored: StoredValue | None = None
    ) -> list[int | None]:
        """How many rows each result set would have, in one request; None if not told."""

    def refusals(self, probes: Sequence[Probe]) -> list[IntacctError | None]:
        """Why each is refused, in as few requests as can be; None where it is served."""

    def owned_rows(
        self, parent: str, keys: Sequence[int], object_name: str
    ) -> Sequence[Row]:
        """The lines of an object inside up to `MAX_READ_KEYS` of their parents."""

    def describe(
        self, subjects: Sequence[Subject]
    ) -> list[ObjectDefinition | IntacctError]:
        """What objects are, or why that cannot be told, in as few requests as can be."""

    def object_names(self) -> tuple[str, ...]:
        """All objects, whatever the user may read."""

    def dimensions(self) -> tuple[Dimension, ...]:
        """Those of the ledger, user-defined ones included."""

    def applications(self) -> tuple[str, ...]:
        """Those that the API user may use."""

    def report_definition(self, name: str, kind: ReportKind) -> ReportDefinition:
        """What a custom report is made of."""

    def run_report(
        self, name: str, kind: ReportKind | None, arguments: Mapping[str, Argument]
    ) -> ReportAnswer:
        """Have a custom report run."""

    def report_page(self, report_id: str, name: str) -> ReportAnswer:
        """The next page of a report that was run, if it is ready; the name is for logs."""


MAX_READ_KEYS = 100
"""Most record numbers of one `owned_rows` (Sage's page on `read` [D])."""
