"""A Pigment workspace on a port of this machine.

What lives here: starting, stopping, and what a test asks of it. What it must not
know: how anything is served.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final

from typing_extensions import override

from intacct_sandbox.loopback import LoopbackService
from intacct_sandbox.pigment.api import PigmentApi
from intacct_sandbox.pigment.faults import PigmentFaults
from intacct_sandbox.pigment.messages import Received
from intacct_sandbox.pigment.server import PigmentServer
from intacct_sandbox.pigment.switches import PigmentSwitches
from intacct_sandbox.pigment.workspace import Workspace


@final
class PigmentSandbox(LoopbackService[PigmentServer]):
    """A workspace that takes imports over real HTTP.

    with PigmentSandbox(workspace) as sandbox:
        push_to(sandbox.url, sandbox.import_key)
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

    @override
    def _new_server(self) -> PigmentServer:
        return PigmentServer(self._api, self._port)

    @property
    def url(self) -> str:
        """Of the API, without its prefix, and of the page for people.

        Raises:
            RuntimeError: not started.
        """
        return self.server.origin

    @property
    def switches(self) -> PigmentSwitches:
        """The behaviour of the requests to come; may be replaced at any time."""
        return self._api.switches

    @switches.setter
    def switches(self, switches: PigmentSwitches) -> None:
        self._api.switches = switches

    @property
    def import_key(self) -> str:
        """Pushes, and asks for a status."""
        return self._api.keys.imports

    @property
    def export_key(self) -> str:
        """Reads lists back."""
        return self._api.keys.exports

    @property
    def metadata_key(self) -> str:
        """Tells what there is."""
        return self._api.keys.metadata

    @property
    def requests(self) -> list[Received]:
        """The calls so far; pages for people are none."""
        return list(self._api.received)

    @property
    def overlapping_pushes(self) -> int:
        """Pushes that came before an earlier import of theirs was known to be done."""
        return self._api.overlapping_pushes
