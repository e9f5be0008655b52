"""The tap: settings, discovery, and which streams a run reads.

Everything about Intacct is elsewhere; here the Singer SDK meets it.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

import click
from singer_sdk import Stream, Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.singerlib import Catalog
from typing_extensions import override

from tap_sage_intacct.catalog import discovery
from tap_sage_intacct.catalog.discovery import OfferedSource, live_definition
from tap_sage_intacct.catalog.report_columns import (
    OfferedReport,
    catalogued_report,
    offered_reports,
)
from tap_sage_intacct.command import check_surroundings, json_file, run_command
from tap_sage_intacct.errors import InvalidSettings, refuse
from tap_sage_intacct.intacct.http.clock import utc_now
from tap_sage_intacct.reading.state.checkpoint import (
    MOST_AHEAD,
    MOST_AHEAD_OF_SERVER,
    check_bookmark,
    check_state,
)
from tap_sage_intacct.run.interruption import (
    Interruption,
    WholeLineWriter,
    limit_wait_for_target,
)
from tap_sage_intacct.run.run import Run
from tap_sage_intacct.selection.names import (
    check_catalog_names,
    check_needs_no_lookup,
    check_settings_names,
    check_stream_names,
    unmatched_patterns,
)
from tap_sage_intacct.selection.reading_plan import reading_plan
from tap_sage_intacct.settings.environment import (
    credentials_problem,
    from_environment,
)
from tap_sage_intacct.settings.input_files import read_object
from tap_sage_intacct.settings.names import unknown_names
from tap_sage_intacct.settings.settings import (
    SECRET_SETTINGS,
    SETTING_NAMES,
    SETTINGS,
    OnDenied,
    Settings,
    missing_credentials,
)
from tap_sage_intacct.streams import (
    BalanceStream,
    IntacctStream,
    ReportStream,
    SourceStream,
)
from tap_sage_intacct.streams.batches import batch_problems
from tap_sage_intacct.streams.maps import DeletionMapper

MELTANO_SELECT = "MELTANO_EXTRACT__SELECT"
"""Holds the patterns of `select` as JSON, whatever the plugin is called."""

_IS_MISSING = re.compile(r"'\w+' is a required property")
"""As a JSON schema says it of a credential; of members it says where they stand."""


class TapSageIntacct(Tap):
    """Singer tap for Sage Intacct."""

    name = "tap-sage-intacct"
    package_name = "tap-sage-intacct"
    config_jsonschema: ClassVar[dict[str, Any]] = SETTINGS.to_dict()
    dynamic_catalog = False
    message_writer_class = WholeLineWriter

    @cached_property
    def settings(self) -> Settings:
        """The settings as one frozen value.

        Raises:
            InvalidSettings: the SDK discovers without looking at them.
        """
        found = Settings.from_config(self.config)
        check_stream_names(found)
        return found

    @cached_property
    def run(self) -> Run:
        """What the streams share."""
        return Run(self.settings)

    @cached_property
    @override
    def input_catalog(self) -> Catalog | None:
        """As the SDK's, without the streams that are not selected.

        It prepares every stream of a catalog for schemas and maps, which takes longer
        than all else that begins a run of one stream among 22.
        """
        given = super().input_catalog
        if given is None:
            return None
        return Catalog(
            (name, entry)
            for name, entry in given.items()
            if entry.metadata.resolve_selection().get((), True)
        )

    @property
    def interruption(self) -> Interruption:
        """What SIGINT and SIGTERM do; holds them back as a context manager."""
        writer = self.message_writer
        return (
            writer.interruption
            if isinstance(writer, WholeLineWriter)
            else Interruption()
        )

    @override
    def discover_streams(self) -> Sequence[IntacctStream]:
        """A catalog's selected streams if there is one, or else what the company offers.

        A run with a catalog asks Intacct for no fields; discovery without credentials
        gives the shipped schemas.

        Raises:
            InvalidSettings: a filter, a field, a report or a stream's name is wrong.
        """
        given = super().input_catalog
        if given is not None:
            check_catalog_names(self.settings, given)
            self._warn_of_patterns(given)
        sources = self._offered_sources()
        reports = {report.stream_name for report in self.settings.custom_reports}
        names = given or [offered.source.stream_name for offered in sources]
        check_settings_names(self.settings, [n for n in names if n not in reports])
        streams = [
            *(self._stream(offered) for offered in sources),
            *(ReportStream(self, one, run=self.run) for one in self._offered_reports()),
        ]
        for stream in streams:
            stream.begin_next = partial(self._begin_after, stream)
        return streams

    def _warn_of_patterns(self, catalog: Catalog) -> None:
        """Warn of Meltano's `select`, which Meltano hands to the tap's process [L]."""
        try:
            rules = json.loads(os.environ.get(MELTANO_SELECT, "[]"))
        except ValueError:
            return
        streams = {
            name: entry.schema.properties or {} for name, entry in catalog.items()
        }
        for problem in unmatched_patterns(rules, streams):
            self.logger.warning("select: %s", problem)

    @override
    def setup_mapper(self) -> None:
        """As the SDK's; then refuse what cannot be run, before any data moves.

        Raises:
            InvalidSettings: only account balances are selected, but no period; the
                catalog or a stream map does not fit the settings; batches go where
                nothing can write.
        """
        if self.input_catalog is not None:
            self._leave_out_balances()
            # As the streams describe their records: a catalog may be older than
            # settings that add properties to them, or hash some.
            self._catalog = self._singer_catalog
        # The SDK has no other way to name a mapper.
        self.mapper = DeletionMapper(self.config, self.logger)
        self.mapper.register_raw_streams_from_catalog(self.catalog)
        refuse(batch_problems(self.config))
        if self.input_catalog is not None:
            self._refuse_what_does_not_fit()

    def _refuse_what_does_not_fit(self) -> None:
        refuse(
            problem
            for stream in self._selected_streams()
            for problem in stream.catalog_problems()
        )

    def _leave_out_balances(self) -> None:
        """Deselect balances where no period is named: `*.*` selects them too.

        Raises:
            InvalidSettings: nothing else is selected.
        """
        selected = self._selected_streams()
        lacking = [stream for stream in selected if stream.lacks_periods]
        refuse(
            f"{stream.name} is selected, but no period: name some in balance_periods, or "
            "select another stream."
            for stream in lacking
            if lacking == selected
        )
        for stream in lacking:
            self.logger.warning(
                "%s is left out, since no period is named: name some in "
                "balance_periods, or deselect the stream.",
                stream.name,
            )
            stream.selected = False

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """As the SDK's; then refuse what cannot be resumed, before any data moves.

        Raises:
            InvalidState: of a stream.
            ConfigurationError: credentials are missing.
        """
        check_state(state)
        super().load_state(state)
        self._check_bookmarks(utc_now(), MOST_AHEAD)

    def _check_bookmarks(self, now: datetime, most_ahead: timedelta) -> None:
        known = super().input_catalog or self.streams
        for name, bookmark in self.state.get("bookmarks", {}).items():
            if name in known:
                check_bookmark(bookmark, name, self.run.origin, now, most_ahead)

    def _offered_sources(self) -> list[OfferedSource]:
        if self.input_catalog is not None:
            reports = {report.stream_name for report in self.settings.custom_reports}
            return [
                discovery.catalogued(name, entry.schema.to_dict(), self.settings)
                for name, entry in self.input_catalog.items()
                if name not in reports
            ]
        if self.settings.gateway is None:
            check_needs_no_lookup(self.settings)
            return discovery.offline(self.settings)
        return discovery.live(self.run.gateway, self.settings)

    def _offered_reports(self) -> list[OfferedReport]:
        reports = self.settings.custom_reports
        if self.input_catalog is not None:
            return [
                catalogued_report(report, entry.schema.to_dict(), self.settings)
                for report in reports
                if (entry := self.input_catalog.get(report.stream_name)) is not None
            ]
        return offered_reports(self.run.gateway, self.settings) if reports else []

    def _stream(self, offered: OfferedSource) -> IntacctStream:
        is_catalogued = self.input_catalog is not None
        can_ask = is_catalogued and self.settings.gateway is not None
        look_up = partial(live_definition, self.run.gateway) if can_ask else None
        plan = reading_plan(offered, self.settings, look_up)
        kind = BalanceStream if plan.source.needs_period else SourceStream
        return kind(self, plan, run=self.run, interruption=self.interruption)

    @override  # type: ignore[misc]
    def sync_all(self) -> None:
        """Check what was chosen, read stream after stream, then fail for what is denied.

        The SDK declares it final, but has no hook before the first message of a run, or
        after the last one.

        Raises:
            PermissionDenied: an object may not be read, and `on_denied` is fail; or
                another error by which Intacct refuses one object.
        """
        self._check_choices(self._selected_streams())
        try:
            super().sync_all()
        finally:
            self.run.progress.close()
        if self.settings.on_denied is OnDenied.FAIL:
            for stream in self._selected_streams():
                if stream.denied is not None:
                    raise stream.denied

    @override  # type: ignore[misc]
    def run_sync_dry_run(
        self,
        dry_run_record_limit: int | None = 1,
        streams: Iterable[Stream] | None = None,
    ) -> bool:
        """As the SDK's, which is final too; `--test` runs it."""
        wanted = list(self.streams.values() if streams is None else streams)
        for stream in wanted:
            # As the SDK is about to do, so that checks see what will be read.
            stream.selected = True
        self._check_choices(wanted)
        return super().run_sync_dry_run(dry_run_record_limit, wanted)

    def _check_choices(self, streams: Iterable[Stream]) -> None:
        """Ask Intacct for what the streams need, before the first is read.

        Raises:
            InvalidSettings: the company has no such period, entity or report.
            InvalidState: a bookmark is later than Intacct's clock.
            WithinMaintenance: it is no time to ask anything.
        """
        self._refuse_what_does_not_fit()
        self.run.maintenance.check()
        if self.state.get("bookmarks"):
            self._check_bookmarks(self.run.gateway.server_now(), MOST_AHEAD_OF_SERVER)
        for stream in streams:
            if isinstance(stream, IntacctStream):
                stream.check_choices()

    def _begin_after(self, stream: IntacctStream) -> None:
        """Have first pages of the streams that follow on their way, as far as may be."""
        selected = self._selected_streams()
        following = selected[selected.index(stream) + 1 :] if stream.selected else []
        for next_stream in following[: self.run.gateway.max_connections]:
            next_stream.begin()

    def _selected_streams(self) -> list[IntacctStream]:
        return [
            stream
            for stream in self.streams.values()
            if isinstance(stream, IntacctStream) and stream.selected
        ]

    @classmethod
    def command(cls) -> click.Command:
        """The console command.

        Raises:
            InvalidSettings: nothing can be written, or logged as it is asked.
        """
        check_surroundings(os.environ)
        return cls.cli

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        """As the SDK's, with files that are checked before anything is made of them."""
        command = super().get_singer_command()
        for option in command.params:
            if option.name in {"catalog", "state"}:
                option.type = json_file(option.opts[0])
        return command

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        """As the SDK's; each file is read once, since it may be a pipe.

        Raises:
            InvalidSettings: a file cannot be read, or holds no settings.
        """
        del ctx
        config: dict[str, Any] = {}
        for path in value:
            if path != "ENV":
                config |= read_object(Path(path), param.opts[0])
        return _ConfigInput(config, parse_env="ENV" in value)

    @classproperty
    @override
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - a property of the class
        """As the SDK's, which fails without a message, or takes any word for `false`.

        Raises:
            InvalidSettings: with all variables whose text does not fit.
        """
        # The SDK reads .env into the environment.
        with suppress(ValueError):
            _ = super()._env_var_config
        return from_environment(cls.config_jsonschema["properties"], os.environ)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End soon, with a non-zero exit code; the SDK's own ends with 0."""
        del frame
        limit_wait_for_target()
        self.interruption.request(signum, self._write_last_state)

    def _write_last_state(self) -> None:
        self.state_writer.write_state(self.state)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """As the SDK's, with all faults at once and no secret among them.

        A JSON schema error quotes the value that is wrong, which may be a password.
        """
        missing = missing_credentials(self.config)
        errors = [credentials_problem(missing)] if missing else []
        try:
            super()._validate_config(raise_errors=True)
            check_stream_names(Settings.from_config(self.config))
            if strangers := unknown_names(self.config, SETTING_NAMES):
                self.logger.warning(
                    "The tap has no such settings, and ignores them: %s.",
                    ", ".join(strangers),
                )
        except ConfigValidationError as error:
            errors += [
                _without_secret(text)
                for text in error.errors
                if not _IS_MISSING.fullmatch(text)
            ]
        except InvalidSettings as error:
            errors += error.problems
        if errors and raise_errors:
            # Not the SDK's error, whose last line says nothing.
            raise InvalidSettings(*errors)
        return errors


def _without_secret(error: str) -> str:
    for name in SECRET_SETTINGS:
        if error.endswith(f"in config[{name!r}]"):
            return f"{name} must be text."
    return error


def main() -> None:
    """Run as a command: one line, and exit code 1, for what people can put right."""
    logger = logging.getLogger(TapSageIntacct.name)
    run_command(TapSageIntacct.command, logger)
