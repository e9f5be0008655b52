"""What is measured, and how often: runs in rounds, one of each, so that noise is shared."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from benchmarks.page_server import PAGE
from benchmarks.process import Cost, ProgramFailed, run_into_file, run_into_pipe
from benchmarks.servers import Pages
from benchmarks.taps import PLAIN, TAP, Contestant, write

LATENCY_SECONDS = 0.3
CONNECTIONS = (1, 2, 4)
RECORD = b'{"type":"RECORD"'
NEVER = float("nan")


class Unfair(AssertionError):
    """A tap did not write the rows that it was measured for."""


@dataclass(frozen=True)
class Job:
    """What one contestant is to do."""

    contestant: Contestant
    rows: int
    latency_seconds: float = 0.0
    into_pipe: bool = False
    connections: int = 1

    @property
    def ideal_seconds(self) -> float:
        """What the latency of the pages alone takes, shared by the connections."""
        return ceil(self.rows / PAGE) * self.latency_seconds / self.connections


@dataclass(frozen=True)
class Measure:
    """One run, or the medians of several; the whole process, start-up included."""

    calls: float
    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float
    first_call_seconds: float
    most_at_once: float


@dataclass(frozen=True)
class Done:
    """A job, and the medians of its runs."""

    job: Job
    measure: Measure

    @property
    def rows_per_cpu_second(self) -> float:
        """The whole process, start-up included."""
        return self.job.rows / self.measure.cpu_seconds


@dataclass(frozen=True)
class Speed:
    """One contestant without latency.

    Attributes:
        idle: with no rows.
        into_file: output in a file.
        into_pipe: output to a reader that throws it away.
    """

    idle: Done
    into_file: Done
    into_pipe: Done

    @property
    def net_rows_per_cpu_second(self) -> float:
        """Less what a run of no rows takes."""
        net = self.into_file.measure.cpu_seconds - self.idle.measure.cpu_seconds
        return self.into_file.job.rows / net


@dataclass(frozen=True)
class Bench:
    """Measures contestants against the page server.

    Attributes:
        folder: holds their settings, outputs and logs.
        runs: of each job.
    """

    folder: Path
    pages: Pages
    contestants: Sequence[Contestant]
    runs: int

    def speed(self, rows: int) -> list[Speed]:
        """Each contestant on the same pages."""
        jobs = [
            Job(contestant, count, into_pipe=into_pipe)
            for contestant in self.contestants
            for count, into_pipe in ((0, False), (rows, False), (rows, True))
        ]
        done = self._rounds(jobs)
        threes = zip(done[::3], done[1::3], done[2::3], strict=True)
        return [Speed(*three) for three in threes]

    def latency(self, rows: int) -> list[Done]:
        """Each contestant with a slow server, by the connections that it may use."""
        return self._rounds(
            [
                self._slow_job(contestant, rows, connections)
                for contestant in self.contestants
                for connections in _connections(contestant)
            ]
        )

    def long_latency(self, rows: int) -> list[Done]:
        """This tap with a slow server, and with all connections."""
        return self._rounds(
            [
                self._slow_job(contestant, rows, CONNECTIONS[-1])
                for contestant in self.contestants
                if contestant.key != PLAIN
            ]
        )

    def _slow_job(self, contestant: Contestant, rows: int, connections: int) -> Job:
        if contestant.key != PLAIN:
            contestant = contestant.with_settings(
                self.folder, max_connections=connections
            )
        return Job(contestant, rows, LATENCY_SECONDS, connections=connections)

    def scale(self, row_counts: Sequence[int]) -> list[Done]:
        """This tap with more and more rows."""
        jobs = [
            Job(contestant, rows)
            for contestant in self.contestants
            if contestant.key != PLAIN
            for rows in row_counts
        ]
        return self._rounds(jobs)

    def discovery(self) -> float:
        """Seconds of `--discover` without credentials."""
        write(self.folder / "discover.config.json", {})
        command = [*TAP, "--config", "discover.config.json", "--discover"]
        costs = [
            run_into_file(
                command,
                folder=self.folder,
                output=self.folder / "discovered.json",
                log=self.folder / "discover.log",
            )
            for _ in range(self.runs)
        ]
        return statistics.median(cost.wall_seconds for cost in costs)

    def _rounds(self, jobs: Sequence[Job]) -> list[Done]:
        rounds = [[self.run(job) for job in jobs] for _ in range(self.runs)]
        return [
            Done(job, _medians(measures))
            for job, measures in zip(jobs, zip(*rounds, strict=True), strict=True)
        ]

    def run(self, job: Job) -> Measure:
        """Run one job once.

        Raises:
            Unfair: the output holds another number of records than there were rows.
            ProgramFailed: the contestant did not end well.
        """
        self.pages.set_answers(rows=job.rows, latency_seconds=job.latency_seconds)
        try:
            cost = self._cost(job)
        except ProgramFailed:
            # Tells first of what the page server did not understand.
            self.pages.heard()
            raise
        heard = self.pages.heard()
        return Measure(
            calls=heard.calls.total(),
            wall_seconds=cost.wall_seconds,
            cpu_seconds=cost.cpu_seconds,
            peak_megabytes=cost.peak_megabytes,
            first_call_seconds=NEVER
            if heard.first is None
            else heard.first - cost.started,
            most_at_once=heard.most_at_once,
        )

    def _cost(self, job: Job) -> Cost:
        contestant, folder = job.contestant, self.folder
        log = folder / f"{contestant.key}.log"
        if job.into_pipe:
            return run_into_pipe(contestant.command, folder=folder, log=log)
        output = folder / f"{contestant.key}.jsonl"
        cost = run_into_file(contestant.command, folder=folder, output=output, log=log)
        written = count_records(output)
        if written != job.rows:
            raise Unfair(f"{contestant.title}: {written} of {job.rows} rows.")
        return cost


def _connections(contestant: Contestant) -> tuple[int, ...]:
    return (1,) if contestant.key == PLAIN else CONNECTIONS


def count_records(path: Path) -> int:
    """RECORD messages of a file."""
    with path.open("rb") as lines:
        return sum(line.startswith(RECORD) for line in lines)


def _medians(measures: Sequence[Measure]) -> Measure:
    return Measure(
        *(
            statistics.median(values)
            for values in zip(*(vars(m).values() for m in measures), strict=True)
        )
    )
