"""The Singer target: keeps every stream on disk, pushes at the end of input.

Overrides of the SDK are few, and each says why; test_sdk.py pins what they rely on.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import (
    ConfigValidationError,
    RecordsWithoutSchemaException,
)
from singer_sdk.singerlib.json import serialize_json
from typing_extensions import override

from target_pigment.completeness import Course
from target_pigment.errors import (
    BrokenInput,
    InvalidSettings,
    LoadFailed,
    PigmentError,
    SpoolFailed,
    UnsuitableRecord,
)
from target_pigment.load import StreamLoad
from target_pigment.loads import Loads
from target_pigment.pigment.client import PigmentClient
from target_pigment.pigment.limits import Clock
from target_pigment.pigment.preflight import Use, look_ahead
from target_pigment.pushing import Pusher
from target_pigment.rows.csv_file import SpoolDatabase
from target_pigment.samples import write_samples
from target_pigment.settings.checks import read_settings
from target_pigment.settings.environment import read_variables
from target_pigment.settings.settings import SECRETS, settings_schema
from target_pigment.singer.reader import ExactReader
from target_pigment.singer.sink import LoadingTarget, PigmentSink

EXPLAINED = (PigmentError, RecordsWithoutSchemaException)
"""Errors with a text for people, which holds no value of a row."""


class Interrupted(BaseException):
    """A signal ended the run. No `except Exception` may catch this."""

    def __init__(self, number: int) -> None:
        # What shells expect of a process that a signal ended.
        self.exit_code = 128 + number
        super().__init__(f"Interrupted by {signal.Signals(number).name}")


class TargetPigment(LoadingTarget):
    """Loads streams into Pigment through its import configurations."""

    name = "target-pigment"
    config_jsonschema: ClassVar[dict[str, Any]] = settings_schema()
    default_sink_class = PigmentSink
    message_reader_class = ExactReader
    clock = Clock()

    # A drain after five minutes would write STATE for rows that are not in Pigment.
    _MAX_RECORD_AGE_IN_MINUTES = float("inf")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # SQLite's connections belong to one thread.
        self.max_parallelism = 1
        self.settings = read_settings(self.config)
        self._course = Course()
        self._is_ending = False
        self._client = PigmentClient(self.settings, self.logger, self.clock)
        self._directory = Path(tempfile.mkdtemp(prefix="target-pigment-"))
        self._spools = SpoolDatabase(self._directory)
        self.loads = Loads(self.settings, self._spools, self.logger)
        self._finalizer = weakref.finalize(
            self, shutil.rmtree, self._directory, ignore_errors=True
        )

    @property
    @override
    def _env_var_config(self) -> dict[str, Any]:
        """As the SDK's, but names each variable that it cannot read.

        Raises:
            InvalidSettings: with every variable that is wrong.
        """
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        with suppress(ValueError):
            # For the file .env, which this reads into the environment.
            parse_environment_config(schema, self._env_var_prefix)
        return read_variables(schema["properties"], self._env_var_prefix, os.environ)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """As the SDK's, without settings that mean nothing here."""
        super().append_builtin_config(config_jsonschema)
        for name in ("load_method", "batch_size_rows"):
            config_jsonschema["properties"].pop(name, None)

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        """As the SDK's, once Pigment has accepted the key.

        Raises:
            RequestFailed: it has not, so the tap need not go on.
            BrokenInput: there are no properties.
        """
        if not isinstance(message_dict["schema"].get("properties"), dict):
            raise BrokenInput(
                f"Stream {message_dict['stream']}: its SCHEMA has no properties; correct "
                "the tap, or its catalog. Nothing was pushed."
            )
        if self.settings.pushes and not self._course.streams:
            self._client.check_key()
        super()._process_schema_message(message_dict)
        self._course.take_schema(message_dict["stream"])

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        """As the SDK's, but keeps the version of the table for the sink.

        Raises:
            UnsuitableRecord: a stream map failed; its own error may quote a value.
            SpoolFailed: the disk is full, or broken.
        """
        self.record_version = message_dict.get("version")
        try:
            super()._process_record_message(message_dict)
        except EXPLAINED:
            raise
        except (OSError, sqlite3.Error) as error:
            raise SpoolFailed(
                f"The rows cannot be kept in {self._directory}: {error}. Make room there, "
                "or set TMPDIR to a folder on another disk. Nothing was pushed."
            ) from error
        except Exception as error:  # noqa: BLE001  expressions raise whatever they like
            raise UnsuitableRecord(
                f"Stream {message_dict['stream']}: a stream map failed with "
                f"{type(error).__name__} at a record; correct stream_maps. Nothing was "
                "pushed."
            ) from None
        self._course.take_record(message_dict["stream"], self.record_version)

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        """As the SDK's; it also shows which streams have ended, and which are changes."""
        super()._process_state_message(message_dict)
        value = message_dict["value"]
        if isinstance(value, Mapping):
            self._course.take_state(value)

    def _aliases(self, stream: str) -> list[str]:
        """What stream maps call a stream of the tap."""
        maps = self.mapper.stream_maps.get(stream)
        return [m.stream_alias for m in maps] if maps else [stream]

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """As the SDK's, but does not warn about metadata, which is not added here."""
        stream = message_dict["stream"]
        for alias in self._aliases(stream):
            self._assert_sink_exists(alias)
            self.get_sink(alias).activate_version(message_dict["version"])
        self._course.take_activation(stream, message_dict["version"])

    @override
    def process_endofpipe(self) -> None:
        """Push everything; only then let the SDK pass on the last STATE.

        Raises:
            UnsuitableStream: before the first push.
            LoadFailed: pushes after the failed one are not made.
        """
        try:
            self._finish()
            super().process_endofpipe()
        finally:
            self.discard()

    def discard(self) -> None:
        """Delete all rows on disk, and close the connections to Pigment."""
        self._client.close()
        self._spools.close()
        self._finalizer()

    def _finish(self) -> None:
        if not self.settings.pushes:
            # Rows that are in no import must not be taken for loaded.
            self._latest_state = None
        directory = self.settings.write_samples_to
        if directory:
            for text in write_samples([*self.loads], directory, self.settings.csv):
                self.logger.info(text)
            return
        loads = sorted(self.loads, key=lambda load: load.chosen.order)
        for load in loads:
            sources = [s for s in self._course.streams if load.name in self._aliases(s)]
            mark = load.chosen.end_mark
            load.check_before_push(self._course.evidence(sources, mark))
        self._look_ahead(loads)
        if self.settings.dry_run:
            self._rehearse(loads)
        else:
            Pusher(self._client, self.settings, self.logger).push_all(loads)

    def _look_ahead(self, loads: list[StreamLoad]) -> None:
        """Ask Pigment where configurations lead, if there is a key for that."""
        if not self.settings.metadata_api_key or not loads:
            return
        uses = [
            Use(load.name, load.chosen.configuration_id, load.mode) for load in loads
        ]
        application_id = self.settings.application_id
        for warning in look_ahead(self._client.metadata, uses, application_id):
            self.logger.warning(warning)

    def _rehearse(self, loads: list[StreamLoad]) -> None:
        for load in loads:
            for file in load.spool.files(load.cells.header(), load.limits):
                self.logger.info(
                    "Dry run: stream %s, configuration %s, %s: %d rows, %d bytes.",
                    load.name,
                    load.chosen.configuration_id,
                    load.mode.name,
                    file.rows,
                    file.size,
                )

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        """As the SDK's, but logs no state, and can write the Decimals that the reader makes."""
        # All rows are loaded: a signal would only tear the line that says so.
        self._is_ending = True
        try:
            sys.stdout.write(f"{serialize_json(state)}\n")
            sys.stdout.flush()
        except OSError as error:
            raise LoadFailed(
                f"All rows are loaded, but STATE cannot be written ({error.strerror}): "
                "the program or the disk that takes the output has failed; the next run "
                "sends the rows again."
            ) from error

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End at once; the SDK's would push half a stream and exit with 0.

        Once only: a second signal often comes at once, and would disturb the end.
        """
        del frame
        if self._is_ending:
            return
        self._is_ending = True
        raise Interrupted(signum)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """As the SDK's, with all faults at once and no secret among them."""
        errors = super()._validate_config(raise_errors=False)
        for name in SECRETS:
            # A JSON schema error quotes the value that is wrong, which may be the key.
            place = f"in config['{name}']"
            errors = [
                f"{name} must be text." if e.endswith(place) else e for e in errors
            ]
        if not errors:
            try:
                read_settings(self.config)
            except InvalidSettings as error:
                errors = list(error.problems)
        if errors and raise_errors:
            raise ConfigValidationError("The settings are not valid.", errors=errors)
        return errors
