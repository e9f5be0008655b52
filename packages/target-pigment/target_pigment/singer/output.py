"""Standard output, as STATE needs it: nothing of a line is lost on the way."""

from __future__ import annotations

import io
import os
import sys


def buffer_output() -> None:
    """Make every write complete, even if PYTHONUNBUFFERED is set.

    Without a buffer, Python drops the rest of a write that a signal cuts short.
    """
    own = sys.__stdout__
    raw: object = getattr(own, "buffer", None)
    if own and own is sys.stdout and isinstance(raw, io.RawIOBase):
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw), encoding=own.encoding, errors=own.errors
        )


def let_go_of_output() -> None:
    """Keep Python from complaining, at its end, of what it cannot write."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
