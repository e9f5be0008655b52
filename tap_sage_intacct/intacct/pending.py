"""Answers that are on their way, and work in threads of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pending(Generic[T]):
    """An answer that was asked for, and may be on its way still.

    Attributes:
        result: waits for the answer. It asks again, as often as the settings allow, for
            what failed or came broken; called once more, it asks once more. Raises
            what went wrong in the end.
    """

    result: Callable[[], T]


def ask_ahead(work: Callable[[], T]) -> Callable[[], T]:
    """Begin the work in a thread of its own.

    The thread is a daemon: a run that ends does not wait for an answer that nobody will
    read, as it would with the threads of an executor.

    Returns:
        what waits for the result, and raises what the work raised.
    """
    return _begun(work).result


def within(seconds: float, work: Callable[[], T]) -> T:
    """Do the work, but wait no longer than that for it; it goes on alone.

    Raises:
        TimeoutError: it has not ended in time.
        BaseException: what the work raised.
    """
    future = _begun(work)
    wait([future], timeout=seconds)
    if not future.done():
        raise TimeoutError
    return future.result()


def _begun(work: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(
        target=copy_context().run, args=(run,), name="ask-ahead", daemon=True
    ).start()
    return future
