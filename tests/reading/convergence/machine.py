"""A company, a tap and its targets, and everything that may happen to them."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from intacct_sandbox import Company, Sandbox, Switches
from tap_sage_intacct.catalog.sources import ReadFunction
from tap_sage_intacct.reading.balance_key import balance_key, key_fields
from tests.conftest import NOON
from tests.loading import Key, Loader, Record, Road, Run, as_json
from tests.reading.convergence.changes import CommitClock, change
from tests.reading.convergence.subjects import SUBJECTS, TOP_LEVEL, Subject

Table = dict[Key, Record]
Changes = list[tuple[int, int]]

# Many columns cost time and find nothing more: these, and a few of the others.
_NEEDED = frozenset(
    {
        "RECORDNO", "WHENMODIFIED", "WHENCREATED", "AUWHENCREATED", "MODIFIED",
        "MEGAENTITYID", "BATCHKEY", "BATCHNO", "GLENTRYKEY", "DOCHDRKEY", "VENDORID",
        "NAME", "DESCRIPTION", "BATCH_TITLE", "AMOUNT", "STATE",
    }
)  # fmt: skip
_OTHERS = 20


@dataclass
class Pipeline:
    """A target with its state.

    Attributes:
        at_its_beginning: the rows that there were when its sync began.
    """

    target: Loader
    at_its_beginning: Table = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A sync.

    Attributes:
        changes: while it runs, two before each call.
        quiet: calls before the first of them.
        first: number of the changes before it.
        times: how many they are; many take several pages.
        apart: seconds from one to the next.
        pace: how long each call takes, as a part of the longest.
        which: of the pipelines.
    """

    changes: Changes
    quiet: int
    first: int
    times: int
    apart: int
    pace: float
    which: int

    @property
    def by_call(self) -> list[Changes]:
        pairs = [self.changes[i : i + 2] for i in range(0, len(self.changes), 2)]
        return [[]] * self.quiet + pairs


PLANS = st.builds(
    Plan,
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 10_000)), max_size=16),
    st.integers(0, 8),
    st.integers(0, 10_000),
    st.sampled_from([10, 0, 20, 30]),
    st.sampled_from([0, 20, 40]),
    st.sampled_from([0.6, 0.3, 1.0, 0.0]),
    st.integers(0, 1),
)


