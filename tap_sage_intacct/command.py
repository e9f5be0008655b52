"""The console command: its files and variables, its exit codes, and its last line."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import sqlite3
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from singer_sdk.exceptions import MappingError
from singer_sdk.singerlib import Catalog

from tap_sage_intacct.errors import InvalidSettings, TapError
from tap_sage_intacct.run.interruption import Interrupted, give_up_output, keep_output
from tap_sage_intacct.settings.environment import variable_of, with_variable
from tap_sage_intacct.settings.input_files import read_object

EXIT_FAILURE = 1
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_LEVELS_TEXT = ", ".join(_LEVELS)


def json_file(option: str) -> click.ParamType[io.StringIO]:
    """The type of an option that names a JSON file; the SDK gets the checked text."""
    read = read_catalog if option == "--catalog" else read_object

    def file(value: str) -> io.StringIO:
        path = Path("/dev/stdin" if value == "-" else value)
        return io.StringIO(json.dumps(read(path, option)))

    return click.types.FuncParamType(file)


def read_catalog(path: Path, option: str) -> dict[str, Any]:
    """The catalog in a file, as JSON.

    Raises:
        InvalidSettings: it cannot be read, is no catalog, or has no stream.
    """
    found = read_object(path, option)
    try:
        streams = Catalog.from_dict(found)
    except (AttributeError, KeyError, TypeError, ValueError):
        streams = Catalog()
    if not streams:
        raise InvalidSettings(
            f"{option}: {path} is no Singer catalog with streams: discover again."
        )
    return found


def run_command(command: Callable[[], click.Command], logger: logging.Logger) -> None:
    """Run the command; the process ends with it.

    Args:
        command: makes the command; what it raises ends the run as well.
        logger: of the last line.
    """
    # Meltano shows every warning, and a run that fails leaves files open. But the last
    # line must be the one that says what to do.
    warnings.filterwarnings("ignore", category=ResourceWarning)
    _buffer_output()
    code = EXIT_FAILURE
    try:
        code = _invoke(command())
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except Interrupted as interrupted:
        logger.critical(
            "%s; the last STATE that the target passed on resumes the run.", interrupted
        )
        code = interrupted.exit_code
        keep_output()
    except KeyboardInterrupt:
        # Before the tap has begun to listen for signals.
        code = 128 + signal.SIGINT
    except TapError as error:
        for problem in error.problems:
            text = with_variable(problem, os.environ)
            logger.critical(text, exc_info=_is_debugging(logger))
    except Exception as error:
        # Of an OSError the traceback adds nothing.
        is_traced = _is_debugging(logger) and not isinstance(error, OSError)
        logger.critical(_explanation(error), exc_info=is_traced)
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


def _invoke(command: click.Command) -> int:
    """As click's own `main`, which would end silently at a broken pipe."""
    code = 0
    try:
        with command.make_context(command.name, sys.argv[1:]) as context:
            command.invoke(context)
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    sys.stdout.flush()
    return code


def check_surroundings(variables: Mapping[str, str]) -> None:
    """Refuse to start if output is closed or a log level is wrong.

    Raises:
        InvalidSettings: one of these.
    """
    if sys.stdout is None:
        raise InvalidSettings("Standard output is closed: records have nowhere to go.")
    for name in (variable_of("loglevel"), "LOGLEVEL"):
        level = variables.get(name)
        if level is not None and level.upper() not in _LEVELS:
            raise InvalidSettings(f"{name} is no log level: use {_LEVELS_TEXT}.")


def _explanation(error: Exception) -> str:
    """The last line, for an error that is not one of the tap's own.

    It repeats no text that may hold the value of a row.
    """
    match error:
        case BrokenPipeError():
            return (
                "The target ended before the tap: see its log. The last STATE that it "
                "passed on resumes the run."
            )
        case OSError(filename=None):
            return (
                f"Standard output cannot be written to ({error.strerror}). The last STATE "
                "that arrived resumes the run."
            )
        case OSError():
            return f"{error.filename} cannot be used: {error.strerror}."
        case MappingError():
            return f"stream_maps: {error}"
        case sqlite3.Error():
            return (
                f"The key store can no longer be used ({error}): check that its disk has "
                "room and that no other run uses it."
            )
    return (
        f"The tap failed with an unexpected error: {place_of(error)}. Run it again with "
        "TAP_SAGE_INTACCT_LOGLEVEL=DEBUG, which shows the traceback, and report it."
    )


def place_of(error: Exception) -> str:
    """The class of an error, and the line that raised it; not its text."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    name, file = type(error).__name__, Path(place.filename).name
    return f"{name} in {file}, line {place.lineno}"


def _let_go_of_output() -> None:
    """Keep Python from complaining at exit about output that it cannot write."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        give_up_output()


def _is_debugging(logger: logging.Logger) -> bool:
    return logger.isEnabledFor(logging.DEBUG)
