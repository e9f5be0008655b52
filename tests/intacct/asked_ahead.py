"""The threads in which calls are under way."""

from __future__ import annotations

import threading


def threads_ahead() -> list[threading.Thread]:
    """Those whose answers have not come yet."""
    return [thread for thread in threading.enumerate() if thread.name == "ask-ahead"]


def wait_for_answers() -> None:
    """Until no call is under way, for ten seconds each at most."""
    for thread in threads_ahead():
        thread.join(10)
