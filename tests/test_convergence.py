"""Sandbox and tap driven together: whatever happens between any two calls, it converges.

Hypothesis interleaves changes of the company with syncs, interrupted syncs and the calls
inside them; when changes stop, the upserted target must equal the company.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    rule,
    run_state_machine_as_test,
)

from intacct_sandbox import Company, ManualClock, Sandbox
from tap_sage_intacct.balances import balance_key, key_fields
from tap_sage_intacct.intacct import key_set
from tap_sage_intacct.sources import DATA_SOURCE_BY_STREAM, ReadFunction
from tests.conftest import NOON
from tests.loading import ROADS, Loader, Road, Run, as_json, is_under_way

pytestmark = pytest.mark.long

EXAMPLES = int(os.environ.get("CONVERGENCE_EXAMPLES", "120"))
# Shrinking a failure takes minutes; the seed repeats it, CONVERGENCE_SHRINK shrinks it.
PHASES = (
    Phase.generate,
    *([Phase.shrink] if os.environ.get("CONVERGENCE_SHRINK") else []),
)
LATE_MINUTES = 90

KINDS = (
    "insert", "update", "update", "delete", "late", "private", "unstamped",
    "without-stamps", "recreate", "wait",
)  # fmt: skip
LINE_KINDS = (
    "post", "unstamped-line", "silent-line", "silent-title", "unpost",
    "delete-line", "delete-entry", "retitle", "wait",
)  # fmt: skip
TEXT_FIELD = {
    "VENDOR": "NAME",
    "APBILL": "DESCRIPTION",
    "REVRECSCHEDULE": "DESCRIPTION",
}


@dataclass(frozen=True)
class Subject:
    """A stream, how it is read, and what may happen to its rows.

    Attributes:
        borrowed: columns of other objects, whose changes are no changes of the rows.
    """

    stream: str
    page_size: int
    kinds: tuple[str, ...] = KINDS
    settings: Mapping[str, object] = field(default_factory=dict)
    borrowed: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return next(name for name, found in SUBJECTS.items() if found is self)

    @property
    def object_name(self) -> str:
        return DATA_SOURCE_BY_STREAM[self.stream].object_name


SUBJECTS = {
    "key-set": Subject("vendors", 7),
    "window": Subject("gl_details", 20, LINE_KINDS),
    "lines": Subject("gl_journal_entry_lines", 20, LINE_KINDS),
    "readMore": Subject("revenue_recognition_schedules", 5),
    "offset": Subject("bills", 9, settings={"paging": "offset"}),
    "entities": Subject(
        "bills", 9, (*KINDS, "owned", "owned"), settings={"entities": "all"}
    ),
    "periods": Subject(
        "gl_account_balances",
        50,
        LINE_KINDS,
        settings={
            "balance_periods": {"from": "2025-07", "type": "month"},
            "balance_reread_periods": 1,
        },
        borrowed=frozenset({"ACCOUNTTITLE"}),
    ),
}
TOP_LEVEL = "(top level)"
ENTITIES = ("E100", "E200", "E300")


def change(company: Company, subject: Subject, kind: str, number: int) -> None:
    """Change one row of the subject, at the company's time or up to two seconds on."""
    clock = company.clock
    assert isinstance(clock, ManualClock)
    clock.advance(number % 3)
    with company.transaction():
        if subject.kinds is LINE_KINDS:
            change_entry(company, kind, number)
        else:
            change_record(company, subject.object_name, kind, number)


def change_record(company: Company, name: str, kind: str, number: int) -> None:
    numbers = [int(str(row["RECORDNO"])) for row in company.truth(name)]
    chosen = numbers[number % len(numbers)] if len(numbers) > 1 else None
    text = {TEXT_FIELD[name]: f"{kind} {number}"}
    if name == "VENDOR" and kind not in {"update", "delete", "recreate"}:
        # The audit trail names vendors by it.
        text["VENDORID"] = f"V-{max(numbers)}-{number}"
    stampless = {"WHENMODIFIED": None, "WHENCREATED": None, "AUWHENCREATED": None}
    known = {field.id for field in company.definitions[name].fields}
    visible = company.clock.now() + timedelta(minutes=number % LATE_MINUTES)
    makers: Mapping[str, Callable[[], object]] = {
        "insert": partial(company.insert, name, text),
        "late": partial(company.insert, name, text, visible_from=visible),
        "private": partial(company.insert, name, text, private=True),
        "owned": partial(
            company.insert,
            name,
            text,
            entity=ENTITIES[number % 3],
            private=number % 3 == 2,
        ),
        "unstamped": partial(company.insert, name, {**text, "WHENMODIFIED": None}),
        "without-stamps": partial(
            company.insert,
            name,
            {**text, **{k: v for k, v in stampless.items() if k in known}},
        ),
    }
    if kind in makers:
        makers[kind]()
    elif chosen is not None and kind == "update":
        company.update(name, chosen, text)
    elif chosen is not None and kind == "delete":
        company.delete(name, chosen)
    elif chosen is not None and kind == "recreate":
        company.recreate(name, chosen)


