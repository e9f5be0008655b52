"""Pushes the streams of a run one after the other, each import Completed before the next."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from target_pigment.errors import LoadFailed
from target_pigment.load import StreamLoad
from target_pigment.pigment.answers import ImportResult
from target_pigment.pigment.client import PigmentClient
from target_pigment.rows.csv_file import CsvFile
from target_pigment.settings.settings import Settings
from target_pigment.verdict import Verdict, judge


@dataclass(slots=True)
class Pusher:
    """Pushes, waits, judges; stops at the first failure.

    Attributes:
        client: of the workspace.
        settings: what an import may leave out.
    """

    client: PigmentClient
    settings: Settings
    logger: logging.Logger
    _appended: int = 0

    def push_all(self, loads: Sequence[StreamLoad]) -> None:
        """Push in the order given.

        Raises:
            LoadFailed: names stream, configuration, import, rows and reasons.
        """
        for load in loads:
            self._push_stream(load)

    def _push_stream(self, load: StreamLoad) -> None:
        if load.deleted:
            self.logger.warning(
                "Stream %s: %d deletions left out.", load.name, load.deleted
            )
        if not load.mode.pushes(load.spool.rows):
            self.logger.info("Stream %s: no rows, nothing to push.", load.name)
            return
        for file in load.spool.files(load.cells.header(), load.limits):
            self._push_file(load, file)

    def _push_file(self, load: StreamLoad, file: CsvFile) -> None:
        where = (
            f"Stream {load.name}, configuration {load.chosen.configuration_id}, "
            f"{file.rows} rows"
        )
        try:
            import_id = self.client.push(load.chosen.configuration_id, file, load.mode)
            result = self.client.wait(import_id)
        except LoadFailed as error:
            raise LoadFailed(f"{where}: {error}{self._advice()}") from error
        where += f", import {result.import_id}"
        verdict = judge(result, file.rows, load.mode, self.settings)
        self._summarise(load, file, result, verdict)
        if verdict.failures:
            reasons = "; ".join(verdict.failures)
            raise LoadFailed(f"{where}: {reasons}.{self._advice()}")
        if load.mode.doubles:
            self._appended += file.rows

    def _advice(self) -> str:
        """No STATE is passed on, so appended rows come again."""
        if not self._appended:
            return ""
        return (
            f" {self._appended} rows of append streams are already loaded and will be "
            "doubled by another run unless they are removed in Pigment."
        )

    def _summarise(
        self, load: StreamLoad, file: CsvFile, result: ImportResult, verdict: Verdict
    ) -> None:
        report = result.report
        counts = (
            f"{report.inserted} inserted, {report.updated} updated, {report.deleted} "
            f"deleted, {report.skipped} skipped"
            if report
            else "no counts"
        )
        self.logger.info(
            "Stream %s: import %s %s: %d rows, %d bytes sent; %s.",
            load.name,
            result.import_id,
            result.status,
            file.rows,
            file.size,
            counts,
        )
        for warning in verdict.warnings:
            self.logger.warning("Stream %s: %s.", load.name, warning)
