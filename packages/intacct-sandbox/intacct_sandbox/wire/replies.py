"""HTTP replies that are not the gateway's own envelope, and damaged ones.

Here are the bodies of everything that may answer instead of Intacct (rate limiter, CDN,
proxy, attacker), and ways to damage a good reply.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from lxml import etree

XML_TYPE = 'text/xml; encoding="UTF-8"'
JSON_TYPE = "application/json"
HTML_TYPE = "text/html; charset=UTF-8"

Cut = Literal["", "before_headers", "after_headers"]

_GATEWAY_FAILURE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<response><control>'
    "<status>failure</status></control><errormessage><error>"
    "<errorno>{errorno}</errorno><description>{text}</description>"
    "</error></errormessage></response>\n"
)
_CONTROL_FAILURE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<response><control>'
    "<status>failure</status><senderid></senderid><controlid></controlid>"
    "<uniqueid>false</uniqueid><dtdversion>3.0</dtdversion></control>"
    "<errormessage><error><errorno>XL03000006</errorno><description></description>"
    "<description2>{text}</description2><correction>{correction}</correction>"
    "</error></errormessage></response>\n"
)
_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>{title}</title></head>"
    "<body>{body}</body></html>\n"
)
_HOSTILE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE response [{declarations}]>\n'
    "<response><control><status>success</status><senderid>&{entity};</senderid>"
    "<controlid>1</controlid><uniqueid>false</uniqueid>"
    "<dtdversion>3.0</dtdversion></control></response>\n"
)
_BOMB_LEVELS = 9
_FIRST_OF_XML = re.compile(rb"(<data\b.*?>[^<]+)(</)", re.DOTALL)
_FIRST_OF_JSON = re.compile(rb'(:"(?:[^"\\]|\\.)*)(")', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP response.

    Attributes:
        cut: where the connection breaks, if it does. After the headers, half
            of the promised body still goes out.
    """

    status: int
    content_type: str
    body: bytes
    cut: Cut = ""


def rate_limited() -> Reply:
    """Throttled by the HTTP gateway [D]."""
    text = _GATEWAY_FAILURE.format(errorno="GW-0010", text="API rate limit exceeded")
    return Reply(429, XML_TYPE, text.encode())


def rate_limited_in_body() -> Reply:
    """Throttled, with a status that says otherwise [C]."""
    return replace(rate_limited(), status=200)


def try_again_later() -> Reply:
    """A transient refusal of the XML gateway, known by its correction [C]."""
    text = _CONTROL_FAILURE.format(
        text="There was an error processing the request.",
        correction="Please Try Again Later",
    )
    return Reply(200, XML_TYPE, text.encode())


def server_error(status: int) -> Reply:
    """A 5xx page of a proxy [C]."""
    page = _PAGE.format(title=f"{status} Error", body=f"<h1>{status} Error</h1>")
    return Reply(status, HTML_TYPE, page.encode())


def cloudflare_page() -> Reply:
    """The CDN's own error page, here with HTTP 200 [C]."""
    body = '<div id="cf-error-details"><h1>Web server is returning an error</h1></div>'
    page = _PAGE.format(title="intacct.com | 520", body=body)
    return Reply(200, HTML_TYPE, page.encode())


def not_xml() -> Reply:
    """Something that claims to be XML [I]."""
    return Reply(200, XML_TYPE, b"upstream connect error or disconnect/reset\n")


def external_entity() -> Reply:
    """A document that asks its reader for a local file."""
    text = _HOSTILE.format(
        declarations='<!ENTITY file SYSTEM "file:///etc/hostname">', entity="file"
    )
    return Reply(200, XML_TYPE, text.encode())


def entity_bomb() -> Reply:
    """A document of a kilobyte that unfolds to a gigabyte."""
    lines = ['<!ENTITY e0 "0123456789">']
    for level in range(1, _BOMB_LEVELS):
        inner = f"&e{level - 1};" * 10
        lines.append(f'<!ENTITY e{level} "{inner}">')
    text = _HOSTILE.format(declarations="".join(lines), entity=f"e{_BOMB_LEVELS - 1}")
    return Reply(200, XML_TYPE, text.encode())


def truncated(reply: Reply) -> Reply:
    """Half the body, in a complete HTTP response [C]."""
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def with_control_character(reply: Reply) -> Reply:
    """A character that neither XML nor JSON allows, inside the data [C]."""
    first_value = _FIRST_OF_JSON if _is_json(reply) else _FIRST_OF_XML
    marked = first_value.sub(b"\\1\x0b\\2", reply.body, count=1)
    body = marked if marked != reply.body else reply.body + b"\x0b"
    return replace(reply, body=body)


def dropped(reply: Reply, cut: Cut) -> Reply:
    """The same reply over a connection that breaks."""
    return replace(reply, cut=cut)


def with_rows_reversed(reply: Reply) -> Reply:
    """A page whose order is not the one that was asked for."""

    def reverse(data: etree._Element) -> None:
        data[:] = reversed(data)

    return _changed(reply, reverse, lambda rows: rows[::-1])


def without_rows(reply: Reply) -> Reply:
    """An empty page, its counts in keeping: the rows it had are said to remain.

    JSON has no counts to keep.
    """

    def empty(data: etree._Element) -> None:
        remaining = int(data.get("numremaining", "0")) + len(data)
        data[:] = []
        data.set("count", "0")
        data.set("numremaining", str(remaining))

    return _changed(reply, empty, lambda _: [])


def without_result_id(reply: Reply) -> Reply:
    """A page that does not say how to go on [C]."""
    return _changed(reply, lambda data: data.attrib.pop("resultId", ""))


def _changed(
    reply: Reply,
    in_xml: Callable[[etree._Element], object],
    in_json: Callable[[list[Any]], list[Any]] | None = None,
) -> Reply:
    """A page changed in the way of its format; in JSON as it was without one."""
    if _is_json(reply):
        if in_json is None:
            return reply
        rows = in_json(json.loads(reply.body or b"[]"))
        body = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()
        return replace(reply, body=body)
    root = etree.fromstring(reply.body)
    for data in root.iter("data"):
        in_xml(data)
    return replace(reply, body=etree.tostring(root, encoding="utf-8"))


def _is_json(reply: Reply) -> bool:
    return reply.content_type == JSON_TYPE
