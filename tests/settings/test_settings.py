"""Settings: defaults, what is refused, and that Meltano knows the same ones."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.settings.environment import from_environment
from tap_sage_intacct.settings.settings import (
    SECRET_SETTINGS,
    SETTINGS,
    OnDenied,
    Settings,
)
from tap_sage_intacct.settings.values import PeriodRange
from tap_sage_intacct.tap import TapSageIntacct

ROOT = Path(__file__).parents[2]
CREDENTIALS = {
    "company_id": "acme",
    "user_id": "tap_user",
    "user_password": "pa55",
    "sender_id": "acme_sender",
    "sender_password": "s3nder",
}
SCHEMA = SETTINGS.to_dict()["properties"]
NOTHING: dict[str, Any] = {"streams": []}
"""A catalog: without one, the tap would discover."""


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


def test_meltano_labels_settings_as_the_tap_does() -> None:
    labels = {name: setting["label"] for name, setting in meltano_settings().items()}
    assert labels == {name: schema["title"] for name, schema in SCHEMA.items()}


def kind_for_meltano(schema: dict[str, Any]) -> str:
    """As Meltano calls the type; text for types that Meltano has no word for."""
    types = [word for word in schema["type"] if word != "null"]
    if "enum" in schema:
        return "options"
    if schema.get("format") == "date-time":
        return "date_iso8601"
    return types[0] if len(types) == 1 else "string"


def test_meltano_knows_the_type_of_every_setting() -> None:
    known = meltano_settings()
    kinds = {name: kind_for_meltano(schema) for name, schema in SCHEMA.items()}
    assert {name: setting["kind"] for name, setting in known.items()} == kinds
    options = {
        name: [option["value"] for option in setting["options"]]
        for name, setting in known.items()
        if "options" in setting
    }
    assert options == {n: s["enum"] for n, s in SCHEMA.items() if "enum" in s}


def test_secrets_example_names_every_required_setting() -> None:
    lines = (ROOT / ".secrets.example").read_text().splitlines()
    named = {line.split("=")[0] for line in lines if line and not line.startswith("#")}
    required = SETTINGS.to_dict()["required"]
    of_tap = {name for name in named if name.startswith("TAP_")}
    assert of_tap == {f"TAP_SAGE_INTACCT_{name.upper()}" for name in required}


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("filter", "filters"),
        ("include_delete", "include_deletes"),
        ("balance_book", "balance_books"),
        ("Include-Deletes", "include_deletes"),
        ("start_data", "start_date"),
    ],
)
def test_misspelt_setting_is_refused_with_the_right_name(name: str, right: str) -> None:
    words = rf"There is no setting '{name}': did you mean {right}"
    with pytest.raises(InvalidSettings, match=words):
        Settings.from_config({**CREDENTIALS, name: True})
    variables = {f"TAP_SAGE_INTACCT_{name.upper()}": "x"}
    with pytest.raises(InvalidSettings, match=f"did you mean {right}"):
        from_environment(SCHEMA, variables)


@pytest.mark.parametrize(
    "name",
    [
        *("stream_maps", "stream_map_config", "flattening_enabled", "faker_config"),
        *("batch_config", "load_method", "validate_records", "add_record_metadata"),
        *("process_activate_version_messages", "dbt_project", "host", "_select"),
    ],
)
def test_settings_of_others_are_passed_over(name: str) -> None:
    Settings.from_config({**CREDENTIALS, name: {}})
    assert from_environment(SCHEMA, {f"TAP_SAGE_INTACCT_{name.upper()}": ""}) == {}


def test_variables_of_meltano_are_none_of_settings() -> None:
    """It hands over extras, and the members of settings that are objects."""
    variables = {
        "TAP_SAGE_INTACCT__SELECT": "[]",
        "TAP_SAGE_INTACCT_FILTERS_BILLS": "RECORDNO > 1",
        "TAP_SAGE_INTACCT_LOGLEVEL": "DEBUG",
    }
    assert from_environment(SCHEMA, variables) == {}


def test_list_of_patterns_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The SDK would read it as `false`."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(f"TAP_SAGE_INTACCT_{name.upper()}", value)
    monkeypatch.setenv("TAP_SAGE_INTACCT_INCLUDE_SENSITIVE", '["employees.SSN"]')
    tap = TapSageIntacct(parse_env_config=True, catalog=NOTHING)
    assert tap.settings.sensitive.included == ("employees.SSN",)


@pytest.mark.parametrize("name", ["page_size", "filters", "custom_reports", "api_url"])
def test_empty_variable_counts_as_not_set(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"TAP_SAGE_INTACCT_{name.upper()}", "")
    tap = TapSageIntacct(config=CREDENTIALS, parse_env_config=True, catalog=NOTHING)
    assert tap.settings.page_size == 2000


@pytest.mark.parametrize("text", ["ACCRUAL,CASH", '["ACCRUAL", "CASH"]'])
def test_list_of_texts_may_stand_between_commas(text: str) -> None:
    found = from_environment(SCHEMA, {"TAP_SAGE_INTACCT_BALANCE_BOOKS": text})
    assert found == {"balance_books": ["ACCRUAL", "CASH"]}


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("E100,E200", ("E100", "E200")),
        ("E100", ("E100",)),
        ('["E100", "E200"]', ("E100", "E200")),
        ("all", ("all",)),
    ],
)
def test_entities_of_the_environment(text: str, entities: tuple[str, ...]) -> None:
    found = from_environment(SCHEMA, {"TAP_SAGE_INTACCT_ENTITIES": text})
    assert Settings.from_config({**CREDENTIALS, **found}).entities == entities


@pytest.mark.parametrize(
    ("text", "periods"),
    [
        ("June 2025,July 2025", ("June 2025", "July 2025")),
        ("June 2025", ("June 2025",)),
        ('{"from": "2025-06", "type": "month"}', None),
    ],
)
def test_periods_of_the_environment(text: str, periods: tuple[str, ...] | None) -> None:
    found = from_environment(SCHEMA, {"TAP_SAGE_INTACCT_BALANCE_PERIODS": text})
    read = Settings.from_config({**CREDENTIALS, **found}).balances.periods
    assert isinstance(read, PeriodRange) if periods is None else read == periods


def test_report_argument_of_the_environment_may_be_a_decimal() -> None:
    text = '[{"name": "Costs", "arguments": {"LIMIT": 12.50}}]'
    found = from_environment(SCHEMA, {"TAP_SAGE_INTACCT_CUSTOM_REPORTS": text})
    (report,) = Settings.from_config({**CREDENTIALS, **found}).custom_reports
    assert report.arguments == {"LIMIT": "12.50"}


def test_numbers_of_the_environment_keep_their_digits() -> None:
    text = '{"bills": [{"field": "TOTALDUE", "value": 12345678901234567.89}]}'
    found = from_environment(SCHEMA, {"TAP_SAGE_INTACCT_FILTERS": text})
    assert found["filters"]["bills"][0]["value"] == Decimal("12345678901234567.89")


def test_unknown_settings_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    config = {**CREDENTIALS, "dbt_project": "x", "stream_maps": {}}
    TapSageIntacct(config=config, catalog=NOTHING)
    told = [r.getMessage() for r in caplog.records if "no such settings" in r.message]
    assert told == ["The tap has no such settings, and ignores them: dbt_project."]


@pytest.mark.parametrize("given", ["true", "YES", True, "on"])
def test_flag_of_sensitive_fields_may_be_text(given: object) -> None:
    settings = Settings.from_config({**CREDENTIALS, "include_sensitive": given})
    assert settings.sensitive.included is True
