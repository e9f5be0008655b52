"""HTTP around the gateway: one threaded server on the loopback interface.

What lives here: methods, paths, content types, gzip, keep-alive, and breaking a
connection on demand. What it must not know: XML. The idea: the standard library's
server, because a fault must reach the socket and a client's connection pool must
find connections that stay open; werkzeug's closes each after one response.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import sys
import threading
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from intacct_sandbox.replies import HTML_TYPE, Reply

if TYPE_CHECKING:
    from intacct_sandbox.gateway import Gateway

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


class GatewayServer(ThreadingHTTPServer):
    """Serves one gateway; a thread per connection."""

    request_queue_size = 128

    def __init__(self, gateway: Gateway, port: int = 0) -> None:
        """Bind to the loopback interface; port 0 takes a free one."""
        super().__init__(("127.0.0.1", port), _Handler)
        self.gateway = gateway
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self.server_address[1]}{GATEWAY_PATH}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread.

        A daemon, so that a server which nobody closes cannot keep its process
        from ending while a client keeps a connection open.
        """
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            daemon=True,
        )
        with self._lock:
            self._connections[request] = thread
        thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away; of our own faults say all."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection and close it; runs in the connection's own thread."""
        self.gateway.company.close()
        with self._lock:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """End every open connection, then wait for their threads."""
        super().server_close()
        with self._lock:
            open_connections = dict(self._connections)
        for connection, thread in open_connections.items():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Apache"
    sys_version = ""
    # Headers and body leave in two writes; without this the second would wait
    # for the first one's acknowledgement.
    disable_nagle_algorithm = True
    server: GatewayServer

    def do_POST(self) -> None:
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

    def do_GET(self) -> None:
        """Refused since January 2023 [D]."""
        self._send(_page(405, "Method Not Allowed"))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the base class
        """Say nothing: calls are recorded by the gateway."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The `Date` header, from the company's clock."""
        if timestamp is not None:
            return super().date_time_string(timestamp)
        return format_datetime(self.server.gateway.company.clock.now(), usegmt=True)

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
            self._break()
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
            self._break()
            return
        self.wfile.write(body)

    def _break(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def _page(status: int, title: str) -> Reply:
    text = f"<html><head><title>{title}</title></head><body>{title}</body></html>\n"
    return Reply(status, HTML_TYPE, text.encode())
