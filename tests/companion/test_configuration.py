"""Where settings come from, which of them wins, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tap_sage_intacct.companion.configuration import load_configuration
from tap_sage_intacct.errors import InvalidSettings

PROJECT = """\
default_environment: dev
environments:
  - name: dev
    config:
      plugins:
        extractors:
          - name: tap-sage-intacct
            config:
              lookback_minutes: 30
  - name: prod
    config:
      plugins:
        extractors:
          - name: tap-sage-intacct
            config:
              lookback_minutes: 60
plugins:
  extractors:
    - name: tap-other
      config: {company_id: other}
    - name: tap-sage-intacct
      config:
        company_id: $COMPANY
        user_id: from_${PLACE}
        sender_id: $NOWHERE
        page_size: $PAGE
        include_deletes: ${DELETES}
        key_store: $MELTANO_PROJECT_ROOT/keys.sqlite
        balance_periods: '{"from": "2026-01", "type": "month"}'
        filters: {bills: "VENDORID = '$VENDOR'"}
"""


def load(
    folder: Path, *files: str, environment: dict[str, str] | None = None
) -> dict[str, Any]:
    return dict(load_configuration(files, folder, environment or {}).values)


def test_variables_of_meltano_yml_are_expanded(folder: Path) -> None:
    (folder / "meltano.yml").write_text(PROJECT)
    (folder / ".env").write_text("COMPANY=acme\nPAGE=500\nEMPTY=\nVENDOR=V1\n")
    found = load(folder, environment={"PLACE": "here", "VENDOR": "V2", "DELETES": "1"})
    assert found == {
        "company_id": "acme",
        "user_id": "from_here",
        "page_size": 500,
        "include_deletes": True,
        "key_store": f"{folder}/keys.sqlite",
        "balance_periods": {"from": "2026-01", "type": "month"},
        "filters": {"bills": "VENDORID = 'V2'"},
        "lookback_minutes": 30,
    }


def test_dots_lead_below_a_setting(folder: Path) -> None:
    (folder / "meltano.yml").write_text(
        "plugins:\n  extractors:\n    - name: tap-sage-intacct\n      config:\n"
        "        filters.bills: TOTALDUE > $LEAST\n"
        "        filters: {vendors: \"STATUS = 'active'\"}\n"
    )
    assert load(folder, environment={"LEAST": "5"}) == {
        "filters": {"vendors": "STATUS = 'active'", "bills": "TOTALDUE > 5"}
    }


def test_environment_of_meltano_can_be_named(folder: Path) -> None:
    (folder / "meltano.yml").write_text(PROJECT)
    found = load(folder, environment={"MELTANO_ENVIRONMENT": "prod"})
    assert found["lookback_minutes"] == 60


def test_later_sources_win(folder: Path) -> None:
    (folder / "meltano.yml").write_text(PROJECT)
    (folder / ".env").write_text("TAP_SAGE_INTACCT_USER_ID=dotenv\nCOMPANY=meltano\n")
    (folder / "one.json").write_text(json.dumps({"page_size": 1, "max_retries": 1}))
    (folder / "two.json").write_text(json.dumps({"page_size": 2}))
    environment = {
        "TAP_SAGE_INTACCT_PAGE_SIZE": "3",
        "TAP_SAGE_INTACCT_LOOKBACK_MINUTES": "3",
    }
    files = [str(folder / name) for name in ("one.json", "two.json")]
    found = load(folder, "ENV", *files, environment=environment)
    assert found["company_id"] == "meltano"
    assert found["user_id"] == "dotenv"
    assert found["lookback_minutes"] == 3
    assert (found["page_size"], found["max_retries"]) == (2, 1)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("balance_periods", '["Month Ended June 2026"]', ["Month Ended June 2026"]),
        ("balance_periods", "Month Ended June 2026", ["Month Ended June 2026"]),
        ("entities", "all", ["all"]),
        ("entities", '["E1"]', ["E1"]),
        ("include_deletes", "yes", True),
        ("include_deletes", "false", False),
        ("include_sensitive", "true", True),
        ("include_sensitive", '["vendors.TAXID"]', ["vendors.TAXID"]),
        ("max_retries", "4", 4),
        ("user_password", "007", "007"),
    ],
)
def test_texts_of_the_environment_are_read_by_the_type_of_their_setting(
    folder: Path, name: str, text: str, value: object
) -> None:
    found = load(folder, environment={f"TAP_SAGE_INTACCT_{name.upper()}": text})
    assert found == {name: value}


@pytest.mark.parametrize("place", ["environment", ".env"])
def test_variable_that_is_nearly_a_setting_is_refused(folder: Path, place: str) -> None:
    """As the tap refuses it: it would do nothing in silence."""
    environment = {"TAP_SAGE_INTACCT_FILTER": "{}"}
    if place == ".env":
        (folder / ".env").write_text("TAP_SAGE_INTACCT_FILTER={}\n")
        environment = {}
    with pytest.raises(InvalidSettings, match="'filter': did you mean filters"):
        load(folder, environment=environment)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "MAX_RETRIES",
            "many",
            "max_retries .TAP_SAGE_INTACCT_MAX_RETRIES. must be a whole number",
        ),
        ("FILTERS", "bills", "filters .TAP_SAGE_INTACCT_FILTERS. must be JSON"),
    ],
)
def test_text_of_another_type_is_refused(
    folder: Path, name: str, text: str, words: str
) -> None:
    with pytest.raises(InvalidSettings, match=words):
        load(folder, environment={f"TAP_SAGE_INTACCT_{name}": text})


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "cannot be read"), ("{", "is not JSON"), ("[]", "must hold a JSON object")],
)
def test_file_that_holds_no_settings_is_refused(
    folder: Path, text: str | None, words: str
) -> None:
    if text is not None:
        (folder / "config.json").write_text(text)
    with pytest.raises(InvalidSettings, match=words):
        load(folder, str(folder / "config.json"))


def test_meltano_yml_of_another_tap_is_left_alone(folder: Path) -> None:
    (folder / "meltano.yml").write_text("plugins: {extractors: [{name: tap-other}]}\n")
    assert load_configuration((), folder, {}).selection is None


def test_meltano_yml_that_is_no_yaml_is_refused(folder: Path) -> None:
    (folder / "meltano.yml").write_text("plugins: [\n")
    with pytest.raises(InvalidSettings, match=r"meltano\.yml is not YAML"):
        load(folder)


def test_problems_are_told_at_once_and_without_secrets(folder: Path) -> None:
    (folder / "config.json").write_text(
        json.dumps(
            {"user_password": {"x": "s3cret"}, "page_size": 0, "max_retries": -1}
        )
    )
    configuration = load_configuration([str(folder / "config.json")], folder, {})
    with pytest.raises(InvalidSettings) as refusal:
        configuration.settings()
    text = str(refusal.value)
    assert "user_password must be text." in text
    assert "page_size: 0" in text
    assert "max_retries: -1" in text
    assert "s3cret" not in text
