"""What all commands have in common: their settings, their output, how they end."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import update_wrapper
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from typing_extensions import override

from tap_sage_intacct.command import EXIT_FAILURE, place_of
from tap_sage_intacct.companion.configuration import Configuration, load_configuration
from tap_sage_intacct.companion.screens import Output
from tap_sage_intacct.errors import TapError
from tap_sage_intacct.intacct.http.clock import utc_now
from tap_sage_intacct.run.interruption import give_up_output
from tap_sage_intacct.run.run import Run
from tap_sage_intacct.settings.environment import with_variable

T = TypeVar("T")


@dataclass(frozen=True)
class Surroundings:
    """What a command takes from outside, so that a recording can replace it.

    Attributes:
        screen: where all goes; None for stdout and stderr.
        now: aware.
        timer: seconds that only grow.
        can_ask: whether somebody is there to answer.
    """

    screen: Console | None = None
    now: Callable[[], datetime] = utc_now
    timer: Callable[[], float] = time.monotonic
    can_ask: Callable[[], bool] = lambda: sys.stdin.isatty()  # noqa: PLW0108 - as stdin is then


@dataclass(frozen=True)
class Invocation:
    """One command: where it writes, and what it is configured with."""

    output: Output
    surroundings: Surroundings
    configuration: Configuration = field(repr=False)

    def show(
        self, found: T, render: Callable[[Output, T], None], document: Any = None
    ) -> None:
        """Write a result.

        Args:
            found: the result.
            render: how people see it.
            document: what is written as JSON, if that is not the result itself.
        """
        if self.output.as_json:
            self.output.json(found if document is None else document)
        else:
            render(self.output, found)

    def run(self) -> Run:
        """What the streams of the tap would share.

        Raises:
            InvalidSettings: the settings are wrong.
        """
        return Run(self.configuration.settings())


class Companion(click.Group):
    """Ends every error in one line and exit code 1."""

    @override
    def main(self, *args: Any, **extra: Any) -> Any:
        """As click's; the process ends with it."""
        talk = _TalkHandler()
        logger = logging.getLogger("tap_sage_intacct")
        logger.addHandler(talk)
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
            if sys.stdout is not None:
                sys.stdout.flush()
        except BrokenPipeError:
            # The reader has seen enough, and Python would complain at its end.
            give_up_output()
            sys.exit(EXIT_FAILURE)
        except click.Abort:
            _fail("Stopped; nothing was changed.")
        except click.ClickException as error:
            _fail(error.format_message())
        except TapError as error:
            told = (with_variable(text, os.environ) for text in error.problems)
            _fail(" ".join(told))
        except OSError as error:
            _fail(str(error))
        except Exception as error:  # noqa: BLE001 - every error ends in one line
            _fail(
                f"failed with an unexpected error: {place_of(error)}. Please report it."
            )
        finally:
            logger.removeHandler(talk)
        sys.exit(code if isinstance(code, int) else 0)


class _TalkHandler(logging.Handler):
    """Warnings of the tap, on stderr as it is now."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(record.getMessage(), err=True)


def _fail(message: str) -> None:
    click.echo(f"sage-intacct: {' '.join(message.split())}", err=True)
    sys.exit(EXIT_FAILURE)


def with_invocation(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all have, and its invocation."""

    def begin(
        context: click.Context,
        /,
        files: Sequence[str],
        *,
        as_json: bool,
        **options: Any,
    ) -> None:
        surroundings = context.obj or Surroundings()
        output = Output(
            surroundings.screen or Console(highlight=False),
            surroundings.screen or Console(stderr=True, highlight=False),
            as_json,
        )
        configuration = load_configuration(files, Path.cwd())
        command(Invocation(output, surroundings, configuration), **options)

    update_wrapper(begin, command)
    config = click.option(
        "--config",
        "files",
        multiple=True,
        metavar="FILE",
        help="JSON file of settings, or ENV; may be given several times.",
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
    return config(as_json(click.pass_context(begin)))
