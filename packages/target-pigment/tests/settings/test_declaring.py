from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest

from target_pigment.settings.declaring import read, schema_of


@dataclass(frozen=True)
class Wheel:
    name: str
    spokes: int = 36


@dataclass(frozen=True)
class Frame:
    colour: Literal["red", "blue"] = "red"


@dataclass(frozen=True)
class Bicycle:
    """A field for each way to declare a setting."""

    frame: Frame = field(default_factory=Frame)
    wheels: tuple[Wheel, ...] = ()
    bags: Mapping[str, Wheel] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    weight: Annotated[float, "In kilograms.", {"minimum": 1}] = 12
    owner: Annotated[str | None, str.upper, {"title": "Rider"}, "Who rides."] = None


PROPERTIES = schema_of(Bicycle)["properties"]


def test_a_default_is_declared_and_null_is_taken_for_it() -> None:
    assert PROPERTIES["weight"] == {
        "type": ["number", "null"],
        "title": "Weight",
        "description": "In kilograms.",
        "minimum": 1,
        "default": 12,
    }
    assert read(Bicycle, {"weight": None}) == Bicycle()


def test_a_text_may_become_another_value() -> None:
    owner = {"type": ["string", "null"], "title": "Rider", "description": "Who rides."}
    assert PROPERTIES["owner"] == owner
    assert read(Bicycle, {"owner": "ann"}).owner == "ANN"


def test_a_group_shows_the_defaults_of_its_members() -> None:
    assert PROPERTIES["frame"]["properties"]["colour"] == {
        "type": ["string", "null"],
        "enum": ["red", "blue"],
        "default": "red",
    }
    assert PROPERTIES["frame"]["additionalProperties"] is False


def test_an_entry_of_a_list_may_be_its_first_member_alone() -> None:
    text, full = PROPERTIES["wheels"]["items"]["oneOf"]
    assert text == {"type": "string"}
    assert full["required"] == ["name"]
    assert full["properties"]["name"] == {"type": "string"}
    assert full["properties"]["spokes"] == {"type": ["integer", "null"]}
    found = read(Bicycle, {"wheels": ["front", {"name": "rear", "spokes": 32}]})
    assert found.wheels == (Wheel("front"), Wheel("rear", 32))


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("bags", {"x": {"name": "y"}}, {"x": Wheel("y")}),
        ("notes", {"a": "b"}, {"a": "b"}),
    ],
)
def test_members_may_have_any_name(name: str, given: Any, value: Any) -> None:
    assert getattr(read(Bicycle, {name: given}), name) == value


def test_what_is_no_setting_of_ours_is_passed_over() -> None:
    assert read(Bicycle, {"stream_maps": {}}) == Bicycle()
