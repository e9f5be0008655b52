from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from target_pigment.errors import InvalidSettings
from target_pigment.secret import Secret
from target_pigment.settings.checks import read_settings
from target_pigment.settings.settings import settings_schema
from target_pigment.singer.target import TargetPigment
from tests.conftest import CONFIGURATION, KEY, config, stream

README = Path(__file__).parents[2] / "README.md"
README_TEXT = README.read_text(encoding="utf-8")


def problems(**more: Any) -> tuple[str, ...]:
    with pytest.raises(InvalidSettings) as caught:
        read_settings(config(**more))
    return caught.value.problems


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"api_key": None}, "api_key"),
        ({"api_key": "two words"}, "api_key holds a blank"),
        ({"metadata_api_key": "k\u2019y"}, "metadata_api_key holds a blank"),
        ({"application_id": "Finance"}, "application_id must be a UUID"),
        ({"base_url": "http://pigment.app"}, "https"),
        ({"base_url": "https://pigment.app/api"}, "no path"),
        ({"base_url": "https://a:b@pigment.app"}, "password"),
        ({"csv": {"timezone": "Mars/Base"}}, "csv.timezone"),
        ({"csv": {"bom": True, "encoding": "iso-8859-1"}}, "csv.bom"),
        ({"streams": {}}, "streams is empty"),
        ({"streams": {"s": stream(configuration_id="cfg_1")}}, "must be a UUID"),
        ({"streams": {"s": stream(load_mode=None)}}, "load_mode is missing"),
        ({"streams": {"s": stream(columns=[])}}, "columns is missing"),
        ({"streams": {"s": stream(columns=["a", "a"])}}, "'a' twice"),
        ({"streams": {"s": stream(null_values={"z": ""})}}, "null_values"),
        ({"deleted_records": "include"}, "_sdc_deleted_at"),
        ({"streams": {"s": stream(deleted_records="include")}}, "_sdc_deleted_at"),
        (
            {"streams": {"a": stream(load_mode="replace"), "b": stream()}},
            "several streams",
        ),
    ],
)
def test_faults_are_named(more: dict[str, Any], word: str) -> None:
    assert any(word in problem for problem in problems(**more))


def test_only_streams_that_include_deletions_need_their_time() -> None:
    streams = {
        "a": stream(deleted_records="drop"),
        "b": stream(columns=["id", "_sdc_deleted_at"]),
        "c": stream(),
    }
    found = problems(streams=streams, deleted_records="include")
    assert len(found) == 1
    assert found[0].startswith("streams.c.")


def test_all_faults_are_told_at_once() -> None:
    found = problems(api_key="", base_url="ftp://x", csv={"timezone": "x"})
    assert len(found) == 3


def test_an_exact_name_goes_before_a_glob() -> None:
    settings = read_settings(
        config(streams={"s*": stream(order=1), "sales": stream(order=2)})
    )
    found = settings.for_stream("sales"), settings.for_stream("stock")
    assert [f and f.order for f in found] == [2, 1]
    assert settings.for_stream("x") is None


def test_samples_need_neither_key_nor_configuration(tmp_path: Path) -> None:
    settings = read_settings({"write_samples_to": str(tmp_path), "streams": {"*": {}}})
    assert not settings.pushes


def test_the_key_does_not_show() -> None:
    settings = read_settings(config())
    assert KEY not in repr(settings)
    assert settings.api_key == Secret(KEY)
    assert CONFIGURATION in repr(settings)


def test_a_key_of_the_wrong_type_is_not_quoted() -> None:
    with pytest.raises(Exception, match="not valid") as caught:
        TargetPigment(config=config(api_key=[KEY]))
    assert KEY not in str(getattr(caught.value, "errors", ""))


def test_the_readme_lists_no_setting_that_there_is_not() -> None:
    table = README_TEXT.split("## Settings")[1].split("\n\n")[2]
    rows = [line.split("`")[1] for line in table.splitlines()[2:]]
    assert rows == list(settings_schema()["properties"])


@pytest.mark.parametrize("group", ["csv", "poll", "retry"])
def test_the_readme_names_what_a_group_holds(group: str) -> None:
    entries = settings_schema()["properties"][group]["properties"]
    missing = [name for name in entries if not re.search(rf"\b{name}\b", README_TEXT)]
    assert not missing


def test_the_readme_names_what_a_stream_holds() -> None:
    streams = settings_schema()["properties"]["streams"]
    names = streams["additionalProperties"]["properties"]
    text = README_TEXT.split("Of a stream:")[1].split("Of `csv`:")[0]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_the_readme_lists_every_setting_and_its_default() -> None:
    for name, entry in settings_schema()["properties"].items():
        default = entry.get("default")
        word = str(default).lower() if isinstance(default, bool) else default
        is_shown = default is not None
        shown = f"`{word}`" if is_shown else ""
        assert f"| `{name}` | {shown} | {entry['description']} |" in README_TEXT


def test_a_fraction_from_the_environment_is_a_number_of_seconds() -> None:
    chosen = read_settings(config(poll={"interval": Decimal("0.05")}))
    assert isinstance(chosen.poll.interval, float)
