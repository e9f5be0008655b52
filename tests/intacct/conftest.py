"""A gateway to the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from intacct_sandbox import ManualClock, Sandbox
from tap_sage_intacct.intacct.gateway import GatewaySettings
from tap_sage_intacct.intacct.xml.calls import FunctionCalls
from tap_sage_intacct.intacct.xml.gateway import XmlGateway
from tap_sage_intacct.settings.settings import Settings

MakeGateway = Callable[..., XmlGateway]
MakeCalls = Callable[..., FunctionCalls]


@pytest.fixture
def gateway(sandbox: Sandbox, clock: ManualClock) -> MakeGateway:
    """Makes a gateway to the sandbox, by its clock; arguments replace settings."""

    def make(*, config: dict[str, Any] | None = None, **changes: Any) -> XmlGateway:
        settings = _settings(sandbox, config or {})
        return XmlGateway(replace(settings, **changes), now=clock.now)

    return make


@pytest.fixture
def calls(sandbox: Sandbox, clock: ManualClock) -> MakeCalls:
    """Makes what calls functions of the sandbox; arguments replace settings."""

    def make(**changes: Any) -> FunctionCalls:
        return FunctionCalls(replace(_settings(sandbox, {}), **changes), clock.now)

    return make


def _settings(sandbox: Sandbox, config: dict[str, Any]) -> GatewaySettings:
    settings = Settings.from_config({**sandbox.config(), **config}).gateway
    assert isinstance(settings, GatewaySettings)
    return settings
