"""Settings: defaults, what is refused, and that Meltano knows the same ones."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from tap_sage_intacct.settings import (
    SECRET_SETTINGS,
    SETTINGS,
    InvalidSettings,
    OnDenied,
    Settings,
)

ROOT = Path(__file__).parent.parent
CREDENTIALS = {
    "company_id": "acme",
    "user_id": "tap_user",
    "user_password": "pa55",
    "sender_id": "acme_sender",
    "sender_password": "s3nder",
}
SCHEMA = SETTINGS.to_dict()["properties"]


def meltano_settings() -> dict[str, dict[str, Any]]:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    tap = project["plugins"]["extractors"][0]
    return {setting["name"]: setting for setting in tap["settings"]}


def test_defaults() -> None:
    settings = Settings.from_config(CREDENTIALS)
    assert settings.gateway is not None
    assert settings.gateway.api_url == "https://api.intacct.com/ia/xml/xmlgw.phtml"
    assert settings.gateway.login.entity_id is None
    assert settings.lookback == timedelta(hours=2)
    assert settings.page_size == 2000
    assert settings.on_denied is OnDenied.WARN
    assert settings.start_date is None


def test_missing_credentials_leave_the_gateway_out() -> None:
    config = {**CREDENTIALS, "user_password": ""}
    assert Settings.from_config(config).gateway is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=timezone.utc)),
        ("2026-01-31T10:00:00Z", datetime(2026, 1, 31, 10, tzinfo=timezone.utc)),
        ("2026-01-31T10:00:00", datetime(2026, 1, 31, 10, tzinfo=timezone.utc)),
        ("2026-01-31T10:00:00+02:00", datetime(2026, 1, 31, 8, tzinfo=timezone.utc)),
    ],
)
def test_start_date_is_an_instant(text: str, expected: datetime) -> None:
    settings = Settings.from_config({**CREDENTIALS, "start_date": text})
    assert settings.start_date == expected


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"balance_periods": {"from": "2025-01"}}, "type one of month, quarter, year"),
        ({"balance_periods": {"from": "x", "type": "month"}}, "from and to as 2026-01"),
        (
            {"balance_periods": {"from": "2025-02", "to": "2025-01", "type": "month"}},
            "not before `from`",
        ),
        ({"api_url": "https://api..com/x"}, "must be an https address"),
        ({"user_password": "pa55\x0c-w0rd"}, "user_password holds a control"),
        ({"sender_password": "pa55\n"}, "sender_password holds a control"),
        ({"company_id": "a\x85b"}, "company_id holds a control"),
        ({"entity_id": "\tE100"}, "entity_id holds a control"),
        ({"sender_id": "\ud800"}, "sender_id holds a control"),
        ({"filters": {"bills": "STATE = '\x00'"}}, "filters holds a control"),
        ({"filters": {"bi\x1fls": "STATE = 'x'"}}, "filters holds a control"),
        ({"balance_periods": ["June\x0b"]}, "balance_periods holds a control"),
        (
            {"custom_reports": [{"name": "R", "arguments": {"A": {"from": "\ufffe"}}}]},
            "custom_reports holds a control",
        ),
        ({"balance_periods": "June"}, "must be a list of names"),
        ({"entities": "some"}, "entities must be a list"),
        ({"entities": "all", "entity_id": "E100"}, "leave one of them"),
        ({"extra_objects": [" "]}, "without a name"),
        ({"extra_objects": ["bills", "Bills"]}, "would be called 'bills'"),
        (
            {"custom_reports": [{"name": "A b"}, {"name": "a-B"}]},
            "would be called 'a_b'",
        ),
        (
            {"custom_reports": [{"name": "R", "arguments": {"a b": "x"}}]},
            "the argument 'a b' of 'R'",
        ),
        (
            {"custom_reports": [{"name": "R", "arguments": {"A": {"from": "x"}}}]},
            "or {from, to}",
        ),
    ],
)
def test_choice_that_cannot_be_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_config({**CREDENTIALS, **given})
    assert words in str(caught.value)


@pytest.mark.parametrize("given", [["E1", "E1"], '["E1"]'])
def test_entities_may_come_as_json(given: object) -> None:
    settings = Settings.from_config({**CREDENTIALS, "entities": given})
    assert settings.entities == ("E1",)


def test_all_faults_are_told_at_once() -> None:
    config = {**CREDENTIALS, "start_date": "soon", "api_url": "http://example.com/x"}
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_config(config)
    assert len(caught.value.problems) == 2
    assert "https" in caught.value.problems[0]
    assert "2026-01-31" in caught.value.problems[1]


def test_plain_http_is_for_this_machine_alone() -> None:
    config = {**CREDENTIALS, "api_url": "http://127.0.0.1:8642/ia/xml/xmlgw.phtml"}
    assert Settings.from_config(config).gateway is not None


def test_secrets_are_masked_wherever_settings_are_shown() -> None:
    shown = repr(Settings.from_config(CREDENTIALS))
    assert "pa55" not in shown
    assert "s3nder" not in shown


def test_every_setting_is_described() -> None:
    assert all(schema["description"].endswith(".") for schema in SCHEMA.values())


def test_meltano_knows_every_setting_and_its_secrecy_and_default() -> None:
    known = meltano_settings()
    assert set(known) == set(SCHEMA)
    assert {n for n, s in known.items() if s.get("sensitive")} == SECRET_SETTINGS
    defaults = {n: s["default"] for n, s in SCHEMA.items() if "default" in s}
    assert {n: s["value"] for n, s in known.items() if "value" in s} == defaults


def test_secrets_example_names_every_required_setting() -> None:
    lines = (ROOT / ".secrets.example").read_text().splitlines()
    named = {line.split("=")[0] for line in lines if line and not line.startswith("#")}
    required = SETTINGS.to_dict()["required"]
    of_tap = {name for name in named if name.startswith("TAP_")}
    assert of_tap == {f"TAP_SAGE_INTACCT_{name.upper()}" for name in required}
