"""The doctor: each thing that can be wrong, with the page that fixes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pytest
from click.testing import Result

from intacct_sandbox import (
    Company,
    Fault,
    FaultKind,
    Sandbox,
    Switches,
    UserFormatting,
)
from tap_sage_intacct.catalog.permissions import PERMISSIONS
from tap_sage_intacct.catalog.sources import DATA_SOURCES
from tap_sage_intacct.companion.invocation import Surroundings
from tests.companion.conftest import Command


def steps_of(result: Result) -> dict[str, dict[str, str]]:
    return {step["name"]: step for step in json.loads(result.stdout)["steps"]}


def verdicts(steps: Mapping[str, Mapping[str, str]]) -> set[str]:
    return {step["verdict"] for step in steps.values()}


def test_all_is_well(command: Command) -> None:
    result = command("doctor")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[-1] == "All is well."
    assert all(line.startswith("ok ") for line in lines[:-1])
    assert {line[9:].partition(":")[0] for line in lines} >= {
        source.title for source in DATA_SOURCES
    }
    assert result.stderr == ""


def test_all_is_well_as_json(command: Command) -> None:
    found = command.json("doctor")
    assert found["ok"] is True
    assert [step["name"] for step in found["steps"]][:3] == [
        "settings",
        "network",
        "sender",
    ]
    assert len(found["steps"]) == len({step["name"] for step in found["steps"]})


@dataclass(frozen=True)
class Illness:
    """What is wrong, and what the doctor says to it."""

    step: str
    words: str
    switches: Switches = field(default_factory=Switches)
    settings: Mapping[str, Any] = field(default_factory=dict)
    proven: tuple[str, ...] = ("network", "sender")


ILLNESSES = {
    "no network": Illness(
        "network",
        "check api_url and the network",
        settings={"api_url": "http://127.0.0.1:9/ia/xml/xmlgw.phtml"},
        proven=(),
    ),
    "no gateway": Illness(
        "network",
        "check api_url",
        settings={"api_url": "http://127.0.0.1:{port}/elsewhere"},
        proven=(),
    ),
    "wrong sender": Illness(
        "sender",
        "check sender_id and sender_password",
        settings={"sender_password": "x"},
        proven=("network",),
    ),
    "unknown to the gateway": Illness(
        "sender",
        "check company_id and sender_id",
        switches=Switches(refused_at_gateway=True),
        settings={"sender_id": "x"},
        proven=("network",),
    ),
    "sender not authorised": Illness(
        "authorisation",
        "Company > Company Info > Security",
        switches=Switches(sender_authorised=False),
    ),
    "no subscription": Illness(
        "subscription",
        "Company > Subscriptions and switch on Web Services",
        switches=Switches(web_services_subscribed=False),
    ),
    "address filter": Illness(
        "address",
        "Company > Company Info > Security and add the address",
        switches=Switches(address_allowed=False),
    ),
    "wrong password": Illness(
        "user", "check company_id, user_id and user_password", settings={"user_id": "x"}
    ),
    "wrong password, in an entity": Illness(
        "user",
        "check company_id, user_id and user_password",
        settings={"user_password": "x", "entity_id": "E100"},
    ),
}


@pytest.mark.parametrize("illness", ILLNESSES.values(), ids=ILLNESSES)
def test_refused_sign_in_blames_one_step_and_skips_what_depends_on_it(
    command: Command, sandbox: Sandbox, illness: Illness
) -> None:
    sandbox.switches = illness.switches
    port = sandbox.url.split(":")[2].split("/")[0]
    settings = {
        name: value.replace("{port}", port) for name, value in illness.settings.items()
    }
    result = command("doctor", "--json", **settings)
    assert result.exit_code == 1
    steps = steps_of(result)
    failed = [name for name, step in steps.items() if step["verdict"] == "failed"]
    assert failed == [illness.step]
    assert illness.words in steps[illness.step]["remedy"]
    well = {name for name, step in steps.items() if step["verdict"] == "ok"}
    assert well == {"settings", "maintenance", *illness.proven}
    assert steps["vendors"]["verdict"] == "skipped"
    plain = command("doctor", **settings)
    assert plain.exit_code == 1
    assert f"-> {steps[illness.step]['remedy']}" in plain.stdout
    assert plain.stdout.splitlines()[-1] == "1 step failed."


def test_entity_that_there_is_not_is_told_from_a_wrong_password(
    command: Command, company: Company
) -> None:
    entity = str(next(iter(company.truth("LOCATIONENTITY")))["LOCATIONID"])
    assert command.json("doctor", entity_id=entity)["ok"] is True
    steps = steps_of(command("doctor", "--json", entity_id=f"{entity}0"))
    assert steps["user"]["verdict"] == "ok"
    assert steps["entity"]["verdict"] == "failed"
    assert f"did you mean {entity}" in steps["entity"]["remedy"]


def test_missing_credentials_are_named(command: Command) -> None:
    result = command("doctor", "--json", sender_id=None, sender_password="")
    assert result.exit_code == 1
    steps = steps_of(result)
    assert steps["settings"]["found"] == "sender_id, sender_password not set"
    assert ".env" in steps["settings"]["remedy"]
    assert steps["network"]["verdict"] == "skipped"


def test_settings_that_are_wrong_are_all_named(command: Command) -> None:
    result = command("doctor", "--json", page_size=0, max_retries=-1)
    assert result.exit_code == 1
    steps = steps_of(result)
    assert "page_size: 0" in steps["settings"]["remedy"]
    assert "max_retries: -1" in steps["settings"]["remedy"]
    assert verdicts(steps) == {"failed", "skipped"}


@pytest.mark.parametrize(
    ("formatting", "found"),
    [
        (UserFormatting(gmt_offset="-08:00"), "GMT-08:00"),
        (UserFormatting(clock="12"), "12 hours"),
        (UserFormatting(date_format="/mdy"), "years of two digits"),
    ],
)
def test_preferences_that_blur_stamps_are_a_warning(
    command: Command, sandbox: Sandbox, formatting: UserFormatting, found: str
) -> None:
    sandbox.switches = Switches(formatting=formatting)
    result = command("doctor", "--json")
    assert result.exit_code == 0
    step = steps_of(result)["preferences"]
    assert (step["verdict"], step["found"]) == ("warning", found)
    assert "Company > Admin > Web Services users" in step["remedy"]
    assert "All is well, with 1 warning." in command("doctor").stdout


def test_preferences_that_cannot_be_read_are_a_warning(
    command: Command, sandbox: Sandbox
) -> None:
    sandbox.faults.add(
        Fault(FaultKind.DATABASE_ERROR, function="readUserFormatting", times=None)
    )
    result = command("doctor", "--json")
    assert result.exit_code == 0
    step = steps_of(result)["preferences"]
    assert step["verdict"] == "warning"
    assert "could not be read" in step["found"]


def test_preferences_that_no_tap_can_use_fail(
    command: Command, sandbox: Sandbox
) -> None:
    sandbox.switches = Switches(formatting=UserFormatting(clock="36"))
    result = command("doctor", "--json")
    assert result.exit_code == 1
    assert "set them to MM/DD/YYYY" in steps_of(result)["preferences"]["remedy"]


def test_missing_permission_is_named(command: Command, sandbox: Sandbox) -> None:
    sandbox.switches = Switches(denied_objects=frozenset({"VENDOR", "APBILL"}))
    result = command("doctor", "--json")
    assert result.exit_code == 1
    steps = steps_of(result)
    assert steps["vendors"]["remedy"] == (
        "The permission on Vendors is missing: open Company > Roles, the user's role, "
        "Subscriptions, Accounts Payable, Permissions, and set Vendors to Read Only."
    )
    assert "set Bills to Read Only" in steps["bills"]["remedy"]
    assert steps["customers"]["verdict"] == "ok"
    assert "2 steps failed." in command("doctor").stdout


def test_missing_subscription_is_named(command: Command, sandbox: Sandbox) -> None:
    names = sandbox.company.definitions
    contracts = frozenset(name for name in names if name.startswith("CONTRACT"))
    sandbox.switches = Switches(unsubscribed_objects=contracts)
    result = command("doctor", "--json")
    assert result.exit_code == 1
    assert steps_of(result)["contracts"]["remedy"].startswith(
        "The subscription Contracts is missing: open Company > Subscriptions and "
        "subscribe to Contracts"
    )
    plain = command("doctor").stdout
    assert plain.count("subscribe to Contracts") == 1
    assert plain.count("-> As for Contract / Billing schedules.") == 6


def test_permission_or_subscription_are_both_named_where_nothing_tells_them_apart(
    command: Command, sandbox: Sandbox
) -> None:
    sandbox.switches = Switches(denied_objects=frozenset({"VENDOR"}))
    sandbox.faults.add(
        Fault(FaultKind.DATABASE_ERROR, function="getUserPermissions", times=None)
    )
    remedy = steps_of(command("doctor", "--json"))["vendors"]["remedy"]
    assert remedy.startswith(
        "Permission on Vendors or the subscription Accounts Payable is missing"
    )


def test_every_source_has_a_permission() -> None:
    assert set(PERMISSIONS) == {source.object_name for source in DATA_SOURCES}


def test_denied_source_that_is_not_selected_is_a_warning(
    command: Command, sandbox: Sandbox
) -> None:
    (command.folder / "meltano.yml").write_text(
        "plugins:\n  extractors:\n    - name: tap-sage-intacct\n"
        "      select: [gl_accounts.*, '!bills.*']\n"
    )
    sandbox.switches = Switches(denied_objects=frozenset({"VENDOR"}))
    result = command("doctor", "--json")
    assert result.exit_code == 0
    assert steps_of(result)["vendors"]["verdict"] == "warning"
    sandbox.switches = Switches(denied_objects=frozenset({"GLACCOUNT"}))
    assert command("doctor").exit_code == 1


@pytest.mark.parametrize(("include_deletes", "code"), [(False, 0), (True, 1)])
def test_audit_trail_is_needed_for_deletions_alone(
    command: Command, sandbox: Sandbox, include_deletes: bool, code: int
) -> None:
    sandbox.switches = Switches(denied_objects=frozenset({"AUDITHISTORY"}))
    result = command("doctor", "--json", include_deletes=include_deletes)
    assert result.exit_code == code
    step = steps_of(result)["audit_trail"]
    assert step["verdict"] == ("failed" if include_deletes else "warning")
    assert "set Custom reports to View" in step["remedy"]


def test_connections_that_are_too_many_are_a_warning(
    command: Command, company: Company
) -> None:
    with Sandbox(company, switches=Switches(max_connections=1)) as narrow:
        narrow.faults.add(
            Fault(FaultKind.SLOW, function="getDimensions", times=None, seconds=0.5)
        )
        result = command("doctor", "--json", api_url=narrow.url)
    assert result.exit_code == 0
    step = steps_of(result)["connections"]
    assert step["verdict"] == "warning"
    assert "throttles" in step["remedy"]


def test_api_usage_is_skipped_where_it_is_not_offered(
    command: Command, sandbox: Sandbox
) -> None:
    sandbox.switches = Switches(api_usage=False)
    result = command("doctor", "--json")
    assert result.exit_code == 0
    assert steps_of(result)["usage"]["verdict"] == "skipped"


def test_maintenance_window_is_a_warning(command: Command) -> None:
    midnight = datetime(2026, 1, 31, 8, 30, tzinfo=timezone.utc)
    within = Surroundings(now=lambda: midnight)
    result = command("doctor", "--json", surroundings=within)
    assert result.exit_code == 0
    step = steps_of(result)["maintenance"]
    assert step["verdict"] == "warning"
    assert "until 10:00 UTC" in step["found"]


def test_doctor_without_settings_says_where_to_put_them(
    offline: Callable[..., Result],
) -> None:
    result = offline("doctor")
    assert result.exit_code == 1
    assert "company_id, user_id, user_password, sender_id, sender_password not set" in (
        result.stdout
    )
    assert "Company > Admin > Web Services users" in result.stdout


def test_balances_without_periods_are_a_warning(command: Command) -> None:
    result = command("doctor", "--json", balance_periods=[])
    assert result.exit_code == 0
    step = steps_of(result)["gl_account_balances"]
    assert step["verdict"] == "warning"
    assert "balance_periods" in step["remedy"]
