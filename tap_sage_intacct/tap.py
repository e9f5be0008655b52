"""The tap: settings, discovery, and which streams a run reads.

Everything about Intacct is elsewhere; here the Singer SDK meets it.
"""

from __future__ import annotations

import logging
import sys
import warnings
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError

from tap_sage_intacct import discovery
from tap_sage_intacct.decoder import InvalidRecord
from tap_sage_intacct.discovery import OfferedSource
from tap_sage_intacct.drift import DriftFound
from tap_sage_intacct.intacct.errors import IntacctError
from tap_sage_intacct.interruption import Interrupted, Interruption, WholeLineWriter
from tap_sage_intacct.key_store import InvalidKeyStore
from tap_sage_intacct.run import Run
from tap_sage_intacct.selection import row_selection, unknown_stream
from tap_sage_intacct.settings import (
    SECRET_SETTINGS,
    SETTINGS,
    InvalidSettings,
    Settings,
)
from tap_sage_intacct.sources import DATA_SOURCE_BY_STREAM, DATA_SOURCES
from tap_sage_intacct.state import InvalidState, read_checkpoint
from tap_sage_intacct.streams import IntacctStream

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

EXIT_FAILURE = 1

_EXPLAINED = (
    DriftFound,
    IntacctError,
    InvalidKeyStore,
    InvalidRecord,
    InvalidSettings,
    InvalidState,
)


class TapSageIntacct(Tap):
    """Singer tap for Sage Intacct."""

    name = "tap-sage-intacct"
    package_name = "tap-sage-intacct"
    config_jsonschema: ClassVar[dict[str, Any]] = SETTINGS.to_dict()
    dynamic_catalog = False
    message_writer_class = WholeLineWriter

    @cached_property
    def settings(self) -> Settings:
        """The settings as one frozen value."""
        return Settings.from_config(self.config)

    @cached_property
    def run(self) -> Run:
        """What the streams share."""
        return Run(self.settings)

    @property
    def interruption(self) -> Interruption:
        """What SIGINT and SIGTERM do; holds them back as a context manager."""
        writer = self.message_writer
        return (
            writer.interruption
            if isinstance(writer, WholeLineWriter)
            else Interruption()
        )

    def discover_streams(self) -> Sequence[IntacctStream]:
        """The catalog's streams if there is a catalog, or else what the company offers.

        A run with a catalog asks Intacct for no fields; discovery without credentials
        gives the shipped schemas.

        Raises:
            InvalidSettings: a filter or a stream's name is wrong.
        """
        self._check_stream_names()
        return [self._stream(offered) for offered in self._offered_sources()]

    def setup_mapper(self) -> None:
        """As the SDK's; then refuse what cannot be run, before any data moves.

        Raises:
            InvalidSettings: account balances are selected, but no period.
        """
        super().setup_mapper()
        if self.input_catalog is not None:
            self._check_periods()

    def load_state(self, state: dict[str, Any]) -> None:
        """As the SDK's; then refuse what cannot be resumed, before any data moves.

        Raises:
            InvalidState: of a stream.
        """
        super().load_state(state)
        for name, bookmark in self.state.get("bookmarks", {}).items():
            if name in DATA_SOURCE_BY_STREAM:
                read_checkpoint(bookmark, name)

    def _offered_sources(self) -> list[OfferedSource]:
        if self.input_catalog is not None:
            return [
                OfferedSource(DATA_SOURCE_BY_STREAM[name], entry.schema.to_dict())
                for name, entry in self.input_catalog.items()
            ]
        if self.settings.gateway is None:
            return discovery.shipped(DATA_SOURCES)
        return discovery.live(self.run.gateway, DATA_SOURCES)

    def _stream(self, offered: OfferedSource) -> IntacctStream:
        selection = row_selection(offered, self.settings)
        return IntacctStream(
            self, offered, selection, run=self.run, interruption=self.interruption
        )

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End soon, with a non-zero exit code; the SDK's own ends with 0."""
        del frame
        self.interruption.request(signum, self._write_last_state)

    def _write_last_state(self) -> None:
        self.state_writer.write_state(self.state)

    def _check_stream_names(self) -> None:
        named = {
            **dict.fromkeys(self.settings.filters, "filters"),
            **dict.fromkeys(self.input_catalog or (), "the catalog"),
        }
        problems = [
            unknown_stream(name, place)
            for name, place in named.items()
            if name not in DATA_SOURCE_BY_STREAM
        ]
        if problems:
            raise InvalidSettings(problems)

    def _check_periods(self) -> None:
        for stream in self.streams.values():
            if isinstance(stream, IntacctStream) and stream.lacks_periods:
                raise InvalidSettings(
                    [
                        f"{stream.name} is selected, but no period: name some in "
                        "balance_periods, or deselect the stream."
                    ]
                )

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """As the SDK's, with all faults at once and no secret among them.

        A JSON schema error quotes the value that is wrong, which may be a password.
        """
        errors = [
            _without_secret(e) for e in super()._validate_config(raise_errors=False)
        ]
        if not errors:
            try:
                Settings.from_config(self.config)
            except InvalidSettings as error:
                errors = list(error.problems)
        if errors and raise_errors:
            raise ConfigValidationError("The settings are not valid.", errors=errors)
        return errors


def _without_secret(error: str) -> str:
    for name in SECRET_SETTINGS:
        if error.endswith(f"in config[{name!r}]"):
            return f"{name} must be text."
    return error


def main() -> None:
    """The console command: one line, and exit code 1, for what people can mend."""
    logger = logging.getLogger(TapSageIntacct.name)
    # Meltano shows every warning, and a run that fails leaves the files of --state and
    # --catalog open: the last line shall be the one that tells what to do.
    warnings.filterwarnings("ignore", category=ResourceWarning)
    try:
        TapSageIntacct.cli()
    except ConfigValidationError as error:
        for problem in error.errors:
            logger.critical(problem)
    except Interrupted as interrupted:
        logger.critical("%s; the last STATE resumes the run.", interrupted)
        sys.exit(interrupted.exit_code)
    except _EXPLAINED as error:
        logger.critical(error, exc_info=logger.isEnabledFor(logging.DEBUG))
    sys.exit(EXIT_FAILURE)
