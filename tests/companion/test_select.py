"""select: what it writes into a meltano.yml, and what it leaves as it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

from tap_sage_intacct.companion.invocation import Surroundings
from tests.companion.conftest import Command

PROJECT = Path(__file__).parents[2] / "meltano.yml"

SMALL = """\
# Ours.
plugins:
  extractors:
  - name: tap-sage-intacct   # the tap
    select:
    - bills.RECORDNO   # the key
    - "gl_accounts.*"
    - bills.TOTALDUE
    config:
      filters:
        # only what is due
        bills: TOTALDUE > 0
        vendors: STATUS = 'active'
"""


@pytest.fixture
def small(folder: Path) -> Path:
    path = folder / "meltano.yml"
    path.write_text(SMALL)
    return path


def entry_of(path: Path) -> dict[str, Any]:
    plugins = yaml.safe_load(path.read_text())["plugins"]
    found: dict[str, Any] = plugins["extractors"][0]
    return found


def test_choice_is_written_and_everything_else_stays(
    command: Command, folder: Path
) -> None:
    path = folder / "meltano.yml"
    shutil.copy(PROJECT, path)
    result = command(
        "select",
        "gl_accounts",
        "--field",
        "accountno",
        "--field",
        "TITLE",
        "--filter",
        "STATUS = 'active'",
    )
    assert result.exit_code == 0, result.output
    before, after = PROJECT.read_text().splitlines(), path.read_text().splitlines()
    removed = [line for line in before if line not in after]
    added = [line for line in after if line not in before]
    assert [line.strip() for line in removed] == [
        f"- gl_accounts.{name}"
        for name in ("ACCOUNTTYPE", "NORMALBALANCE", "CATEGORY", "STATUS")
    ]
    assert [line.strip() for line in added] == [
        "filters:",
        "gl_accounts: STATUS = 'active'",
    ]
    for line in (*removed, *added):
        assert line in result.stdout
    was, now = (yaml.safe_load(file.read_text()) for file in (PROJECT, path))
    assert now["plugins"]["loaders"] == was["plugins"]["loaders"]
    assert path.stat().st_mode == PROJECT.stat().st_mode
    assert [file.name for file in folder.iterdir()] == [
        "meltano.yml",
        "config.json",
    ] or ({file.name for file in folder.iterdir()} == {"meltano.yml", "config.json"})


def test_comments_order_and_quotes_are_kept(command: Command, small: Path) -> None:
    arguments = ("select", "APBILL", "--field", "RECORDNO", "--field", "WHENDUE")
    assert command(*arguments).exit_code == 0
    assert small.read_text() == SMALL.replace(
        "    - bills.RECORDNO   # the key\n",
        "    - bills.RECORDNO   # the key\n    - bills.WHENDUE\n",
    ).replace("    - bills.TOTALDUE\n", "")


def test_the_same_choice_changes_nothing(command: Command, small: Path) -> None:
    arguments = ("select", "bills", "--field", "RECORDNO", "--field", "TOTALDUE")
    result = command(*arguments, "--filter", "TOTALDUE > 0")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "says so already" in result.stderr
    assert small.read_text() == SMALL


def test_related_fields_are_selected_too(command: Command, small: Path) -> None:
    assert command("select", "bills", "--related", "vendor.CREDITLIMIT").exit_code == 0
    entry = entry_of(small)
    assert entry["config"]["related_fields"] == {"bills": ["VENDOR.CREDITLIMIT"]}
    assert entry["select"] == [
        "bills.RECORDNO",
        "gl_accounts.*",
        "bills.TOTALDUE",
        "bills.VENDOR?CREDITLIMIT",
    ]
    assert command("select", "bills", "--related", "VENDOR.NAME").exit_code == 0
    entry = entry_of(small)
    assert entry["config"]["related_fields"] == {"bills": ["VENDOR.NAME"]}
    assert "bills.VENDOR?CREDITLIMIT" not in entry["select"]
    assert "bills.VENDOR?NAME" in entry["select"]


def test_patterns_that_meltano_does_not_understand_are_put_right(
    command: Command, folder: Path
) -> None:
    """As the previous version wrote them."""
    path = folder / "meltano.yml"
    path.write_text(
        "plugins:\n  extractors:\n    - name: tap-sage-intacct\n      select:\n"
        "        - vendors.NAME\n        - vendors.DISPLAYCONTACT.EMAIL1\n"
        "        - '!vendors.DISPLAYCONTACT.PHONE1'\n"
    )
    assert command("select", "vendors", "--filter", "RECORDNO > 1").exit_code == 0
    assert entry_of(path)["select"] == [
        "vendors.NAME",
        "vendors.DISPLAYCONTACT?EMAIL1",
        "!vendors.DISPLAYCONTACT?PHONE1",
    ]


def test_filter_can_be_taken_away(command: Command, small: Path) -> None:
    assert command("select", "bills", "--filter", "").exit_code == 0
    entry = entry_of(small)
    assert entry["config"]["filters"] == {"vendors": "STATUS = 'active'"}
    assert entry["select"] == ["bills.RECORDNO", "gl_accounts.*", "bills.TOTALDUE"]


def test_stream_that_was_not_selected_is_selected_whole(
    command: Command, small: Path
) -> None:
    assert command("select", "vendors", "--filter", "ONHOLD = true").exit_code == 0
    assert "vendors.*" in entry_of(small)["select"]
    assert command("select", "bills", "--all-fields").exit_code == 0
    assert entry_of(small)["select"] == ["bills.*", "gl_accounts.*", "vendors.*"]


def test_entry_without_anything_gets_what_it_needs(
    command: Command, folder: Path
) -> None:
    path = folder / "meltano.yml"
    path.write_text("plugins:\n  extractors:\n    - name: tap-sage-intacct\n")
    arguments = ("select", "bills", "--field", "RECORDNO", "--filter", "RECORDNO > 1")
    assert command(*arguments).exit_code == 0
    assert entry_of(path) == {
        "name": "tap-sage-intacct",
        "select": ["bills.RECORDNO"],
        "config": {"filters": {"bills": "RECORDNO > 1"}},
    }


def test_dry_run_shows_the_change_and_writes_nothing(
    command: Command, small: Path
) -> None:
    found = command.json("select", "bills", "--field", "WHENDUE", "--dry-run")
    assert found["stream"] == "bills"
    assert found["rules"] == ["bills.WHENDUE"]
    assert "+    - bills.WHENDUE\n" in found["diff"]
    assert small.read_text() == SMALL


def test_rule_that_selects_everything_is_told(command: Command, folder: Path) -> None:
    path = folder / "meltano.yml"
    path.write_text(
        'plugins:\n  extractors:\n    - name: tap-sage-intacct\n      select: ["*.*"]\n'
    )
    result = command("select", "bills", "--field", "WHENDUE")
    assert result.exit_code == 0
    assert "Another rule of select chooses bills whole" in result.stderr


@pytest.mark.usefixtures("small")
def test_sensitive_fields_that_a_pattern_covers_are_told(command: Command) -> None:
    result = command("select", "vendors", "--all-fields")
    assert result.exit_code == 0
    assert "does not offer these sensitive fields" in result.stderr
    assert " TAXID, " in result.stderr
    result = command("select", "vendors", "--all-fields", include_sensitive=True)
    assert "This selects bank, tax, pay or personal fields too" in result.stderr


def test_sensitive_field_that_is_named_is_allowed(
    command: Command, small: Path
) -> None:
    command("select", "vendors", "--field", "TAXID", "--field", "NAME")
    assert "vendors.TAXID" in entry_of(small)["select"]
    assert entry_of(small)["config"]["include_sensitive"] == ["vendors.TAXID"]
    result = command("select", "bills", "--related", "VENDOR.TAXID")
    assert result.exit_code == 0
    assert entry_of(small)["config"]["include_sensitive"] == [
        "vendors.TAXID",
        "bills.VENDOR.TAXID",
    ]


def test_another_file_is_changed_where_it_is_named(
    command: Command, small: Path
) -> None:
    other = small.with_name("other.yml")
    small.rename(other)
    arguments = ("select", "bills", "--all-fields", "--file", "other.yml")
    assert command(*arguments).exit_code == 0
    assert "bills.*" in entry_of(other)["select"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("bils", "--all-fields"), "There is no source 'bils': did you mean bills"),
        (("bills", "--field", "VENDRID"), "did you mean VENDORID"),
        (("bills", "--filter", "VENDRID = 'V1'"), "did you mean VENDORID"),
        (("bills", "--related", "VENDR.NAME"), "did you mean VENDOR"),
        (("bills",), "--field, --all-fields, --filter or --related"),
        (("--all-fields",), "Name the SOURCE"),
        (("bills", "--all-fields", "--file", "no.yml"), "no.yml cannot be read"),
    ],
)
def test_wrong_choice_is_one_line_and_writes_nothing(
    command: Command, small: Path, arguments: tuple[str, ...], words: str
) -> None:
    assert words in command.error("select", *arguments)
    assert small.read_text() == SMALL


def test_setting_that_stands_as_text_is_not_overwritten(
    command: Command, folder: Path
) -> None:
    (folder / "meltano.yml").write_text(
        "plugins:\n  extractors:\n    - name: tap-sage-intacct\n"
        "      config: {filters: '{}'}\n"
    )
    line = command.error("select", "bills", "--filter", "RECORDNO > 1")
    assert "config.filters stands in meltano.yml as text" in line


def test_file_without_the_tap_is_refused(command: Command, folder: Path) -> None:
    (folder / "meltano.yml").write_text("plugins: {}\n")
    assert "has no extractor tap-sage-intacct" in command.error(
        "select", "bills", "--all-fields"
    )


def test_without_credentials_the_shipped_fields_are_checked(
    offline: Callable[..., Result], small: Path
) -> None:
    assert offline("select", "bills", "--field", "WHENDUE").exit_code == 0
    assert "bills.WHENDUE" in entry_of(small)["select"]
    refused = offline("select", "bills", "--related", "VENDOR.NAME")
    assert refused.exit_code == 1
    assert "set the credentials" in refused.stderr


AT_A_TERMINAL = Surroundings(can_ask=lambda: True)


def test_questions_are_asked_again_until_the_answer_is_right(
    command: Command, small: Path
) -> None:
    answers = [
        "bils",
        "bills",
        "RECORDNO, WHENDU",
        "recordno, WHENDUE",
        "WHENDUE > 'soon'",
        "WHENDUE > '2026-01-31'",
        "VENDOR.NAM",
        "VENDOR.NAME",
        "y",
    ]
    result = command(
        "select", given="\n".join([*answers, ""]), surroundings=AT_A_TERMINAL
    )
    assert result.exit_code == 0, result.output
    for words in ("did you mean bills", "did you mean WHENDUE", "did you mean NAME"):
        assert words in result.stderr
    entry = entry_of(small)
    assert entry["select"] == [
        "bills.RECORDNO",
        "bills.WHENDUE",
        "bills.VENDOR?NAME",
        "gl_accounts.*",
    ]
    assert entry["config"]["filters"]["bills"] == "WHENDUE > '2026-01-31'"


def test_empty_answers_keep_what_the_file_says(command: Command, small: Path) -> None:
    result = command("select", "bills", given="\n\n\n", surroundings=AT_A_TERMINAL)
    assert result.exit_code == 0, result.output
    assert "Selected now: bills.RECORDNO, bills.TOTALDUE" in result.stderr
    assert "Filter now: TOTALDUE > 0" in result.stderr
    assert "says so already" in result.stderr
    assert small.read_text() == SMALL


def test_filter_is_taken_away_by_an_answer(command: Command, small: Path) -> None:
    answers = "\n-\nVENDOR.NAME\ny\n"
    command("select", "bills", given=answers, surroundings=AT_A_TERMINAL)
    assert entry_of(small)["config"] == {
        "filters": {"vendors": "STATUS = 'active'"},
        "related_fields": {"bills": ["VENDOR.NAME"]},
    }


def test_no_writes_nothing(command: Command, small: Path) -> None:
    result = command(
        "select", "vendors", given="*\n\n\nn\n", surroundings=AT_A_TERMINAL
    )
    assert result.exit_code == 1
    assert (
        result.stderr.splitlines()[-1] == "sage-intacct: Stopped; nothing was changed."
    )
    assert small.read_text() == SMALL
