"""The console command."""

from __future__ import annotations

import io
import logging
import os
import sqlite3
import sys
import traceback
import warnings
from pathlib import Path

from target_pigment.settings.environment import check_files
from target_pigment.singer.target import EXPLAINED, Interrupted, TargetPigment

EXIT_FAILURE = 1


def main() -> None:
    """The console command: whatever goes wrong, one last line says it, and exit code 1."""
    logger = logging.getLogger(TargetPigment.name)
    # Both show values of rows at the level DEBUG.
    for name in ("singer_sdk.mapper", "singer_sdk.mapper_base"):
        logging.getLogger(name).setLevel(logging.INFO)
    warnings.filterwarnings("ignore", category=ResourceWarning)
    _buffer_output()
    code = EXIT_FAILURE
    try:
        check_files(sys.argv[1:])
        TargetPigment.cli()
    except Interrupted as interrupted:
        logger.critical(
            "%s; rows not yet pushed are discarded, and no STATE is passed on.",
            interrupted,
        )
        code = interrupted.exit_code
    except EXPLAINED as error:
        text = " ".join(str(error).split())
        logger.critical(text, exc_info=logger.isEnabledFor(logging.DEBUG))
    except Exception as error:  # noqa: BLE001  its text may quote a row
        _report_unexpected(error, logger)
    _let_go_of_output()
    sys.exit(code)


def _buffer_output() -> None:
    """Make every write complete, even if PYTHONUNBUFFERED is set.

    Without a buffer, Python drops the rest of a write that a signal cuts short.
    """
    own = sys.__stdout__
    raw: object = getattr(own, "buffer", None)
    if own and own is sys.stdout and isinstance(raw, io.RawIOBase):
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw), encoding=own.encoding, errors=own.errors
        )


def _report_unexpected(error: Exception, logger: logging.Logger) -> None:
    """Say where it happened, but not its text, which may hold data."""
    if isinstance(error, OSError | sqlite3.Error):
        logger.critical(
            "The run cannot go on: %s. If the disk is full, make room, or set TMPDIR to a "
            "folder on another disk.",
            error,
        )
    else:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        logger.critical(
            "An unexpected %s at %s:%d ended the run; please report it.",
            type(error).__name__,
            Path(frame.filename).name,
            frame.lineno or 0,
        )
    logger.debug("".join(traceback.format_tb(error.__traceback__)))


def _let_go_of_output() -> None:
    """Keep Python from complaining at exit about output that it cannot write."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
