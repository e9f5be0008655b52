"""What a connection needs, step by step, and what to do where a step fails.

What depends on a step that failed is skipped. Intacct is asked once for each thing,
with no retries to speak of, since a doctor is asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

from tap_sage_intacct.catalog import discovery
from tap_sage_intacct.catalog.definitions import Definitions
from tap_sage_intacct.catalog.permissions import remedy_of_denial
from tap_sage_intacct.catalog.sources import DATA_SOURCES, DataSource
from tap_sage_intacct.companion.configuration import Configuration
from tap_sage_intacct.companion.sign_in import SIGN_IN, sign_in, sign_in_steps
from tap_sage_intacct.companion.steps import Check, Step, answer_of, skipped
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.audit import deleted_keys
from tap_sage_intacct.intacct.errors import (
    IntacctError,
    ObjectNotFound,
    PermissionDenied,
    RequestRefused,
    TransientError,
)
from tap_sage_intacct.intacct.gateway import Gateway, GatewaySettings
from tap_sage_intacct.intacct.http.retrying import RetryPolicy
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.user_format import offset_text
from tap_sage_intacct.run.run import Run, open_gateway
from tap_sage_intacct.settings.settings import Settings

USAGE_OBJECT = "APIUSAGESUMMARY"
"""Lists the calls that were billed; its fields are not documented [C/?]."""

_FEW_RETRIES = RetryPolicy(max_retries=1, first_pause_seconds=1)
_NO_RETRIES = RetryPolicy(max_retries=0)


def _check_of(source: DataSource) -> Check:
    return Check(source.stream_name, source.title)


_SETTINGS = Check("settings", "Settings")
_PREFERENCES = Check("preferences", "Date and time preferences")
_AUDIT_TRAIL = Check("audit_trail", "Audit trail")
_CONNECTIONS = Check("connections", "Connection limit")
_USAGE = Check("usage", "API usage")
_MAINTENANCE = Check("maintenance", "Maintenance window")
_BEHIND_SIGN_IN = (
    _PREFERENCES,
    *map(_check_of, DATA_SOURCES),
    _AUDIT_TRAIL,
    _CONNECTIONS,
    _USAGE,
)


def examine(
    configuration: Configuration,
    now: Callable[[], datetime],
    is_wanted: Callable[[str], bool] = lambda _stream: True,
) -> Iterator[Step]:
    """Look at one thing after another, each step as soon as it is known.

    Args:
        configuration: may be wrong, and lack credentials.
        now: aware; for the maintenance window.
        is_wanted: whether a stream is to be loaded: another that may not be read is
            worth a warning only.
    """
    try:
        settings = configuration.settings()
    except InvalidSettings as error:
        yield _SETTINGS.failed("not valid", str(error))
        everything = (*SIGN_IN, *_BEHIND_SIGN_IN, _MAINTENANCE)
        yield from skipped(everything, "the settings are not valid")
        return
    if settings.gateway is None:
        named = ", ".join(settings.missing)
        yield _SETTINGS.failed(f"{named} not set", _CREDENTIALS_REMEDY)
        yield from skipped((*SIGN_IN, *_BEHIND_SIGN_IN), "no credentials")
    else:
        yield _SETTINGS.ok(f"company {settings.gateway.login.company_id}")
        yield from _examine_company(settings, settings.gateway, is_wanted)
    yield _maintenance(settings, now())


_CREDENTIALS_REMEDY = (
    "Set them in .env as TAP_SAGE_INTACCT_COMPANY_ID and so on, or in a file given by "
    "--config. The user is made under Company > Admin > Web Services users; Sage issues "
    "the sender."
)


def _examine_company(
    settings: Settings, connection: GatewaySettings, is_wanted: Callable[[str], bool]
) -> Iterator[Step]:
    connection = replace(connection, retry=_FEW_RETRIES)
    run = Run(replace(settings, gateway=connection))
    refusal = sign_in(run.gateway)
    steps = sign_in_steps(connection, refusal)
    yield from steps
    if refusal is not None:
        yield from skipped(_BEHIND_SIGN_IN, "nobody is signed in")
        return
    yield _preferences(run.gateway)
    yield from _sources(run, is_wanted)
    yield _audit_trail(run.gateway, is_needed=settings.include_deletes)
    yield _connections(connection)
    yield _usage(run.gateway)


def _preferences(gateway: Gateway) -> Step:
    remedy = (
        "Open Company > Admin > Web Services users, the user, Preferences, and set "
        "MM/DD/YYYY, 24 hours and GMT without daylight saving; or name the user's time "
        "zone in user_timezone."
    )
    try:
        gateway.check_preferences()
        found = gateway.user_format()
    except (RequestRefused, PermissionDenied) as error:
        return _PREFERENCES.warned("could not be read", remedy, answer_of(error))
    except IntacctError as error:
        return _PREFERENCES.failed("cannot be used", error.remedy, answer_of(error))
    is_zone_known = found.zone is not None and found.zone.by_own_day
    faults = {
        offset_text(found.gmt_offset): found.gmt_offset and not is_zone_known,
        "12 hours": not found.twenty_four_hour,
        "years of two digits": not found.four_digit_year,
    }
    if wrong := [words for words, is_wrong in faults.items() if is_wrong]:
        return _PREFERENCES.warned(", ".join(wrong), remedy)
    shown = offset_text(found.gmt_offset) if found.gmt_offset else "GMT"
    return _PREFERENCES.ok(f"{shown}, 24 hours")


def _sources(run: Run, is_wanted: Callable[[str], bool]) -> Iterator[Step]:
    """A step per source, all of them in a few requests."""
    gateway = run.gateway
    try:
        refused = discovery.refusals(gateway, map(discovery.shipped, DATA_SOURCES))
    except IntacctError as error:
        first, *others = map(_check_of, DATA_SOURCES)
        yield first.failed("could not be asked for", error.remedy, answer_of(error))
        yield from skipped(others, "could not be asked for")
        return
    applications = _applications(gateway) if refused else None
    for source in DATA_SOURCES:
        refusal = refused.get(source.stream_name)
        if refusal is None:
            yield _readable(source, run.settings, is_wanted)
            continue
        check = _check_of(source)
        step = check.failed if is_wanted(check.name) else check.warned
        is_denied = isinstance(refusal, PermissionDenied | ObjectNotFound)
        yield step(
            f"{source.object_name} may not be read",
            remedy_of_denial(source.object_name, applications)
            if is_denied
            else refusal.remedy,
            answer_of(refusal),
        )


def _readable(
    source: DataSource, settings: Settings, is_wanted: Callable[[str], bool]
) -> Step:
    check = _check_of(source)
    # A filter may name periods as well.
    has_periods = settings.balances.periods or check.name in settings.filters
    if source.needs_period and not has_periods and is_wanted(check.name):
        return check.warned(
            "no period is named, so that runs leave the stream out",
            'Name some in balance_periods, such as {"from": "2026-01", "type": "month"}, '
            "or deselect the stream.",
        )
    return check.ok(f"{source.object_name} can be read")


def _applications(gateway: Gateway) -> tuple[str, ...] | None:
    """What the user has; None where it is not told."""
    try:
        return gateway.applications()
    except IntacctError:
        return None


def _audit_trail(gateway: Gateway, *, is_needed: bool) -> Step:
    remedy = (
        "Only include_deletes needs it: open Company > Roles, the user's role, "
        "Subscriptions, Platform Services, Permissions, and set Custom reports to View."
    )
    now = gateway.server_now()
    try:
        next(deleted_keys(gateway, "VENDOR", now - timedelta(minutes=1), now), None)
    except IntacctError as error:
        step = _AUDIT_TRAIL.failed if is_needed else _AUDIT_TRAIL.warned
        is_denied = isinstance(error, PermissionDenied)
        what_to_do = remedy if is_denied else error.remedy
        return step("may not be read", what_to_do, answer_of(error))
    return _AUDIT_TRAIL.ok("can be read")


def _connections(connection: GatewaySettings) -> Step:
    """Whether Intacct takes as many calls at once as the tap would make."""
    gateway = open_gateway(replace(connection, retry=_NO_RETRIES))
    wanted = connection.max_connections
    try:
        gateway.server_now()
        with ThreadPoolExecutor(wanted) as pool:
            for answer in [pool.submit(gateway.dimensions) for _ in range(wanted)]:
                answer.result()
    except TransientError as error:
        return _CONNECTIONS.warned(
            f"{wanted} calls at once were too many",
            f"{error.remedy} Runs wait and try again; keep other integrations of the "
            "company away from their hours, or raise the performance tier "
            "(Company > Subscriptions).",
            answer_of(error),
        )
    except IntacctError as error:
        return _CONNECTIONS.warned("could not be tried", error.remedy, answer_of(error))
    return _CONNECTIONS.ok(f"{wanted} calls at once were answered")


def _usage(gateway: Gateway) -> Step:
    found = Definitions(gateway).of(USAGE_OBJECT)
    unknown = _USAGE.skipped(
        "not offered to this user; an administrator sees it under Company > Admin > "
        "API usage",
    )
    if isinstance(found, IntacctError):
        return unknown
    field = tuple(field.id for field in found.fields[:1])
    reader = ObjectReader(gateway, USAGE_OBJECT, field)
    try:
        total = reader.query(None, ()).result().total
    except IntacctError:
        return unknown
    return _USAGE.ok(f"{USAGE_OBJECT} can be read: {total} records")


def _maintenance(settings: Settings, now: datetime) -> Step:
    ends = settings.maintenance.ends_at(now)
    if ends is None:
        return _MAINTENANCE.ok(f"not now; it is {settings.maintenance}")
    return _MAINTENANCE.warned(
        f"it is now, until {ends:%H:%M} UTC ({settings.maintenance})",
        "Intacct may go off-line: run again after that, and keep schedules clear of it.",
    )
