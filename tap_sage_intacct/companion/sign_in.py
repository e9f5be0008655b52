"""Signing in, as the doctor sees it: one call, whose refusal blames one part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tap_sage_intacct.companion.steps import Check, Step, answer_of
from tap_sage_intacct.intacct.errors import Cause, IntacctError, TransientError
from tap_sage_intacct.intacct.gateway import Gateway, GatewaySettings
from tap_sage_intacct.run.run import open_gateway
from tap_sage_intacct.selection.entities import chosen_entities
from tap_sage_intacct.settings.suggestions import did_you_mean
from tap_sage_intacct.settings.values import EVERY_ENTITY


@dataclass(frozen=True, slots=True)
class SignInCheck(Check):
    """A part of signing in.

    Attributes:
        refused: what is found where Intacct blames it.
        cause: by which Intacct does.
    """

    refused: str
    cause: Cause | None = None


_NETWORK = SignInCheck("network", "Network", "no answer that could be used")
_SENDER = SignInCheck("sender", "Sender ID and password", "not accepted", Cause.SENDER)
_USER = SignInCheck("user", "User ID and password", "not accepted", Cause.USER)
_ENTITY = SignInCheck("entity", "Entity", "not accepted", Cause.ENTITY)
SIGN_IN = (
    _NETWORK,
    _SENDER,
    SignInCheck(
        "authorisation",
        "Sender authorised for the company",
        "the company does not list this sender",
        Cause.AUTHORISATION,
    ),
    SignInCheck(
        "subscription", "Web Services subscription", "missing", Cause.SUBSCRIPTION
    ),
    SignInCheck(
        "address", "Address filter", "this machine is not let in", Cause.ADDRESS
    ),
    _USER,
    _ENTITY,
)


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
    """The steps that one call of signing in decides.

    Args:
        connection: as whom, and in which entity.
        refusal: of that call; None where it succeeded.
    """
    entity = connection.login.entity_id
    signed_in = f"signed in to entity {entity}" if entity else "signed in at top level"
    if refusal is None:
        return [check.ok(signed_in if check is _ENTITY else "") for check in SIGN_IN]
    blamed, remedy = _blamed(refusal), refusal.remedy
    if blamed in {_USER, _ENTITY} and entity is not None:
        elsewhere = _entity_remedy(connection, entity)
        blamed, remedy = (_ENTITY, elsewhere) if elsewhere else (blamed, remedy)
    return [
        check.failed(check.refused, remedy, answer_of(refusal))
        if check is blamed
        else _beside(blamed, check)
        for check in SIGN_IN
    ]


def _beside(blamed: SignInCheck, check: SignInCheck) -> Step:
    """A step that is not to blame: right, as far as Intacct came in its checks.

    It checks the sender first [D]; in which order the others is unknown [?].
    """
    proven = {_NETWORK: (), _SENDER: (_NETWORK,), _ENTITY: SIGN_IN}
    if check in proven.get(blamed, (_NETWORK, _SENDER)):
        return check.ok()
    return check.skipped("not known yet")


def _blamed(refusal: IntacctError) -> SignInCheck:
    if refusal.cause is not None:
        return next(check for check in SIGN_IN if check.cause is refusal.cause)
    is_answer = bool(refusal.details) and not isinstance(refusal, TransientError)
    return _USER if is_answer else _NETWORK


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
