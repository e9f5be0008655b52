"""Answers that refuse. The schema of their bodies is not declared [?]."""

from __future__ import annotations

import html
import itertools
import json

from intacct_sandbox.pigment.messages import HTML_TYPE, JSON_TYPE, TEXT_TYPE, Reply
from intacct_sandbox.pigment.switches import PigmentSwitches

HOURLY_LIMIT = (
    "Maximum number of reports per configuration per hour exceeded, maximum: {limit}. "
    "Please try again later."
)
"""The documented text [D]."""

_KINDS = ("json", "text", "html", "empty")


class Refusals:
    """Words a refusal as the switches want it."""

    def __init__(self) -> None:
        self._turn = itertools.cycle(_KINDS)

    def reply(self, status: int, text: str, switches: PigmentSwitches) -> Reply:
        """A refusal; one with 429 may say when to come again."""
        kind: str = switches.error_body
        if kind == "rotate":
            kind = next(self._turn)
        headers = {}
        if status == 429 and switches.retry_after is not None:  # noqa: PLR2004
            headers["Retry-After"] = str(switches.retry_after)
        content_type, body = _written(kind, text)
        return Reply(status, content_type, body.encode(), headers)


def _written(kind: str, text: str) -> tuple[str, str]:
    if kind == "json":
        return JSON_TYPE, json.dumps({"message": text})
    if kind == "html":
        return HTML_TYPE, f"<html><body><p>{html.escape(text)}</p></body></html>"
    return TEXT_TYPE, text if kind == "text" else ""
