"""Provokes messages of the tap, run in this process as its console command is."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

from intacct_sandbox import Company, ManualClock, Sandbox
from intacct_sandbox.wire.calls import Call
from tap_sage_intacct.tap import main
from tests.loading import PERIODS, selected
from tests.offered import offered
from tests.test_command_line import COMMAND

T = TypeVar("T")

COMMANDS = ("tap-sage-intacct", "target-pigment")


@dataclass
class Told:
    """What a run told people.

    Attributes:
        last: its last lines, those that end it.
        warnings: all lines that do not.
    """

    code: int
    last: list[str]
    warnings: list[str]


@dataclass
class Scene:
    """The sandbox, and the run that is to go wrong in it.

    Attributes:
        settings: those of the sandbox; None leaves one out.
        catalog: None to take what is offered.
        discovers: whether the run only discovers.
        ends_by: what it is sent at the second page of vendors; then it runs in a
            process of its own, since signals reach no thread but the main one.
        state: of an earlier run.
        files: option to what its file holds, in place of the above.
        more_arguments: of the command line.
        stdout: a descriptor that it writes to; then it runs in a process of its own.
    """

    sandbox: Sandbox
    company: Company
    clock: ManualClock
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    settings: dict[str, Any] = field(default_factory=dict)
    catalog: dict[str, Any] | None = None
    state: dict[str, Any] | None = None
    discovers: bool = False
    ends_by: signal.Signals | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    more_arguments: list[str] = field(default_factory=list)
    stdout: int | None = None
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def using(self, resource: AbstractContextManager[T]) -> T:
        """Keep something open until the test ends."""
        return self._stack.enter_context(resource)

    def close(self) -> None:
        """Let go of what was kept open."""
        self._stack.close()

    def __post_init__(self) -> None:
        """Sign in to the sandbox, and try nothing twice."""
        known = {**self.sandbox.config(), "balance_periods": list(PERIODS)}
        self.settings = {**known, "max_retries": 0, **self.settings}

    def select(self, *streams: str) -> None:
        """Take these streams of the live catalog, sensitive fields included."""
        given = {name: v for name, v in self.settings.items() if v is not None}
        self.catalog = selected(offered(self.sandbox, given, *streams))

    def run(self, caplog: pytest.LogCaptureFixture) -> Told:
        """Run the command."""
        if self.ends_by is not None:
            return self._run_apart(self.ends_by)
        if self.stdout is not None:
            return self._run_apart()
        caplog.clear()
        caplog.set_level(logging.INFO)
        arguments = self._arguments()
        self.monkeypatch.setattr("sys.argv", ["tap-sage-intacct", *arguments])
        with process_kept(), pytest.raises(SystemExit) as ended:
            main()
        return told(ended.value.code, caplog)

    def _run_apart(self, number: signal.Signals | None = None) -> Told:
        running = subprocess.Popen(
            [*COMMAND, *self._arguments()],
            stdout=subprocess.DEVNULL if self.stdout is None else self.stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
        if number is not None:
            end = partial(running.send_signal, number)
            self.sandbox.faults.between_calls = on_page("VENDOR", 2, end)
        _, log = running.communicate(timeout=20)
        return Told(running.returncode, log.splitlines()[-1:], [])

    def _arguments(self) -> list[str]:
        given = {name: v for name, v in self.settings.items() if v is not None}
        files: dict[str, Mapping[str, Any] | None] = {
            "config": given,
            "catalog": self.catalog,
            "state": self.state,
        }
        arguments = ["--discover"] if self.discovers else []
        for name, content in files.items():
            if content is None:
                continue
            path = self.folder / f"{name}.json"
            path.write_text(json.dumps(content), encoding="utf-8")
            arguments += [f"--{name}", str(path)]
        for name, text in self.files.items():
            path = self.folder / f"{name}.json"
            path.write_bytes(text)
            if f"--{name}" not in arguments:
                arguments += [f"--{name}", str(path)]
        return [*arguments, *self.more_arguments]


def on_page(
    object_name: str, number: int, act: Callable[[], object]
) -> Callable[[Call], None]:
    """Acts before the n-th page of an object is served."""
    seen: list[Call] = []

    def between(call: Call) -> None:
        if call.object_name == object_name and call.function == "query":
            seen.append(call)
            if len(seen) == number:
                act()

    return between


def told(code: object, caplog: pytest.LogCaptureFixture) -> Told:
    """Sort the log of a run that has ended."""
    lines = [(record.levelno, record.getMessage()) for record in caplog.records]
    last: list[str] = []
    while lines and lines[-1][0] >= logging.ERROR:
        last.insert(0, lines.pop()[1])
    assert not any("Traceback" in line for _, line in lines)
    return Told(
        code if isinstance(code, int) else 0,
        last,
        [line for level, line in lines if level >= logging.WARNING],
    )


@contextlib.contextmanager
def process_kept() -> Iterator[None]:
    """A command sets hooks of its process for good; here others come after it."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    hook = sys.excepthook
    loggers = [logging.getLogger(name) for name in ("", *COMMANDS)]
    handlers = [list(logger.handlers) for logger in loggers]
    try:
        yield
    finally:
        sys.excepthook = hook
        for logger, known in zip(loggers, handlers, strict=True):
            logger.handlers[:] = known
        logging.captureWarnings(capture=False)
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


SceneT = TypeVar("SceneT")


@dataclass(frozen=True)
class Provocation(Generic[SceneT]):
    """How a message of docs/errors.md comes about.

    Attributes:
        entry: the heading on the page.
        words: of the message, where the entry shows several.
        prepare: makes the run go wrong.
        code: how the run exits; a run that exits with 0 warns.
        warns: whether the message is a warning of a run that fails.
    """

    entry: str
    prepare: Callable[[SceneT], object]
    words: str = ""
    code: int = 1
    warns: bool = False

    @property
    def name(self) -> str:
        """Tells it from others in pytest's lists."""
        return f"{self.entry}-{self.words}" if self.words else self.entry
