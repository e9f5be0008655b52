"""Asking for pages of one object, and learning from what Intacct refuses."""

from __future__ import annotations

import logging
from collections.abc import Callable

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
from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.intacct.pending import Pending
from tap_sage_intacct.intacct.query import Condition, Query, StoredValue
from tap_sage_intacct.intacct.rows.row import RowSet

MAX_QUERY_PAGE = 2000
MAX_READ_BY_QUERY_PAGE = 1000
"""Most rows of one page (Sage's pages on query and readByQuery [D])."""

MIN_PAGE = 100
"""Below this a smaller page no longer helps a call that times out [I]."""

# What a request for JSON may meet that the same for XML does not.
_REFUSALS = (RequestRefused, ConfigurationError, PermissionDenied, InvalidResponse)

_Ask = Callable[[tuple[str, ...], int], Pending["RowSet"]]
"""Fields and page size to the page that is asked for."""

logger = logging.getLogger(__name__)


class ObjectReader:
    """Asks for pages of one object; each is on its way when it is given out.

    Remembers what Intacct taught it: the page size that answers in time, and the
    fields that it refuses, each of which is dropped with one warning. A page that was
    asked for before such a lesson is asked for again when it is awaited.
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
            stored: turns an enum's label into the code that result sets compare.
            document_type: transaction definition of the rows, if they have one.
        """
        self.gateway = gateway
        self.object_name = object_name
        self.fields = fields
        self.page_size = page_size
        self._stored = stored
        self._document_type = document_type
        # Of the last page that came with counts.
        self._columns: frozenset[str] = frozenset()

    def query(
        self, condition: Condition | None, order: tuple[str, ...], *, offset: int = 0
    ) -> Pending[RowSet]:
        """One page of a query.

        What it is ordered by is selected, whether it is among `fields` or not.

        Args:
            condition: which rows.
            order: fields to sort by.
            offset: rows to skip; they are others as soon as the rows move.
        """

        def ask(fields: tuple[str, ...], page_size: int) -> Pending[RowSet]:
            query = self._query(fields, condition, order)
            page_size = min(page_size, MAX_QUERY_PAGE)
            return self.gateway.query(query, page_size=page_size, offset=offset)

        return self._adapting(ask, needed=order)

    def query_uncounted(
        self, condition: Condition | None, order: tuple[str, ...]
    ) -> Pending[RowSet]:
        """As `query`, but as JSON, which comes faster and without counts.

        As XML where JSON is not to be had; whatever is wrong with JSON alone makes the
        gateway give it up. Raises, when awaited, `ConfigurationError` where JSON is
        refused and the settings insist on it.
        """
        if not self.gateway.asks_json:
            return self.query(condition, order)
        fields, page_size = asked = (self.fields, min(self.page_size, MAX_QUERY_PAGE))
        query = self._query(fields, condition, order)
        pending = self.gateway.query(query, page_size=page_size, as_json=True)

        def result() -> RowSet:
            is_current = asked == (self.fields, min(self.page_size, MAX_QUERY_PAGE))
            if not (self.gateway.asks_json and is_current):
                return self.query_uncounted(condition, order).result()
            try:
                row_set = pending.result()
            except RequestTimedOut as error:
                self.halve_page_size(error)
                return self.query(condition, order).result()
            except _REFUSALS as error:
                is_broken = isinstance(error, InvalidResponse)
                reason = "sends broken JSON" if is_broken else "refuses JSON"
                return self._query_instead(condition, order, fields, reason, error)
            if row_set.remaining is not None:
                self.gateway.give_up_json("answers in XML what is asked for as JSON")
            elif row_set.rows and _columns(row_set) != self._columns:
                reason = "names the columns of JSON unlike those of XML"
                return self._query_instead(condition, order, fields, reason)
            return row_set

        return Pending(result)

    def open_result_set(self, condition: Condition | None) -> Pending[RowSet]:
        """The first page of a result set, whose `result_id` continues it."""

        def ask(fields: tuple[str, ...], page_size: int) -> Pending[RowSet]:
            query = self._query(fields, condition)
            page_size = min(page_size, MAX_READ_BY_QUERY_PAGE)
            return self.gateway.open_result_set(
                query, page_size=page_size, stored=self._stored
            )

        return self._adapting(ask)

    def continue_result_set(self, result_id: str) -> Pending[RowSet]:
        """The next page of a result set."""
        page_size = min(self.page_size, MAX_READ_BY_QUERY_PAGE)
        return self.gateway.continue_result_set(
            result_id, self.object_name, page_size=page_size
        )

    def count_result_sets(self, *conditions: Condition | None) -> list[int | None]:
        """How many rows a result set of each would have; None where it is not told."""
        fields = self.fields[:1]
        queries = [self._query(fields, condition) for condition in conditions]
        return self.gateway.count_each(queries, self._stored)

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

    def _query(
        self,
        fields: tuple[str, ...],
        condition: Condition | None,
        order: tuple[str, ...] = (),
    ) -> Query:
        selected = tuple(dict.fromkeys((*order, *fields)))
        return Query(self.object_name, selected, condition, order, self._document_type)

    def _adapting(self, ask: _Ask, needed: tuple[str, ...] = ()) -> Pending[RowSet]:
        """A page, asked for until it is neither too large nor refused for a field."""
        asked = (self.fields, self.page_size)
        pending = ask(*asked)

        def result() -> RowSet:
            nonlocal asked, pending
            while True:
                if asked != (self.fields, self.page_size):
                    asked = (self.fields, self.page_size)
                    pending = ask(*asked)
                try:
                    row_set = pending.result()
                except RequestTimedOut as error:
                    self.halve_page_size(error)
                except (FieldsRefused, DatabaseRefused) as error:
                    self._drop(error, ask, needed)
                else:
                    self._columns = _columns(row_set)
                    return row_set

        return Pending(result)

    def _query_instead(
        self,
        condition: Condition | None,
        order: tuple[str, ...],
        fields: tuple[str, ...],
        reason: str,
        error: IntacctError | None = None,
    ) -> RowSet:
        """Ask for XML what did not come as JSON.

        If it only comes without some of the fields, those fields were at fault, and JSON
        goes on.

        Raises:
            IntacctError: it does not come as XML either.
        """
        row_set = self.query(condition, order).result()
        if self.fields == fields:
            self.gateway.give_up_json(reason, error)
        return row_set

    def _drop(
        self,
        error: FieldsRefused | DatabaseRefused,
        ask: _Ask,
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
            refused = self._search(ask, needed)
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

    def _search(self, ask: _Ask, needed: tuple[str, ...]) -> tuple[str, ...]:
        """The fields at fault, where the answer names none, by trying parts of them.

        Where the first and the last field are refused each alone, the fault is held
        to be elsewhere, in the condition for example.
        """
        fields = tuple(name for name in self.fields if name not in needed)
        ends = {*fields[:1], *fields[-1:]}
        if all(_is_refused(ask, (name,)) for name in ends):
            return ()
        return _refused_among(ask, fields)


def _refused_among(ask: _Ask, fields: tuple[str, ...]) -> tuple[str, ...]:
    if not _is_refused(ask, fields):
        return ()
    if len(fields) == 1:
        return fields
    middle = len(fields) // 2
    return (
        *_refused_among(ask, fields[:middle]),
        *_refused_among(ask, fields[middle:]),
    )


def _is_refused(ask: _Ask, fields: tuple[str, ...]) -> bool:
    try:
        ask(fields, 1).result()
    except (FieldsRefused, DatabaseRefused):
        return True
    return False


def _columns(row_set: RowSet) -> frozenset[str]:
    return frozenset(row_set.rows[0]) if row_set.rows else frozenset()
