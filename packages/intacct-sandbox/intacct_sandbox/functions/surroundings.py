"""What a function is called with, and what it gives back.

And the two things that every function does: find an object, read in one snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from sqlite3 import Connection, OperationalError

from intacct_sandbox.company.company import Company
from intacct_sandbox.company.definitions import ObjectDefinition
from intacct_sandbox.functions.sessions import Kept, Session, Sessions
from intacct_sandbox.objects.conditions import Sql
from intacct_sandbox.objects.query import Page, Query, run_query
from intacct_sandbox.objects.visibility import require_readable, visible_rows
from intacct_sandbox.switches import Switches
from intacct_sandbox.wire.envelope import RawBody
from intacct_sandbox.wire.errors import (
    database_error,
    invalid_argument,
    object_not_found,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function found.

    Attributes:
        data: the `<data>` element as text.
        rows: how many rows it holds.
        raw: set if the answer goes out without envelope.
    """

    data: str = ""
    rows: int = 0
    raw: RawBody | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything a function may use besides its own element."""

    company: Company
    switches: Switches
    sessions: Sessions
    session: Session
    own_url: str
    call_number: int

    def definition(self, name: str) -> ObjectDefinition:
        """An object by its name, in whatever case.

        Raises:
            FunctionRefusal: there is none.
        """
        definitions = self.company.definitions
        folded = {known.lower(): known for known in definitions}
        found = definitions.get(name) or definitions.get(folded.get(name.lower(), ""))
        if found is None:
            raise object_not_found(name)
        return found

    def readable(self, name: str, function: str) -> ObjectDefinition:
        """An object that a function reads for this user.

        Raises:
            FunctionRefusal: there is none, the function does not know it, or it is denied.
        """
        definition = self.definition(name)
        require_readable(definition, function, self.switches)
        return definition

    def visible(self, *, show_private: bool) -> Sql:
        """The condition on table t0 for what this session sees now."""
        return visible_rows(
            self.company.clock.now(),
            self.session.location_id,
            show_private=show_private,
        )

    @property
    def kept(self) -> Kept:
        """Result sets and report runs that this session may go on reading."""
        return self.sessions.kept(self.session, self.switches.results_of)

    def reporting_period(self, name: str) -> tuple[str, str]:
        """First and last day of a reporting period, as stored.

        Raises:
            FunctionRefusal: there is none of this name.
        """
        statement = (
            'SELECT "START_DATE", "END_DATE" FROM "REPORTINGPERIOD" WHERE "NAME" = ?'
        )
        found = self.company.cells(statement, name)
        if not found:
            raise invalid_argument(f"The reporting period '{name}' is not valid.")
        first, last = found[0]
        return str(first), str(last)

    def run(
        self, asked: Query, definition: ObjectDefinition, visible: Sql | None = None
    ) -> Page:
        """A page of a query, of what this session sees or of the part in `visible`.

        Raises:
            FunctionRefusal: unknown or unqueryable fields, values of a wrong type.
        """
        with self.snapshot() as connection:
            return run_query(
                connection,
                asked,
                definition,
                self.company.definitions,
                self.switches,
                visible=visible or self.visible(show_private=asked.show_private),
                salt=self.call_number,
            )

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """One read transaction: whatever is read inside is of one moment.

        Raises:
            FunctionRefusal: the database finds the query too large.
        """
        connection = self.company.connection()
        connection.execute("BEGIN")
        try:
            yield connection
        except OperationalError as error:
            if "too " not in str(error):
                raise
            raise database_error() from error
        finally:
            connection.execute("ROLLBACK")
