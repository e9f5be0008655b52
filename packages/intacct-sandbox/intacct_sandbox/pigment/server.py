"""HTTP around the workspace's API and its pages."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from intacct_sandbox.loopback import LoopbackHandler, LoopbackServer
from intacct_sandbox.pigment.api import PigmentApi
from intacct_sandbox.pigment.messages import Reply, Request
from intacct_sandbox.pigment.pages import Pages


class PigmentServer(LoopbackServer):
    """Serves one workspace."""

    def __init__(self, api: PigmentApi, port: int = 0) -> None:
        """Bind to the loopback interface; port 0 takes a free one.

        Raises:
            OSError: the port is taken.
        """
        super().__init__(_Handler, port)
        self.api = api
        self.pages = Pages(api.workspace)


class _Handler(LoopbackHandler):
    server_version = "Pigment-Sandbox"
    server: PigmentServer

    def do_GET(self) -> None:  # noqa: N802 - found by this name
        """A page, or a call of the API."""
        self._answer(b"")

    def do_POST(self) -> None:  # noqa: N802 - found by this name
        """A call of the API, its body whole."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self.close_connection = True
            self._send(Reply(411))
            return
        self._answer(self.rfile.read(int(length)))

    def _answer(self, body: bytes) -> None:
        url = urlsplit(self.path)
        request = Request(
            self.command,
            url.path,
            dict(parse_qsl(url.query)),
            {name.lower(): value for name, value in self.headers.items()},
            body,
            str(self.client_address[0]),
        )
        page = self.server.pages.handle(request)
        self._send(page or self.server.api.handle(request))

    def _send(self, reply: Reply) -> None:
        if reply.is_cut:
            self.break_connection()
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)
