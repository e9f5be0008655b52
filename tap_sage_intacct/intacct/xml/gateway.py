"""The XML gateway: what is asked as functions, what they answer as values."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from lxml import etree
from typing_extensions import override

from tap_sage_intacct.intacct.errors import (
    ConfigurationError,
    IntacctError,
    InvalidResponse,
    PermissionDenied,
    RequestRefused,
)
from tap_sage_intacct.intacct.gateway import (
    Gateway,
    GatewaySettings,
    Probe,
    ResponseFormat,
    Subject,
)
from tap_sage_intacct.intacct.http.clock import utc_now
from tap_sage_intacct.intacct.objects import Dimension, ObjectDefinition
from tap_sage_intacct.intacct.pending import Pending
from tap_sage_intacct.intacct.query import Query, StoredValue, holds_moments
from tap_sage_intacct.intacct.reports import (
    Argument,
    ReportAnswer,
    ReportDefinition,
    ReportKind,
)
from tap_sage_intacct.intacct.rows.row import Row, RowSet
from tap_sage_intacct.intacct.rows.user_format import DEFAULT_USER_FORMAT, UserFormat
from tap_sage_intacct.intacct.xml import functions, metadata, reports
from tap_sage_intacct.intacct.xml.calls import FunctionCalls
from tap_sage_intacct.intacct.xml.envelope import Function, read_nested_rows, read_rows
from tap_sage_intacct.intacct.xml.query import query_function, read_by_query_function
from tap_sage_intacct.intacct.xml.stamp_evidence import stamp_evidence
from tap_sage_intacct.intacct.xml.user_preferences import unknown_user_format, with_zone

T = TypeVar("T")

logger = logging.getLogger(__name__)


class XmlGateway(Gateway):
    """The `Gateway` over Intacct's XML API."""

    def __init__(
        self, settings: GatewaySettings, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        """Prepare to call.

        Args:
            settings: where to call, as whom, and how hard.
            now: this machine's clock, aware.
        """
        self._settings = settings
        self._calls = FunctionCalls(settings, now)
        self._lock = threading.Lock()
        self._user_format_asked: Pending[Mapping[str, str]] | None = None
        self._user_format: UserFormat | None = None
        self.counts = self._calls.counts
        self.max_connections = settings.max_connections
        self.asks_json = settings.response_format is not ResponseFormat.XML

    @override
    def server_now(self) -> datetime:
        return self._calls.server_now()

    @override
    def check_preferences(self) -> None:
        self._ask_preferences().result()

    @override
    def ask_user_format(self) -> None:
        with self._lock:
            if self._user_format is None and self._user_format_asked is None:
                self._user_format_asked = self._ask_preferences()

    @override
    def user_format(self) -> UserFormat:
        with self._lock:
            if self._user_format is None:
                asked = self._user_format_asked or self._ask_preferences()
                self._user_format = self._told_user_format(asked)
            return self._user_format

    @override
    def give_up_json(self, reason: str, error: IntacctError | None = None) -> None:
        if error is not None and self._settings.response_format is ResponseFormat.JSON:
            raise ConfigurationError(
                f"Intacct {reason}: set response_format to auto or xml.",
                details=error.details,
                call=error.call,
            ) from error
        with self._lock:
            was_asking, self.asks_json = self.asks_json, False
        if was_asking:
            logger.info("Intacct %s; asking for XML from now on.", reason)

    @override
    def query(
        self, query: Query, *, page_size: int, offset: int = 0, as_json: bool = False
    ) -> Pending[RowSet]:
        function = query_function(
            query,
            self._format_for(query),
            page_size=page_size,
            offset=offset,
            as_json=as_json,
        )
        return self._calls.ask_for_rows(function, page_size)

    @override
    def open_result_set(
        self, query: Query, *, page_size: int, stored: StoredValue | None = None
    ) -> Pending[RowSet]:
        function = self._read_by_query(query, page_size, stored)
        return self._calls.ask_for_rows(function, page_size)

    @override
    def continue_result_set(
        self, result_id: str, object_name: str, *, page_size: int
    ) -> Pending[RowSet]:
        function = functions.read_more(result_id, object_name)
        return self._calls.ask_for_rows(function, page_size)

    @override
    def count_each(
        self, queries: Sequence[Query], stored: StoredValue | None = None
    ) -> list[int | None]:
        asked = [self._read_by_query(query, 1, stored) for query in queries]
        answers = self._calls.call_each(asked)
        return [read_rows(answer).total for answer in map(_unless_refused, answers)]

    @override
    def refusals(self, probes: Sequence[Probe]) -> list[IntacctError | None]:
        answers = self._calls.call_each(list(map(self._probing, probes)))
        return [
            answer if isinstance(answer, IntacctError) else None for answer in answers
        ]

    @override
    def owned_rows(
        self, parent: str, keys: Sequence[int], object_name: str
    ) -> Sequence[Row]:
        function = functions.read(parent, keys, ("*",))
        return self._call(function, partial(read_nested_rows, name=object_name))

    @override
    def describe(
        self, subjects: Sequence[Subject]
    ) -> list[ObjectDefinition | IntacctError]:
        answers = self._calls.call_each([functions.lookup(*of) for of in subjects])
        return [
            answer if isinstance(answer, IntacctError) else metadata.read_lookup(answer)
            for answer in answers
        ]

    @override
    def object_names(self) -> tuple[str, ...]:
        return self._call(functions.inspect_all(), metadata.read_object_names)

    @override
    def dimensions(self) -> tuple[Dimension, ...]:
        return self._call(functions.get_dimensions(), metadata.read_dimensions)

    @override
    def applications(self) -> tuple[str, ...]:
        asking = functions.get_user_permissions(self._settings.login.user_id)
        return self._call(asking, metadata.read_applications)

    @override
    def report_definition(self, name: str, kind: ReportKind) -> ReportDefinition:
        function = reports.definition_function(name, kind)
        return self._call(function, reports.read_report_definition)

    @override
    def run_report(
        self, name: str, kind: ReportKind | None, arguments: Mapping[str, Argument]
    ) -> ReportAnswer:
        function = reports.run_function(name, kind, arguments, self.user_format())
        return self._call(function, reports.read_report_answer)

    @override
    def report_page(self, report_id: str, name: str) -> ReportAnswer:
        function = reports.page_function(report_id, name)
        return self._call(function, reports.read_report_answer)

    def close(self) -> None:
        """Close the connections."""
        self._calls.close()

    def _call(self, function: Function, read: Callable[[etree._Element], T]) -> T:
        return self._calls.ask(function, read).result()

    def _format_for(self, query: Query) -> UserFormat:
        """How the moments of a condition are written; any way where it has none.

        Then the question for the user's format is not waited for before the rows are
        here, which it is needed to read.
        """
        if holds_moments(query.condition):
            return self.user_format()
        self.ask_user_format()
        return DEFAULT_USER_FORMAT

    def _read_by_query(
        self, query: Query, page_size: int, stored: StoredValue | None
    ) -> Function:
        return read_by_query_function(
            query, self.user_format(), page_size=page_size, stored=stored
        )

    def _probing(self, probe: Probe) -> Function:
        if probe.by_result_set:
            return self._read_by_query(probe.query, 1, None)
        return query_function(probe.query, self.user_format(), page_size=1)

    def _ask_preferences(self) -> Pending[Mapping[str, str]]:
        asking = functions.read_user_formatting(self._settings.login.user_id)
        return self._calls.ask(asking, _user_formatting)

    def _told_user_format(self, asked: Pending[Mapping[str, str]]) -> UserFormat:
        """By the preferences (Sage's page on users [D]); the zone by evidence [C]."""
        named_zone = self._settings.user_timezone
        try:
            texts = asked.result()
        except (RequestRefused, PermissionDenied) as error:
            return unknown_user_format(error, self.server_now(), named_zone)
        try:
            found = UserFormat.from_preferences(
                texts["dateformat"], texts["gmtoffset"], texts["clock"]
            )
        except (KeyError, ValueError) as error:
            raise ConfigurationError(
                "The date and time preferences of the API user cannot be read "
                f"({error}): in Sage Intacct set them to MM/DD/YYYY, 24 h and GMT."
            ) from None
        look = partial(stamp_evidence, self._calls)
        return with_zone(found, self.server_now(), named_zone, look)


def _unless_refused(answer: etree._Element | IntacctError) -> etree._Element:
    if isinstance(answer, IntacctError):
        raise answer
    return answer


def _user_formatting(data: etree._Element) -> Mapping[str, str]:
    formatting = data.find("userformatting")
    if formatting is None:
        raise InvalidResponse("The answer to readUserFormatting holds no formatting.")
    return {child.tag: child.text or "" for child in formatting}
