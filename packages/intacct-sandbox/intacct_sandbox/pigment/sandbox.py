"""A Pigment workspace on a port of this machine.

It puts HTTP around the workspace's API and its pages.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

from intacct_sandbox.loopback import LoopbackHandler, LoopbackServer, LoopbackService
from intacct_sandbox.pigment.api import PigmentApi
from intacct_sandbox.pigment.faults import PigmentFaults
from intacct_sandbox.pigment.messages import Received, Reply, Request
from intacct_sandbox.pigment.pages import Pages
from intacct_sandbox.pigment.switches import PigmentSwitches
from intacct_sandbox.pigment.workspace import Workspace


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


@final
class PigmentSandbox(LoopbackService):
    """A workspace that takes imports over real HTTP.

    with PigmentSandbox(workspace) as sandbox:
        push_to(sandbox.url, sandbox.import_key)

    Attributes:
        import_key: pushes, and asks for a status.
        export_key: reads lists back.
        metadata_key: asks which lists and configurations there are.
    """

    def __init__(  # noqa: PLR0913 - each is optional and named
        self,
        workspace: Workspace,
        *,
        switches: PigmentSwitches | None = None,
        faults: PigmentFaults | None = None,
        port: int = 0,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Describe a sandbox; `start` opens the port.

        Args:
            workspace: stays open when the sandbox stops.
            switches: how it behaves where nothing is known.
            faults: what goes wrong.
            port: 0 for a free one.
            now: seconds, for the rate limits.
            sleep: how a slow answer waits.
        """
        self.workspace = workspace
        self.faults = faults or PigmentFaults()
        self._api = PigmentApi(
            workspace, switches or PigmentSwitches(), self.faults, now, sleep
        )
        self._port = port
        self.import_key = self._api.keys.imports
        self.export_key = self._api.keys.exports
        self.metadata_key = self._api.keys.metadata

    @override
    def _new_server(self) -> PigmentServer:
        return PigmentServer(self._api, self._port)

    @property
    def url(self) -> str:
        """Of the API, without its prefix, and of the page for people.

        Raises:
            RuntimeError: not started.
        """
        return self.origin

    @property
    def switches(self) -> PigmentSwitches:
        """The behaviour of the requests to come; may be replaced at any time."""
        return self._api.switches

    @switches.setter
    def switches(self, switches: PigmentSwitches) -> None:
        self._api.switches = switches

    @property
    def requests(self) -> list[Received]:
        """The calls so far; pages for people are none."""
        return list(self._api.received)

    @property
    def overlapping_pushes(self) -> int:
        """Pushes that came before an earlier import of theirs was known to be done."""
        return self._api.overlapping_pushes