class Machine(RuleBasedStateMachine):
    """What all campaigns share.

    Attributes:
        subjects: names of those that the examples are of.
        catalogs: by subject.
        examples: how many held, by subject.
        latest: a row shows less than this time after its stamp.
        longest_call: how long one may take.
        are_late: changes show some time after their stamps.
        limits: settings of the tap.
    """

    subjects: ClassVar[tuple[str, ...]]
    books: ClassVar[Path]
    catalogs: ClassVar[dict[str, dict[str, Any]]] = {}
    examples: ClassVar[Counter[str]]
    road: ClassVar[Road]
    latest: ClassVar[timedelta] = timedelta(minutes=90)
    longest_call: ClassVar[timedelta] = timedelta()
    are_late: ClassVar[bool] = False
    limits: ClassVar[Mapping[str, object]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.failures: list[Exception] = []
        self.pace = 0

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.name = data.draw(st.sampled_from(self.subjects))
        shutil.copy(self.books, self.folder / "company.sqlite")
        start, switches = self.world(data)
        self.clock = CommitClock(start)
        self.company = Company.open(self.folder / "company.sqlite", clock=self.clock)
        # Whether Intacct stamps what a posting moves in later periods is unknown.
        self.company.stamps_later_balances = False
        self.sandbox = Sandbox(self.company, switches=switches)
        self.sandbox.start()
        self.pipelines = [Pipeline(target) for target in self.targets(data)]
        if self.name not in self.catalogs:
            self.catalogs[self.name] = self._catalog()

    def world(self, data: st.DataObject) -> tuple[datetime, Switches]:
        """When the company is met, and how it behaves."""
        del data
        return NOON, Switches()

    def targets(self, data: st.DataObject) -> list[Loader]:
        del data
        return [Loader(self.settings())]

    def settings(self, key_store: str = "keys") -> dict[str, object]:
        return {
            **self.sandbox.config(),
            **self.road,
            **self.limits,
            "page_size": self.subject.page_size,
            "include_deletes": True,
            "key_store": str(self.folder / f"{key_store}.sqlite"),
            **self.subject.settings,
        }

    @property
    def subject(self) -> Subject:
        return SUBJECTS[self.name]

    @rule(kind=st.integers(0, 20), number=st.integers(0, 10_000))
    def change_now(self, kind: int, number: int) -> None:
        self._change(kind, number)

    @rule(minutes=st.sampled_from([1, 5, 20, 60]))
    def wait(self, minutes: int) -> None:
        self.clock.advance(minutes * 60)

    @rule(plan=PLANS)
    def sync(self, plan: Plan) -> None:
        pipeline = self._prepare(plan)
        if (run := self._run(pipeline, plan.by_call)) is not None:
            self._assert_nothing_missing(pipeline)
            self._assert_nothing_twice(run)

    @rule(plan=PLANS, upto=st.integers(1, 40))
    def sync_that_dies(self, plan: Plan, upto: int) -> None:
        self._run(self._prepare(plan), plan.by_call, upto=upto)

    def _prepare(self, plan: Plan) -> Pipeline:
        for number in range(plan.first, plan.first + plan.times):
            self.clock.advance(plan.apart)
            self._change(number * 7, number * 31)
        self.pace = int(self.longest_call.total_seconds() * plan.pace)
        return self.pipelines[plan.which % len(self.pipelines)]

    def teardown(self) -> None:
        try:
            if hasattr(self, "pipelines"):
                self._converge()
        finally:
            if hasattr(self, "company"):
                self.sandbox.stop()
                self.company.close()
            shutil.rmtree(self.folder)

    def _converge(self) -> None:
        """What was broken off is finished; then one more sync must be enough."""
        self.clock.advance(int(self.latest.total_seconds()))
        for pipeline in self.pipelines:
            target = pipeline.target
            for _ in range(1 + target.is_under_way + (target.state is None)):
                self.clock.advance(5)
                self._run(pipeline, [])
            self._assert_equal(target.tables.get(self.subject.stream, {}))
        self.examples[self.name] += 1

    def _run(
        self, pipeline: Pipeline, changes: list[Changes], upto: int | None = None
    ) -> Run | None:
        """Sync; None where the tap refuses to."""
        # What bears the second that is not over yet is left to the next sync.
        self.clock.advance(2)
        if not pipeline.target.is_under_way:
            # A sync that is resumed is the one that was broken off.
            pipeline.at_its_beginning = self._truth()
        remaining = iter(changes)
        self.sandbox.faults.between_calls = lambda call: self._pass(call, remaining)
        catalog = self.catalogs[self.name]
        try:
            return pipeline.target.run(self.subject.stream, catalog=catalog, upto=upto)
        finally:
            self.sandbox.faults.between_calls = None
            assert self.failures == []

    def _pass(self, call: object, remaining: Iterator[Changes]) -> None:
        """Time and changes before a call is answered."""
        if getattr(call, "function", "") == "getAPISession":
            return
        self.clock.advance(self.pace)
        for kind, number in next(remaining, []):
            try:
                self._change(kind, number)
            except Exception as error:
                # In the server's thread it would only look like a lost connection.
                self.failures.append(error)
                raise

    def _change(self, kind: int, number: int) -> None:
        self.clock.advance(number % 3)
        late = self.latest * (number % 60) / 60 if self.are_late else timedelta()
        name = self.subject.kinds[kind % len(self.subject.kinds)]
        with self.clock.behind(late):
            change(self.company, self.subject, name, number, self.latest)

    def _assert_nothing_missing(self, pipeline: Pipeline) -> None:
        before, now = pipeline.at_its_beginning, self._truth()
        throughout = {k: row for k, row in now.items() if before.get(k) == row}
        loaded = pipeline.target.tables.get(self.subject.stream, {})
        missing = set(throughout) - set(loaded)
        assert missing == set(), "rows that were there throughout are missing"
        # A line that changes without a stamp comes with its header, which may change again
        # while the sync runs: then it comes with the next one.
        if self.subject.source.header is None:
            assert self._stale(throughout, loaded) == {}, "rows that did not change"

    def _assert_nothing_twice(self, run: Run) -> None:
        """Deletions may be: nothing proves that they arrived."""
        records = run.records(self.subject.stream)
        living = (r for r in records if r["_sdc_deleted_at"] is None)
        versions = Counter(str(sorted(r.items(), key=str)) for r in living)
        twice = [row for row, times in versions.items() if times > 1]
        assert twice == [], "rows that came twice"

    def _assert_equal(self, loaded: Table) -> None:
        truth = self._truth()
        assert set(loaded) - set(truth) == set(), "rows that are gone"
        stamps = ("RECORDNO", "WHENMODIFIED", "WHENCREATED", "AUWHENCREATED")
        missing = [
            {name: truth[key].get(name) for name in stamps}
            for key in sorted(set(truth) - set(loaded))
        ]
        assert missing == [], "rows that are missing"
        assert self._stale(truth, loaded) == {}, "rows that are stale"

    def _stale(self, expected: Table, loaded: Table) -> dict[Key, object]:
        """Where they differ: the column, what is expected and what there is."""
        found = {
            key: [
                (name, row.get(name), loaded[key].get(name))
                for name in sorted(row.keys() | loaded[key].keys())
                if name not in self.subject.borrowed
                and not self.is_right(name, row.get(name), loaded[key].get(name))
            ]
            for key, row in expected.items()
        }
        return {key: columns for key, columns in found.items() if columns}

    def is_right(self, name: str, expected: object, found: object) -> bool:
        """Whether a column holds what it should."""
        del name
        return expected == found

    def _truth(self) -> Table:
        """The rows that the tap may see, with the columns that the catalog selects."""
        source = self.subject.source
        where, parameters = self._visible()
        rows = self.company.truth(
            source.object_name, where=where, parameters=parameters
        )
        (entry,) = self.catalogs[self.name]["streams"]
        selected, keys = entry["schema"]["properties"], entry["key_properties"]
        found = ({**self._own(row), **row} for row in rows)
        return {
            tuple(row[name] for name in keys): {
                name: as_json(value) for name, value in row.items() if name in selected
            }
            for row in found
            if self._is_wanted(row)
        }

    def _visible(self) -> tuple[str, tuple[str, ...]]:
        """Rows that show by now; readByQuery shows no private ones at the top level."""
        source = self.subject.source
        if source.needs_period:
            names = ", ".join(f"'{name}'" for name in self._periods())
            return f'"_private" = 0 AND "PERIOD" IN ({names})', ()
        where = '("_visible_from" IS NULL OR "_visible_from" <= ?)'
        if source.functions[0] is ReadFunction.READ_BY_QUERY:
            where += ' AND "_private" = 0'
            if "entities" in self.subject.settings:
                where = where.replace(
                    '"_private" = 0', '("_private" = 0 OR "_entity" > \'\')'
                )
        return where, (self.clock.now().strftime("%Y-%m-%dT%H:%M:%S"),)

    def _is_wanted(self, row: Mapping[str, Any]) -> bool:
        """Rows of before the start date are not; those without any stamp are."""
        start = self.subject.settings.get("start_date")
        stamp = row.get("WHENMODIFIED") or row.get("WHENCREATED")
        if start is None or stamp is None:
            return True
        begin = datetime.fromisoformat(str(start).replace("Z", "+00:00"))
        return bool(stamp >= begin)

    def _own(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What the tap adds to a row."""
        own: dict[str, Any] = {"_sdc_deleted_at": None}
        if "entities" in self.subject.settings:
            own["_entity_id"] = row["MEGAENTITYID"] or TOP_LEVEL
        if self.subject.source.needs_period:
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

    def _catalog(self) -> dict[str, Any]:
        """The stream's own entry, with some of its columns."""
        stream = self.subject.stream
        catalog = self.pipelines[0].target.catalog([stream])
        (entry,) = (e for e in catalog["streams"] if e["stream"] == stream)
        if self.subject.is_whole:
            entry["replication_method"] = "FULL_TABLE"
        if not self.subject.source.needs_period:
            names = list(entry["schema"]["properties"])
            own = {name for name in names if name.startswith("_")}
            kept = _NEEDED | own | set(names[:_OTHERS])
            keep_columns(entry, kept)
        return {"streams": [entry]}


def keep_columns(entry: dict[str, Any], names: frozenset[str]) -> None:
    """Leave the others out of a stream's catalog entry."""
    properties = entry["schema"]["properties"]
    entry["schema"]["properties"] = {k: v for k, v in properties.items() if k in names}
    entry["metadata"] = [
        m
        for m in entry["metadata"]
        if not m["breadcrumb"] or m["breadcrumb"][-1] in names
    ]
