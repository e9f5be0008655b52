"""Ending a run on SIGINT or SIGTERM: at once, but never inside a line of output.

A signal may come between any two instructions. Where a message is being written, it
waits until the line is whole; anywhere else (waiting for Intacct, pausing before a
retry, decoding) it ends the run there. Signals often come in pairs: a terminal sends one
to every process of a pipeline, and then a program such as Meltano or `timeout` sends
another. So the second changes nothing. A target may stop reading without closing its end
of the pipe, as under Meltano. So the wait for it is limited. Independent of Intacct.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterable
from types import TracebackType

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib import Message
from typing_extensions import override

PATIENCE_SECONDS = 5
"""How long a run that must end waits for a target that reads nothing.

Docker kills after ten seconds.
"""


class Interrupted(BaseException):
    """A signal ends the run. Like KeyboardInterrupt, this is not an error to handle."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"Interrupted by {signal.Signals(number).name}")

    @property
    def exit_code(self) -> int:
        """What shells expect of a process that a signal ended."""
        return 128 + self.number


class Interruption:
    """What a signal does; as a context manager it holds the signal back.

    with interruption:
        write_a_line()
    """

    def __init__(self) -> None:
        self._depth = 0
        self._number: int | None = None
        self._last_words: Callable[[], None] = lambda: None

    def request(self, number: int, last_words: Callable[[], None]) -> None:
        """End the run, now or as soon as signals are not held back.

        Args:
            number: of the signal. After the first signal, others change nothing.
            last_words: called before the run ends, while nothing is held back.

        Raises:
            Interrupted: now.
        """
        if self._number is None:
            self._number, self._last_words = number, last_words
            self._end_unless_held()

    def __enter__(self) -> None:
        """Hold signals back."""
        self._depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Obey a signal that came meanwhile.

        Raises:
            Interrupted: one did.
        """
        self._depth -= 1
        self._end_unless_held()

    def _end_unless_held(self) -> None:
        if self._number is not None and not self._depth:
            last_words, self._last_words = self._last_words, lambda: None
            last_words()
            raise Interrupted(self._number)


def limit_wait_for_target() -> None:
    """Discard output after a while, so that no write waits for ever."""
    if hasattr(signal, "setitimer") and not any(signal.getitimer(signal.ITIMER_REAL)):
        signal.signal(signal.SIGALRM, give_up_output)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS)


def give_up_output(*_: object) -> None:
    """Discard standard output from now on: a write neither waits nor fails."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def keep_output() -> None:
    """Cancel `limit_wait_for_target`."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


_WHOLE_LINES = re.compile(rb".{0,4095}\n|.+?\n", re.DOTALL)
"""Lines that a pipe takes as a whole (PIPE_BUF), or one longer line."""


class WholeLineWriter(MsgSpecWriter):
    """Writes messages to standard output; no signal splits a line."""

    def __init__(self) -> None:
        super().__init__()
        self.interruption = Interruption()

    @override
    def write_message(self, message: Message) -> None:
        """As the SDK's, with signals held back until the line is out."""
        with self.interruption:
            super().write_message(message)

    def write_lines(self, parts: Iterable[memoryview]) -> None:
        """Write whole lines, a few at a time, with signals held back meanwhile.

        To write a page at once would keep a signal waiting until a slow target has read
        all of it. If the tap then gave up, part of a line would stay in the pipe.
        """
        for part in parts:
            for lines in _WHOLE_LINES.finditer(part):
                with self.interruption:
                    sys.stdout.buffer.write(part[slice(*lines.span())])
                    sys.stdout.flush()
