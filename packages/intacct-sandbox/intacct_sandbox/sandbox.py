"""The sandbox: a company behind the gateway, on a port of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import final

from typing_extensions import override

from intacct_sandbox.company.company import Company
from intacct_sandbox.faults.faults import Faults
from intacct_sandbox.gateway.gateway import Gateway
from intacct_sandbox.gateway.server import GATEWAY_PATH, GatewayServer
from intacct_sandbox.loopback import LoopbackService
from intacct_sandbox.switches import Credentials, Switches
from intacct_sandbox.wire.calls import Call


@final
class Sandbox(LoopbackService):
    """A Sage Intacct company one can sign in to, over real HTTP.

    with Sandbox(company) as sandbox:
        settings = sandbox.config()
    """

    def __init__(  # noqa: PLR0913 - each is optional and named
        self,
        company: Company,
        *,
        switches: Switches | None = None,
        faults: Faults | None = None,
        credentials: Credentials | None = None,
        port: int = 0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Describe a sandbox; `start` opens the port.

        Args:
            company: stays open when the sandbox stops.
            switches: how it behaves where nothing is known.
            faults: what goes wrong.
            credentials: who may sign in.
            port: 0 for a free one.
            sleep: how a slow answer waits.
        """
        self.company = company
        self.faults = faults or Faults()
        self.credentials = credentials or Credentials()
        self._gateway = Gateway(
            company, switches or Switches(), self.faults, self.credentials, sleep=sleep
        )
        self._port = port

    @override
    def _new_server(self) -> GatewayServer:
        server = GatewayServer(self._gateway, self._port)
        self._gateway.own_url = f"{server.origin}{GATEWAY_PATH}"
        return server

    @property
    def url(self) -> str:
        """Where to post requests.

        Raises:
            RuntimeError: not started.
        """
        return f"{self.origin}{GATEWAY_PATH}"

    @property
    def switches(self) -> Switches:
        """The behaviour of the requests to come; may be replaced at any time."""
        return self._gateway.switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        self._gateway.switches = switches

    @property
    def calls(self) -> list[Call]:
        """The functions answered so far, by number."""
        return self._gateway.log.all()

    @property
    def most_in_flight(self) -> int:
        """The largest number of requests that were being served at once."""
        return self._gateway.most_in_flight

    def forget_calls(self) -> None:
        """Empty `calls`; numbers go on."""
        self._gateway.log.clear()

    def end_sessions(self) -> None:
        """Let every session expire now."""
        self._gateway.sessions.end_all()

    def config(self) -> dict[str, str]:
        """The settings with which a tap signs in here."""
        return {**asdict(self.credentials), "api_url": self.url}
