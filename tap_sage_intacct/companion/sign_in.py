"""Signing in, as the doctor sees it: one call, whose refusal blames one part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tap_sage_intacct.companion.steps import (
    TITLES,
    Step,
    Verdict,
    answer_of,
    failed,
    ok,
)
from tap_sage_intacct.intacct.errors import Cause, IntacctError, TransientError
from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.run.run import open_gateway
from tap_sage_intacct.selection.entities import chosen_entities
from tap_sage_intacct.settings.suggestions import did_you_mean
from tap_sage_intacct.settings.values import EVERY_ENTITY

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.gateway import GatewaySettings

SIGN_IN = (
    "network",
    "sender",
    "authorisation",
    "subscription",
    "address",
    "user",
    "entity",
)
_STEP_OF_CAUSE = {
    Cause.SENDER: "sender",
    Cause.AUTHORISATION: "authorisation",
    Cause.SUBSCRIPTION: "subscription",
    Cause.ADDRESS: "address",
    Cause.USER: "user",
    Cause.ENTITY: "entity",
}


_FOUND = {
    "network": "no answer that could be used",
    "sender": "not accepted",
    "authorisation": "the company does not list this sender",
    "subscription": "missing",
    "address": "this machine is not let in",
    "user": "not accepted",
    "entity": "not accepted",
}


def sign_in(gateway: Gateway) -> IntacctError | None:
    """Sign in, and give the refusal if there is one."""
    try:
        gateway.server_now()
    except IntacctError as error:
        return error
    return None


def sign_in_steps(
    connection: GatewaySettings, refusal: IntacctError | None
) -> list[Step]:
    """The steps that one call of signing in tells of.

    Args:
        connection: as whom, and in which entity.
        refusal: of that call; None where it succeeded.
    """
    entity = connection.login.entity_id
    signed_in = f"signed in to entity {entity}" if entity else "signed in at top level"
    if refusal is None:
        found = dict.fromkeys(SIGN_IN, "") | {"entity": signed_in}
        return [ok(name, found[name]) for name in SIGN_IN]
    blamed, remedy = _blamed(refusal), refusal.remedy
    if blamed in {"user", "entity"} and entity is not None:
        elsewhere = _entity_remedy(connection, entity)
        blamed, remedy = ("entity", elsewhere) if elsewhere else (blamed, remedy)
    return [
        failed(name, _FOUND[name], remedy, answer_of(refusal))
        if name == blamed
        else _beside(blamed, name)
        for name in SIGN_IN
    ]


def _beside(blamed: str, name: str) -> Step:
    """A step that is not to blame: right, as far as Intacct came in its checks.

    It checks the sender first [D]; in which order the others is unknown [?].
    """
    proven = {"network": (), "sender": ("network",), "entity": SIGN_IN}
    if name in proven.get(blamed, ("network", "sender")):
        return ok(name)
    return Step(name, TITLES[name], Verdict.SKIPPED, "not known yet")


def _blamed(refusal: IntacctError) -> str:
    if refusal.cause is not None:
        return _STEP_OF_CAUSE[refusal.cause]
    is_answer = bool(refusal.details) and not isinstance(refusal, TransientError)
    return "user" if is_answer else "network"


def _entity_remedy(connection: GatewaySettings, entity: str) -> str | None:
    """What to do about an entity, if without it the user can sign in; None if not.

    How Intacct words the refusal is unknown [?], so that it is tried out.
    """
    login = replace(connection.login, entity_id=None)
    gateway = open_gateway(replace(connection, login=login))
    if sign_in(gateway) is not None:
        return None
    try:
        known: Sequence[str] = chosen_entities(gateway, (EVERY_ENTITY,))
    except IntacctError:
        known = ()
    if entity in known:
        return (
            "The user is restricted to other entities: open Company > Admin > Web "
            "Services users, the user, and allow this entity; or change entity_id."
        )
    return (
        f"The company has no entity '{entity}'{did_you_mean(entity, known)} Entities are "
        "listed under Company > Entities; without entity_id the top level is read."
    )
