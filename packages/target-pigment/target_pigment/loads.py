"""The streams of a run, by the names that they have in `streams`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from target_pigment.errors import UnsuitableStream
from target_pigment.load import StreamLoad
from target_pigment.rows.csv_file import SpoolDatabase
from target_pigment.settings.settings import Settings, StreamSettings


@dataclass(slots=True)
class Loads:
    """The load of each stream whose schema came, unless it is to be left out."""

    settings: Settings
    spools: SpoolDatabase
    logger: logging.Logger
    _by_stream: dict[str, StreamLoad] = field(default_factory=dict)

    def __iter__(self) -> Iterator[StreamLoad]:
        """In the order in which the streams came."""
        return iter(self._by_stream.values())

    def of(self, stream: str) -> StreamLoad | None:
        """The stream's load, made at its first schema; None for one to be left out.

        Raises:
            UnsuitableStream: `streams` does not name it, or names a configuration that
                another stream clears.
        """
        if stream not in self._by_stream:
            chosen = self.settings.for_stream(stream)
            if chosen is None:
                self._unmapped(stream)
                return None
            self._by_stream[stream] = self._new_load(stream, chosen)
        return self._by_stream[stream]

    def _new_load(self, stream: str, chosen: StreamSettings) -> StreamLoad:
        spool = self.spools.add_spool()
        load = StreamLoad(stream, chosen, self.settings, spool, self.logger)
        for other in self:
            shared = other.chosen.configuration_id == chosen.configuration_id
            if self.settings.pushes and load.mode.clears and shared:
                raise UnsuitableStream(
                    f"Streams {other.name} and {stream} would clear the same "
                    f"configuration {chosen.configuration_id}; give each its own."
                )
        return load

    def _unmapped(self, stream: str) -> None:
        text = f"Stream {stream} is not named in `streams`"
        if self.settings.on_unmapped_stream == "fail":
            raise UnsuitableStream(
                f"{text}; add it, deselect it in the tap, or set on_unmapped_stream. "
                "Nothing was pushed."
            )
        if self.settings.on_unmapped_stream == "warn":
            self.logger.warning("%s; left out.", text)
