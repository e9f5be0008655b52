"""Reads the tap's output line by line, and refuses what is not a Singer message."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from singer_sdk.singerlib.encoding import SimpleSingerReader
from singer_sdk.singerlib.json import deserialize_json
from typing_extensions import override

from target_pigment.errors import BrokenInput

_PARTS: dict[str, dict[str, Any]] = {
    "RECORD": {"stream": str, "record": dict},
    "SCHEMA": {"stream": str, "schema": dict},
    "STATE": {"value": (dict, list, str, int, Decimal, type(None))},
    "ACTIVATE_VERSION": {"stream": str, "version": (int, str, Decimal)},
}
"""What each message must hold."""


class ExactReader(SimpleSingerReader):
    """Reads numbers as Decimal, as the SDK's reader, but quotes no line in an error.

    A line is the customer's data, and a broken one means that the tap died writing it.
    """

    @override
    def deserialize_json(self, line: str) -> dict[str, Any]:
        """Read one line.

        Raises:
            BrokenInput: it is not a JSON object, or holds NaN or Infinity.
        """
        try:
            found: object = deserialize_json(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise BrokenInput(
                f"The tap's output holds a line of {len(line)} characters that is no "
                "JSON; it may have died while writing. Nothing was pushed."
            ) from error
        if not isinstance(found, dict):
            raise BrokenInput("The tap's output holds a line that is no JSON object.")
        return found

    @staticmethod
    @override
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        """As the SDK's, but checks all parts of a message at once, and quotes no line.

        Raises:
            BrokenInput: it is not a Singer message, or is a BATCH.
        """
        if requires != {"type"}:
            # The target asks again for parts of messages; those were looked at.
            return
        kind = line_dict.get("type")
        if kind == "BATCH":
            raise BrokenInput(
                f"Stream {line_dict.get('stream')} comes as BATCH, which this target does "
                "not read; set the tap to RECORD messages. Nothing was pushed."
            )
        parts = _PARTS.get(kind) if isinstance(kind, str) else None
        if parts is None:
            raise BrokenInput(
                "The tap's output holds a message of a type that Singer does not have; "
                "nothing but the tap may write to its output. Nothing was pushed."
            )
        for name, wanted in parts.items():
            if not isinstance(line_dict.get(name, ...), wanted):
                raise BrokenInput(
                    f"The tap's output holds a {kind} without a usable '{name}'; correct "
                    "the tap. Nothing was pushed."
                )


def _refuse_constant(word: str) -> None:
    raise ValueError(word)
