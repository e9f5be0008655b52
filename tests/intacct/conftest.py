"""A gateway to the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from intacct_sandbox import ManualClock, Sandbox
from tap_sage_intacct.intacct.xml.gateway import Gateway, GatewaySettings
from tap_sage_intacct.settings.settings import Settings

MakeGateway = Callable[..., Gateway]


@pytest.fixture
def gateway(sandbox: Sandbox, clock: ManualClock) -> MakeGateway:
    """Makes a gateway to the sandbox, by its clock; arguments replace settings."""

    def make(*, config: dict[str, Any] | None = None, **changes: Any) -> Gateway:
        settings = Settings.from_config({**sandbox.config(), **(config or {})}).gateway
        assert isinstance(settings, GatewaySettings)
        return Gateway(replace(settings, **changes), now=clock.now)

    return make