def change_entry(company: Company, kind: str, number: int) -> None:
    entries = [row["RECORDNO"] for row in company.truth("GLBATCH")]
    lines = list(company.truth("GLENTRY"))
    if kind == "post" or len(entries) < 3 or len(lines) < 3:
        company.change(seed=number, share=0.0)
        return
    entry = int(str(entries[number % len(entries)]))
    line = lines[number % len(lines)]
    key, owner = int(str(line["RECORDNO"])), int(str(line["BATCHNO"]))
    text = f"{kind} {number}"
    old = company.row("GLBATCH", entry)["MODIFIED"]
    if kind == "unstamped-line":
        new = {"BATCHNO": owner, "ACCOUNTNO": line["ACCOUNTNO"], "AMOUNT": "1.00"}
        company.insert("GLENTRY", {**new, "TR_TYPE": 1, "WHENMODIFIED": None})
        company.update("GLBATCH", owner, {})
    elif kind == "silent-line":
        stamp = {"WHENMODIFIED": line["WHENMODIFIED"]}
        company.update("GLENTRY", key, {"DESCRIPTION": text, **stamp})
        company.update("GLBATCH", owner, {})
    elif kind == "silent-title":
        company.update("GLBATCH", entry, {"BATCH_TITLE": text, "MODIFIED": old})
    elif kind == "unpost":
        company.update("GLBATCH", entry, {"STATE": "Draft"})
    elif kind == "retitle":
        company.update("GLBATCH", entry, {"BATCH_TITLE": text})
    elif kind == "delete-entry":
        company.delete("GLBATCH", entry)
    elif kind == "delete-line":
        company.delete("GLENTRY", key)
        company.update("GLBATCH", owner, {})


