"""What goes in and out over HTTP, apart from any socket.

The schema of the bodies that refuse is not declared [?].
"""

from __future__ import annotations

import hashlib
import html
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from intacct_sandbox.pigment.switches import PigmentSwitches

JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
CSV_TYPE = "text/csv; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        headers: by lower-case name.
        client: the address it came from, which the limit counts by.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """One response.

    Attributes:
        is_cut: the connection breaks before a word of it is sent.
    """

    status: int = 200
    content_type: str = JSON_TYPE
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """What the journal keeps of a request: no key, and no row.

    Attributes:
        headers: by lower-case name, without Authorization.
        status: of the reply; 0 where the connection was broken.
        rows: lines of the body less one, for a header.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    status: int
    size: int
    rows: int
    sha256: str

    @classmethod
    def of(cls, request: Request, reply: Reply) -> Received:
        """The entry for a request that got this reply."""
        headers = {k: v for k, v in request.headers.items() if k != "authorization"}
        return cls(
            request.method,
            request.path,
            request.query,
            headers,
            0 if reply.is_cut else reply.status,
            len(request.body),
            max(request.body.count(b"\n") - 1, 0),
            hashlib.sha256(request.body).hexdigest(),
        )


def json_reply(found: Any, content_type: str = JSON_TYPE) -> Reply:
    """A successful answer."""
    return Reply(200, content_type, json.dumps(found).encode())


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
