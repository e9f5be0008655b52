"""A company's books in one SQLite file: made, opened, and changed by days of business."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from intacct_sandbox.clock import Clock
from intacct_sandbox.company import ledger, record_numbers, store
from intacct_sandbox.company.changes import ChangeSummary, pass_a_day
from intacct_sandbox.company.definitions import ObjectDefinition
from intacct_sandbox.company.editing import EditableBooks
from intacct_sandbox.company.first_books.generate import fill_company


class Company(EditableBooks):
    """The books; use `create` or `open`."""

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        seed: int = 1,
        journal_lines: int = 600,
        clock: Clock,
        definitions: Mapping[str, ObjectDefinition] | None = None,
    ) -> Company:
        """Make new books.

        Args:
            path: must not exist.
            seed: the same seed and time give the same books.
            journal_lines: about how many; everything else is in proportion.
            clock: what is stamped lies in the two years before its time.
            definitions: of its objects; None for the sandbox's own.

        Raises:
            FileExistsError: there is a file.
        """
        if path.exists():
            raise FileExistsError(f"{path} exists")
        company = cls(path, clock)
        company.definitions = definitions = definitions or company.definitions
        try:
            company._fill(definitions, seed, journal_lines)
        except BaseException:
            # Half a company must not be opened as a whole one.
            company.close()
            path.unlink(missing_ok=True)
            raise
        return company

    def _fill(
        self, definitions: Mapping[str, ObjectDefinition], seed: int, journal_lines: int
    ) -> None:
        connection = self.connection()
        connection.execute("BEGIN")
        store.create_tables(connection, definitions.values())
        record_numbers.create_notes(connection)
        fill_company(connection, definitions, self.clock.now(), seed, journal_lines)
        store.create_indexes(connection, definitions.values())
        ledger.derive_all(connection, self._detail_fillers)
        connection.execute("COMMIT")
        connection.execute("ANALYZE")

    @classmethod
    def open(cls, path: Path, *, clock: Clock) -> Company:
        """Open books that were made before.

        Raises:
            OSError: the file holds no company, or that of another version.
        """
        company = cls(path, clock)
        connection = company.connection()
        if not store.has_tables(connection, company.definitions.values()):
            company.close()
            raise OSError(
                f"{path} holds no company of this version of the sandbox; "
                "delete it, and a new one is made"
            )
        record_numbers.create_notes(connection)
        return company

    def change(self, *, seed: int, share: float = 0.01) -> ChangeSummary:
        """Let a day of business pass: rows added, changed and deleted, still in balance.

        Args:
            seed: the same seed makes the same changes to the same books.
            share: of each object's rows.
        """
        return pass_a_day(self, seed=seed, share=share)