class Machine(RuleBasedStateMachine):
    """A company, a tap and a target."""

    subject: ClassVar[Subject]
    books: ClassVar[Path]
    catalogs: ClassVar[dict[str, dict[str, Any]]] = {}
    examples: ClassVar[Counter[str]] = Counter()
    road: ClassVar[Road]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.books, self.folder / "company.sqlite")
        self.clock = ManualClock(NOON)
        self.company = Company.open(self.folder / "company.sqlite", clock=self.clock)
        self.sandbox = Sandbox(self.company)
        self.sandbox.start()
        self.failures: list[Exception] = []
        self.at_its_beginning: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.target = Loader(
            {
                **self.sandbox.config(),
                **self.road,
                "page_size": self.subject.page_size,
                "include_deletes": True,
                "key_store": str(self.folder / "keys.sqlite"),
                **self.subject.settings,
            }
        )
        # Whether Intacct stamps what a posting moves in later periods is unknown.
        self.company.stamps_later_balances = False
        stream = self.subject.stream
        if self.subject.name not in self.catalogs:
            catalog = self.target.catalog([stream])
            entries = [e for e in catalog["streams"] if e["stream"] == stream]
            self.catalogs[self.subject.name] = {"streams": entries}

    changes = st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 10_000)), max_size=12
    )

    @rule(kind=st.integers(0, 20), number=st.integers(0, 10_000))
    def change_now(self, kind: int, number: int) -> None:
        change(self.company, self.subject, self._kind(kind), number)

    @rule(minutes=st.integers(1, 60))
    def wait(self, minutes: int) -> None:
        self.clock.advance(minutes * 60)

    @rule(changes=changes)
    def sync(self, changes: list[tuple[int, int]]) -> None:
        # What bears the second that is not over yet is left to the next sync.
        self.clock.advance(2)
        run = self._run(changes)
        before = self.at_its_beginning
        throughout = {k for k, row in self._truth().items() if before.get(k) == row}
        loaded = self.target.tables.get(self.subject.stream, {})
        assert throughout <= set(loaded), "a row that was there throughout is missing"
        self._assert_nothing_twice(run)

    @rule(changes=changes, upto=st.integers(1, 40))
    def sync_that_dies(self, changes: list[tuple[int, int]], upto: int) -> None:
        self._run(changes, upto=upto)

    def teardown(self) -> None:
        try:
            self._converge()
        finally:
            self.sandbox.stop()
            self.company.close()
            shutil.rmtree(self.folder)

    def _converge(self) -> None:
        """What was broken off is finished; then one more sync must be enough."""
        self.clock.advance(LATE_MINUTES * 60)
        if is_under_way(self.target.state):
            self.clock.advance(5)
            self._run([])
        is_first = self.target.state is None
        for _ in range(1 + is_first):
            self.clock.advance(5)
            self._run([])
        self._assert_equal(self.target.tables.get(self.subject.stream, {}))
        type(self).examples[self.subject.name] += 1

    def _run(self, changes: list[tuple[int, int]], upto: int | None = None) -> Run:
        remaining = iter(changes)

        def churn(call: object) -> None:
            if getattr(call, "function", "") == "getAPISession":
                return
            for kind, number in (next(remaining, (None, 0)) for _ in range(2)):
                if kind is None:
                    return
                try:
                    change(self.company, self.subject, self._kind(kind), number)
                except Exception as error:
                    # In the server's thread it would only look like a lost connection.
                    self.failures.append(error)
                    raise

        if not is_under_way(self.target.state):
            # A sync that is resumed is the one that was broken off.
            self.at_its_beginning = self._truth()
        self.sandbox.faults.between_calls = churn
        catalog = self.catalogs[self.subject.name]
        run = self.target.run(self.subject.stream, catalog=catalog, upto=upto)
        self.sandbox.faults.between_calls = None
        assert self.failures == []
        return run

    def _assert_equal(self, loaded: dict[tuple[Any, ...], dict[str, Any]]) -> None:
        truth = self._truth()
        assert set(loaded) - set(truth) == set(), "rows that are gone"
        stamps = ("RECORDNO", "WHENMODIFIED", "WHENCREATED", "AUWHENCREATED")
        missing = [
            {name: truth[key].get(name) for name in stamps}
            for key in sorted(set(truth) - set(loaded))
        ]
        assert missing == [], "rows that are missing"
        stale = {
            key: row
            for key, row in truth.items()
            if self._own_columns(loaded[key]) != self._own_columns(row)
        }
        assert stale == {}, "rows that are stale"

    def _own_columns(self, row: Mapping[str, Any]) -> dict[str, Any]:
        borrowed = self.subject.borrowed
        return {name: value for name, value in row.items() if name not in borrowed}

    def _kind(self, number: int) -> str:
        return self.subject.kinds[number % len(self.subject.kinds)]

    def _truth(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Visible rows; readByQuery shows no private ones."""
        now = self.clock.now().strftime("%Y-%m-%dT%H:%M:%S")
        where = '("_visible_from" IS NULL OR "_visible_from" <= ?)'
        source = DATA_SOURCE_BY_STREAM[self.subject.stream]
        if source.functions[0] is ReadFunction.READ_BY_QUERY:
            where += ' AND "_private" = 0'
        if source.needs_period:
            names = ", ".join(f"'{name}'" for name in self._periods())
            where = f'"_private" = 0 AND "PERIOD" IN ({names}) AND ? != \'\''
        rows = self.company.truth(source.object_name, where=where, parameters=(now,))
        found = ({**self._own(row), **row} for row in rows)
        return {
            tuple(row[name] for name in self._key_names()): {
                name: as_json(value) for name, value in row.items()
            }
            for row in found
        }

    def _key_names(self) -> list[str]:
        (entry,) = self.catalogs[self.subject.name]["streams"]
        return list(entry["key_properties"])

    def _own(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What the tap adds to a row."""
        own: dict[str, Any] = {"_sdc_deleted_at": None}
        if "entities" in self.subject.settings:
            own["_entity_id"] = row["MEGAENTITYID"] or TOP_LEVEL
        if DATA_SOURCE_BY_STREAM[self.subject.stream].needs_period:
            texts = {k: "" if v is None else str(v) for k, v in row.items()}
            own["_balance_key"] = balance_key(texts, key_fields(row))
        return own

    def _periods(self) -> list[str]:
        return [
            str(row["NAME"])
            for row in self.company.truth(
                "REPORTINGPERIOD",
                where="NAME LIKE 'Month%' AND START_DATE >= '2025-07-01' "
                "AND START_DATE <= ?",
                parameters=(self.clock.now().date().isoformat(),),
            )
        ]

    def _assert_nothing_twice(self, run: Run) -> None:
        records = run.records(self.subject.stream)
        versions = Counter(str(sorted(r.items(), key=str)) for r in records)
        assert max(versions.values(), default=1) == 1


@pytest.fixture(scope="module")
def small_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("books") / "company.sqlite"
    company = Company.create(path, journal_lines=60, clock=ManualClock(NOON))
    company.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    company.close()
    return path


@pytest.mark.parametrize("name", SUBJECTS)
def test_target_equals_the_company_when_changes_stop(
    name: str,
    small_books: Path,
    record_property: Callable[[str, object], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # So that where pages start is guessed in these small books too.
    monkeypatch.setattr(key_set, "LEAST_PAGES_TO_GUESS", 2)
    chosen = int(os.environ.get("CONVERGENCE_SEED", secrets.randbelow(10**9)))
    record_property("campaign", f"{name}: seed {chosen}")
    each = ceil(EXAMPLES / len(ROADS))
    for place, road in enumerate(ROADS):
        held = drive(name, small_books, road, chosen + place, each)
        shown = " x ".join(map(str, road.values()))
        record_property("campaign", f"{name}, {shown}: {held} examples held")
        assert held >= each


def drive(name: str, small_books: Path, on: Road, with_seed: int, most: int) -> int:
    """Try examples on one road; how many held."""

    class Driven(Machine):
        subject = SUBJECTS[name]
        books = small_books
        examples: ClassVar[Counter[str]] = Counter()
        road = on

    run_state_machine_as_test(
        seed(with_seed)(Driven),
        settings=settings(
            max_examples=most,
            stateful_step_count=8,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=PHASES,
            database=None,
        ),
    )
    return Driven.examples[name]
