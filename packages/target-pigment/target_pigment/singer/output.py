"""Standard output, as STATE needs it: nothing of a line is lost on the way."""

from __future__ import annotations

import io
import os
import sys


def buffer_output() -> None:
    """Have every write finished, also where PYTHONUNBUFFERED is set.

    Without a buffer Python drops what a write leaves over, as it does at a signal.
    """
    raw: object = getattr(sys.stdout, "buffer", None)
    if isinstance(raw, io.RawIOBase):
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw),
            encoding=sys.stdout.encoding,
            errors=sys.stdout.errors,
        )


def let_go_of_output() -> None:
    """Keep Python from complaining, at its end, of what it cannot write."""
    try:
        # Does nothing where there is no output at all.
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
