"""HTTP around the gateway."""

from __future__ import annotations

import gzip
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

from typing_extensions import override

from intacct_sandbox.gateway.gateway import Gateway
from intacct_sandbox.loopback import LoopbackHandler, LoopbackServer
from intacct_sandbox.wire.replies import HTML_TYPE, Reply

GATEWAY_PATH = "/ia/xml/xmlgw.phtml"
_FORM_TYPE = "application/x-www-form-urlencoded"
# The documented one, and those that clients of old still send [C].
_XML_TYPES = frozenset(
    {
        "application/xml",
        "text/xml",
        "x-intacct-xml-request",
        "application/x-intacct-xml-request",
    }
)
_LARGEST_REQUEST = 50_000_000


class GatewayServer(LoopbackServer):
    """Serves one gateway; a thread per connection."""

    def __init__(self, gateway: Gateway, port: int = 0) -> None:
        """Bind to the loopback interface; port 0 takes a free one."""
        super().__init__(_Handler, port)
        self.gateway = gateway

    @override
    def shutdown_request(self, request: Any) -> None:
        """Let go of the company, whose connections belong to one thread each."""
        self.gateway.company.close()
        super().shutdown_request(request)


class _Handler(LoopbackHandler):
    server_version = "Apache"
    server: GatewayServer

    def do_POST(self) -> None:  # noqa: N802 - found by this name
        """One request document."""
        content = self._read_body()
        if content is None:
            return
        if self.path.partition("?")[0] != GATEWAY_PATH:
            self._send(_page(404, "Not Found"))
            return
        document = self._document(content)
        if document is None:
            self._send(_page(415, "Unsupported Media Type"))
            return
        self._send(self.server.gateway.handle(document))

    def do_GET(self) -> None:  # noqa: N802 - found by this name
        """Refused since January 2023 [D]."""
        self._send(_page(405, "Method Not Allowed"))

    @override
    def date_time_string(self, timestamp: float | None = None) -> str:
        """The `Date` header, from the company's clock."""
        if timestamp is not None:
            return super().date_time_string(timestamp)
        gateway = self.server.gateway
        ahead = timedelta(seconds=gateway.switches.http_date_ahead or 0)
        return format_datetime(gateway.company.clock.now() + ahead, usegmt=True)

    @override
    def send_header(self, keyword: str, value: str) -> None:
        """As the base class, which sends `Date` whether it is wanted or not."""
        if (
            keyword != "Date"
            or self.server.gateway.switches.http_date_ahead is not None
        ):
            super().send_header(keyword, value)

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _LARGEST_REQUEST:
            self.close_connection = True
            self._send(_page(411, "Length Required"))
            return None
        return self.rfile.read(int(length))

    def _document(self, content: bytes) -> bytes | None:
        media_type = self.headers.get("Content-Type", "").partition(";")[0]
        media_type = media_type.strip().lower()
        if media_type in _XML_TYPES:
            return content
        if media_type != _FORM_TYPE:
            return None
        form = parse_qs(content.decode("utf-8", errors="replace"))
        return form.get("xmlrequest", [""])[0].encode()

    def _send(self, reply: Reply) -> None:
        if reply.cut == "before_headers":
            self.break_connection()
            return
        body, encoding = reply.body, ""
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body, encoding = gzip.compress(body, compresslevel=1), "gzip"
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(body)))
        if encoding:
            self.send_header("Content-Encoding", encoding)
        if reply.status == 405:  # noqa: PLR2004 - Method Not Allowed
            self.send_header("Allow", "POST")
        self.end_headers()
        if reply.cut:
            self.wfile.write(body[: len(body) // 2])
            self.break_connection()
            return
        self.wfile.write(body)


def _page(status: int, title: str) -> Reply:
    text = f"<html><head><title>{title}</title></head><body>{title}</body></html>\n"
    return Reply(status, HTML_TYPE, text.encode())
