"""Measure what is lost and repeated while a company changes: plain offsets, and the tap.

    python tools/measure_consistency.py [--write docs/consistency.md]

Loads the bills of a sandboxed company several times, each time with a number of random
changes before every page, by plain offset paging (the reference reader of the tests) and
by the tap. Prints the table, or puts it into the document, between the two marks.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from intacct_sandbox import Company, ManualClock, Sandbox  # noqa: E402
from tap_sage_intacct.intacct.gateway import GatewaySettings  # noqa: E402
from tap_sage_intacct.intacct.reader import ObjectReader  # noqa: E402
from tap_sage_intacct.intacct.xml.gateway import XmlGateway  # noqa: E402
from tap_sage_intacct.settings.settings import Settings  # noqa: E402
from tests.loading import Loader  # noqa: E402
from tests.plain_offset_reader import read_by_plain_offset  # noqa: E402

OBJECT, STREAM = "APBILL", "bills"
FIELDS = ("RECORDNO", "VENDORID", "TOTALENTERED", "DESCRIPTION", "WHENMODIFIED")
JOURNAL_LINES = 30_000
PAGE = 250
HIDDEN = 100
CHURNS = (0, 1, 10, 100)
NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
BEGIN, END = "<!-- table: make consistency -->\n", "<!-- end of table -->\n"

ReadAll = Callable[[Sandbox], list[str]]
"""Reads all bills of a sandbox; their record numbers, as often as they came."""


@dataclass(frozen=True)
class Result:
    """One reading under churn."""

    reader: str
    churn: int
    rows: int
    lost: int
    repeated: int
    calls: int
    seconds: float


class Business:
    """Random changes before every page: bills come, go, change, and appear late."""

    def __init__(self, company: Company, churn: int) -> None:
        self._company = company
        self._churn = churn
        self._chance = random.Random(churn)  # noqa: S311 - the same for each reader
        self._numbers = [int(str(row["RECORDNO"])) for row in company.truth(OBJECT)]
        self._hidden = self._chance.sample(self._numbers, HIDDEN)
        self._show(self._hidden, "2099-01-01T00:00:00")

    def throughout(self) -> set[str]:
        """Rows that are visible now."""
        rows = self._company.truth(OBJECT, where='"_visible_from" IS NULL')
        return {str(row["RECORDNO"]) for row in rows}

    def __call__(self, call: object) -> None:
        """A page is about to be served."""
        if getattr(call, "object_name", "") != OBJECT:
            return
        with self._company.transaction():
            for _ in range(self._churn):
                self._chance.choice(
                    (self._add, self._remove, self._edit, self._reveal)
                )()

    def _add(self) -> None:
        self._numbers.append(self._company.insert(OBJECT, {"DESCRIPTION": "new"}))

    def _remove(self) -> None:
        place = self._chance.randrange(len(self._numbers))
        self._company.delete(OBJECT, self._numbers.pop(place))

    def _edit(self) -> None:
        number = self._chance.choice(self._numbers)
        self._company.update(OBJECT, number, {"DESCRIPTION": "changed"})

    def _reveal(self) -> None:
        if self._hidden:
            self._show([self._hidden.pop()], None)

    def _show(self, numbers: Iterable[int], visible_from: str | None) -> None:
        self._company.connection().executemany(
            'UPDATE "APBILL" SET "_visible_from" = ? WHERE "RECORDNO" = ?',
            [(visible_from, number) for number in numbers],
        )


def by_plain_offset(sandbox: Sandbox) -> list[str]:
    """As most connectors do it."""
    settings = Settings.from_config(sandbox.config()).gateway
    if not isinstance(settings, GatewaySettings):
        raise TypeError("The sandbox gives credentials.")
    reader = ObjectReader(XmlGateway(settings), OBJECT, FIELDS, page_size=PAGE)
    return [row["RECORDNO"] for row in read_by_plain_offset(reader)]


def by_the_tap(**settings: object) -> ReadAll:
    """With these settings; a row that came again because it changed counts once."""

    def read(sandbox: Sandbox) -> list[str]:
        # One call at a time, so that the company changes in the same order every time.
        limits = {"page_size": PAGE, "max_connections": 1}
        target = Loader({**sandbox.config(), **limits, **settings})
        catalog = target.catalog([STREAM])
        entries = [e for e in catalog["streams"] if e["stream"] == STREAM]
        for metadata in entries[0]["metadata"]:
            name = (metadata["breadcrumb"] or [""])[-1]
            metadata["metadata"]["selected"] = not name or name in FIELDS
        sandbox.forget_calls()
        run = target.run(STREAM, catalog={"streams": entries})
        versions = {str(record): record for record in run.records(STREAM)}
        same = len(run.records(STREAM)) - len(versions)
        numbers = {str(record["RECORDNO"]) for record in run.records(STREAM)}
        return [*numbers, *list(numbers)[:same]]

    return read


READERS: dict[str, ReadAll] = {
    "plain offset": by_plain_offset,
    "tap": by_the_tap(),
    "tap, `paging: offset`": by_the_tap(paging="offset"),
}


def measure(reader: str, churn: int) -> Result:
    """Make a company, and read it while it changes."""
    with tempfile.TemporaryDirectory() as folder:
        company = Company.create(
            Path(folder) / "company.sqlite",
            journal_lines=JOURNAL_LINES,
            clock=ManualClock(NOON),
        )
        business = Business(company, churn)
        before = business.throughout()
        with Sandbox(company) as sandbox:
            sandbox.faults.between_calls = business
            started = time.monotonic()
            read = READERS[reader](sandbox)
            seconds = time.monotonic() - started
            calls = sum(call.object_name == OBJECT for call in sandbox.calls)
        throughout = before & business.throughout()
        company.close()
    counts = Counter(read)
    return Result(
        reader,
        churn,
        len(throughout),
        len(throughout - set(counts)),
        sum(counts.values()) - len(counts),
        calls,
        seconds,
    )


def table(results: Iterable[Result]) -> str:
    """In Markdown."""
    lines = [
        "| changes per page | reader | rows there throughout | lost | repeated | calls "
        "| seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.churn} | {r.reader} | {r.rows:,} | {r.lost} | {r.repeated} | {r.calls} "
        f"| {r.seconds:.1f} |"
        for r in results
    ]
    return "\n".join(lines) + "\n"


def put(text: str, document: str) -> str:
    """The document with the text between its marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def main() -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="the document that holds the table")
    document = parser.parse_args().write
    results = [measure(reader, churn) for churn in CHURNS for reader in READERS]
    text = table(results)
    print(text)
    if document is not None:
        document.write_text(put(text, document.read_text()))


if __name__ == "__main__":
    main()
