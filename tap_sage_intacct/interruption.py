"""Ending a run on SIGINT or SIGTERM: at once, but never inside a line of output.

A signal may come between any two instructions. Where a message is being written, it
waits until the line is whole; anywhere else (waiting for Intacct, pausing before a
retry, decoding) it ends the run there. Knows nothing of Intacct.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable
from types import TracebackType

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib import Message


class Interrupted(BaseException):
    """The run was told to end; like KeyboardInterrupt no error that anyone handles."""

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
        self._pending: int | None = None
        self._last_words: Callable[[], None] | None = None

    def request(self, number: int, last_words: Callable[[], None]) -> None:
        """End the run, now or as soon as nothing is held; at once when asked again.

        Args:
            number: of the signal.
            last_words: called before the run ends, outside any held part; not when a
                second signal comes, since it may be what hangs.

        Raises:
            Interrupted: now.
        """
        if self._pending is None:
            self._last_words = last_words
        if self._depth and self._pending is None:
            self._pending = number
            return
        self._end(number)

    def __enter__(self) -> None:
        """Hold signals back."""
        self._depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let a signal that came meanwhile take effect.

        Raises:
            Interrupted: one did.
        """
        self._depth -= 1
        if not self._depth and self._pending is not None:
            self._end(self._pending)

    def _end(self, number: int) -> None:
        self._pending = number
        last_words, self._last_words = self._last_words, None
        if last_words is not None and not self._depth:
            last_words()
        raise Interrupted(number)


class WholeLineWriter(MsgSpecWriter):
    """Writes messages to standard output; no signal parts a line."""

    def __init__(self) -> None:
        super().__init__()
        self.interruption = Interruption()

    def write_message(self, message: Message) -> None:
        """As the SDK's, with signals held back until the line is out."""
        with self.interruption:
            super().write_message(message)

    def write_lines(self, parts: Iterable[memoryview]) -> None:
        """Whole lines, with signals held back until all of them are out."""
        with self.interruption:
            sys.stdout.buffer.writelines(parts)
            sys.stdout.flush()
