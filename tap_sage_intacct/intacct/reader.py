"""Asking for pages of one object, and learning from what Intacct refuses.

Knows how to ask, not in which order pages follow: that is `paging`'s. What a reader
learns (the page size that answers in time, the fields that are refused) stays with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from tap_sage_intacct.intacct.errors import (
    ConfigurationError,
    DatabaseRefused,
    FieldsRefused,
    IntacctError,
    InvalidResponse,
    PermissionDenied,
    RequestRefused,
    RequestTimedOut,
)
from tap_sage_intacct.intacct.query import Condition, Query, holds_moments
from tap_sage_intacct.intacct.rows.row import RowSet
from tap_sage_intacct.intacct.rows.user_format import DEFAULT_USER_FORMAT
from tap_sage_intacct.intacct.xml import functions
from tap_sage_intacct.intacct.xml.envelope import Function, read_rows
from tap_sage_intacct.intacct.xml.query import query_function, read_by_query_function

if TYPE_CHECKING:
    from lxml import etree

    from tap_sage_intacct.intacct.query import StoredValue
    from tap_sage_intacct.intacct.rows.user_format import UserFormat
    from tap_sage_intacct.intacct.xml.gateway import BegunCall, Gateway

MAX_QUERY_PAGE = 2000
MAX_READ_BY_QUERY_PAGE = 1000
"""Most rows of one page (Sage's pages on query and readByQuery [D])."""

MIN_PAGE = 100
"""Below this a smaller page no longer helps a call that times out [I]."""

# What a request for JSON may meet that the same for XML does not.
_REFUSALS = (RequestRefused, ConfigurationError, PermissionDenied, InvalidResponse)

_BuildPage = Callable[[tuple[str, ...], int], Function]
"""Fields and page size to the call that asks for the page."""

logger = logging.getLogger(__name__)


class ObjectReader:
    """Asks for pages of one object.

    Remembers what Intacct taught it: the page size that answers in time, and the
    fields that it refuses, each of which is dropped with one warning.
    """

    def __init__(  # noqa: PLR0913 - each is optional and named
        self,
        gateway: Gateway,
        object_name: str,
        fields: tuple[str, ...],
        *,
        page_size: int = MAX_QUERY_PAGE,
        stored: StoredValue | None = None,
        document_type: str | None = None,
    ) -> None:
        """Prepare to read.

        Args:
            gateway: to call.
            object_name: of the rows.
            fields: to select.
            page_size: rows asked for at first.
            stored: turns an enum's label into the code that readByQuery compares.
            document_type: transaction definition of the rows, if they have one.
        """
        self.gateway = gateway
        self.object_name = object_name
        self.fields = fields
        self.page_size = page_size
        self._stored = stored
        self._document_type = document_type
        # Of the last page that came as XML.
        self._columns: frozenset[str] = frozenset()

    def query(
        self,
        condition: Condition | None,
        order: tuple[str, ...],
        *,
        offset: int = 0,
        begun: BegunCall | None = None,
    ) -> tuple[RowSet, int]:
        """One page of `query`, and the page size that was asked for.

        What it is ordered by is selected, whether it is among `fields` or not.

        Args:
            condition: which rows.
            order: fields to sort by.
            offset: rows to skip; they are others as soon as the rows move.
            begun: the same query, begun before.
        """

        def page(fields: tuple[str, ...], size: int) -> Function:
            query = self._selecting(fields, condition, order)
            return self._query_page(query, size, offset)

        row_set = self._ask(page, needed=order, begun=begun)
        self._columns = _columns(row_set)
        return row_set, min(self.page_size, MAX_QUERY_PAGE)

    def begin_query(
        self, condition: Condition | None, order: tuple[str, ...], *, offset: int = 0
    ) -> BegunCall:
        """Have a `query` on its way; see `Gateway.begin`."""
        query = self._selecting(self.fields, condition, order)
        return self.gateway.begin(self._query_page(query, self.page_size, offset))

    def query_uncounted(
        self,
        condition: Condition | None,
        order: tuple[str, ...],
        *,
        begun: BegunCall | None = None,
    ) -> tuple[RowSet, int]:
        """As `query`, but as JSON, which comes faster and without counts.

        As XML where JSON is not to be had; whatever is wrong with JSON alone makes
        the gateway give it up.

        Raises:
            ConfigurationError: JSON is refused, and the settings insist on it.
        """
        if not self.gateway.asks_json:
            return self.query(condition, order, begun=begun)
        size, fields = min(self.page_size, MAX_QUERY_PAGE), self.fields
        page = self._uncounted_page(condition, order)
        try:
            row_set = self.gateway.call_for_rows(page, begun)
        except RequestTimedOut as error:
            self.halve_page_size(error)
            return self.query(condition, order)
        except _REFUSALS as error:
            is_broken = isinstance(error, InvalidResponse)
            reason = "sends broken JSON" if is_broken else "refuses JSON"
            return self._query_instead(condition, order, fields, reason, error)
        if row_set.remaining is not None:
            self.gateway.give_up_json("answers in XML what is asked for as JSON")
        elif row_set.rows and _columns(row_set) != self._columns:
            reason = "names the columns of JSON unlike those of XML"
            return self._query_instead(condition, order, fields, reason)
        return row_set, size

    def begin_query_uncounted(
        self, condition: Condition | None, order: tuple[str, ...]
    ) -> BegunCall:
        """Have a `query_uncounted` on its way; see `Gateway.begin`."""
        if not self.gateway.asks_json:
            return self.begin_query(condition, order)
        return self.gateway.begin(self._uncounted_page(condition, order))

    def _query_page(
        self, query: Query, size: int, offset: int = 0, *, as_json: bool = False
    ) -> Function:
        return query_function(
            query,
            self._format_for(query.condition),
            page_size=min(size, MAX_QUERY_PAGE),
            offset=offset,
            as_json=as_json,
        )

    def _uncounted_page(
        self, condition: Condition | None, order: tuple[str, ...]
    ) -> Function:
        query = self._selecting(self.fields, condition, order)
        return self._query_page(query, self.page_size, as_json=True)

    def _format_for(self, condition: Condition | None) -> UserFormat:
        """How the moments of a condition are written; any way where it has none.

        Then the question for the user's format is not waited for before the rows are
        here, which it is needed to read.
        """
        if holds_moments(condition):
            return self.gateway.user_format()
        self.gateway.begin_user_format()
        return DEFAULT_USER_FORMAT

    def _query_instead(
        self,
        condition: Condition | None,
        order: tuple[str, ...],
        fields: tuple[str, ...],
        reason: str,
        error: IntacctError | None = None,
    ) -> tuple[RowSet, int]:
        """Ask for XML what did not come as JSON.

        If it only comes without some of the fields, those fields were at fault, and JSON
        goes on.

        Raises:
            IntacctError: it does not come as XML either.
        """
        answer = self.query(condition, order)
        if self.fields == fields:
            self.gateway.give_up_json(reason, error)
        return answer

    def _selecting(
        self,
        fields: tuple[str, ...],
        condition: Condition | None,
        order: tuple[str, ...],
    ) -> Query:
        selected = tuple(dict.fromkeys((*order, *fields)))
        return Query(self.object_name, selected, condition, order, self._document_type)

    def read_by_query(self, condition: Condition | None) -> RowSet:
        """The first page of a readByQuery, whose `result_id` continues it."""
        user_format = self.gateway.user_format()

        def page(fields: tuple[str, ...], size: int) -> Function:
            query = Query(
                self.object_name, fields, condition, document_type=self._document_type
            )
            size = min(size, MAX_READ_BY_QUERY_PAGE)
            return read_by_query_function(
                query, user_format, page_size=size, stored=self._stored
            )

        return self._ask(page)

    def read_more(self, result_id: str, begun: BegunCall | None = None) -> RowSet:
        """The next page of a readByQuery."""
        function = functions.read_more(result_id, self.object_name)
        return self.gateway.call_for_rows(function, begun)

    def begin_read_more(self, result_id: str) -> BegunCall:
        """Have a `read_more` on its way; see `Gateway.begin`."""
        return self.gateway.begin(functions.read_more(result_id, self.object_name))

    def count_by_query(self, *conditions: Condition | None) -> list[int | None]:
        """How many rows readByQuery counts for each, in one request.

        None where it does not say.
        """
        user_format = self.gateway.user_format()
        calls = [
            read_by_query_function(
                Query(
                    self.object_name,
                    self.fields[:1],
                    condition,
                    document_type=self._document_type,
                ),
                user_format,
                page_size=1,
                stored=self._stored,
            )
            for condition in conditions
        ]
        answers = self.gateway.call_each(calls)
        return [read_rows(answer).total for answer in map(_unless_refused, answers)]

    def halve_page_size(self, error: RequestTimedOut) -> None:
        """Ask for less from now on.

        Raises:
            RequestTimedOut: the given one, where less would not help.
        """
        if self.page_size <= MIN_PAGE:
            raise error
        self.page_size = max(self.page_size // 2, MIN_PAGE)
        logger.warning(
            "%s: no answer in time; asking for %d rows a page from now on.",
            self.object_name,
            self.page_size,
        )

    def _ask(
        self,
        build: _BuildPage,
        needed: tuple[str, ...] = (),
        begun: BegunCall | None = None,
    ) -> RowSet:
        """Call until it is neither too large nor refused for a field."""
        while True:
            page = build(self.fields, self.page_size)
            try:
                return self.gateway.call_for_rows(page, begun)
            except RequestTimedOut as error:
                self.halve_page_size(error)
            except (FieldsRefused, DatabaseRefused) as error:
                self._drop(error, build, needed)

    def _drop(
        self,
        error: FieldsRefused | DatabaseRefused,
        build: _BuildPage,
        needed: tuple[str, ...],
    ) -> None:
        """Forget the refused fields.

        Raises:
            FieldsRefused: the given one, where no field that can be spared causes it.
            DatabaseRefused: likewise.
        """
        named = {name.upper() for name in getattr(error, "fields", ())}
        refused = tuple(name for name in self.fields if name.upper() in named)
        if not refused and named.isdisjoint(needed):
            refused = self._search(build, needed)
        if not refused or not named.isdisjoint(needed):
            raise error
        self.fields = tuple(name for name in self.fields if name not in refused)
        if not self.fields:
            raise error
        logger.warning(
            "%s: Intacct does not let these fields be read; they are left out: %s.",
            self.object_name,
            ", ".join(refused),
        )

    def _search(self, build: _BuildPage, needed: tuple[str, ...]) -> tuple[str, ...]:
        """The fields at fault, where the answer names none, by trying parts of them.

        Where the first and the last field are refused each alone, the fault is held
        to be elsewhere, in the condition for example.
        """
        fields = tuple(name for name in self.fields if name not in needed)
        ends = {*fields[:1], *fields[-1:]}
        if all(self._is_refused(build, (name,)) for name in ends):
            return ()
        return self._refused_among(build, fields)

    def _refused_among(
        self, build: _BuildPage, fields: tuple[str, ...]
    ) -> tuple[str, ...]:
        if not self._is_refused(build, fields):
            return ()
        if len(fields) == 1:
            return fields
        middle = len(fields) // 2
        return (
            *self._refused_among(build, fields[:middle]),
            *self._refused_among(build, fields[middle:]),
        )

    def _is_refused(self, build: _BuildPage, fields: tuple[str, ...]) -> bool:
        try:
            self.gateway.call_for_rows(build(fields, 1))
        except (FieldsRefused, DatabaseRefused):
            return True
        return False


def _unless_refused(answer: etree._Element | IntacctError) -> etree._Element:
    if isinstance(answer, IntacctError):
        raise answer
    return answer


def _columns(row_set: RowSet) -> frozenset[str]:
    return frozenset(row_set.rows[0]) if row_set.rows else frozenset()
