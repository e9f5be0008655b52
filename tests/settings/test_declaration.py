"""A declared setting: its JSON schema and its value are made from one field."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest
from singer_sdk import typing as th

from tap_sage_intacct.intacct.secrets.credentials import Secret
from tap_sage_intacct.settings.declaration import (
    choice,
    group,
    object_of,
    properties_of,
    read_settings,
    secret,
    setting,
)


class Speed(Enum):
    SLOW = "slow"
    FAST = "fast"


@dataclass(frozen=True)
class Engine:
    power: int = setting(
        "In kW.", name="engine_power", read=int, fault="engine_power is '{}'.", unset=0
    )
    key: Secret = secret("Starts the engine.", name="engine_key", required=True)


@dataclass(frozen=True)
class Car:
    user_id: str | None = setting("The driver.")
    engine: Engine = group(Engine)
    speed: Speed = choice(Speed.SLOW, "How it drives.", title="Pace")
    seats: tuple[str, ...] = setting(
        "By name.", th.ArrayType(th.StringType), read=tuple, default=["left"]
    )


def read(given: dict[str, Any]) -> tuple[Car, list[str]]:
    problems: list[str] = []
    return read_settings(Car, given, problems), problems


def test_schema_says_what_the_field_says() -> None:
    schema = th.PropertiesList(*properties_of(Car)).to_dict()
    assert list(schema["properties"]) == [
        *("user_id", "engine_power", "engine_key", "speed", "seats"),
    ]
    assert schema["required"] == ["engine_key"]
    assert schema["properties"]["user_id"] == {
        "type": ["string", "null"],
        "title": "User ID",
        "description": "The driver.",
    }
    assert schema["properties"]["engine_key"]["secret"]
    speed = schema["properties"]["speed"]
    assert (speed["title"], speed["default"], speed["enum"]) == (
        *("Pace", "slow"),
        ["slow", "fast"],
    )


def test_members_of_an_object_need_no_title() -> None:
    @dataclass(frozen=True)
    class Wheel:
        size: str = setting(required=True, unset="")

    assert object_of(Wheel).to_dict() == {
        "type": "object",
        "properties": {"size": {"type": ["string"]}},
        "required": ["size"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize("nothing", [{}, {"user_id": None}, {"user_id": ""}])
def test_default_is_the_value_where_nothing_is_given(nothing: dict[str, Any]) -> None:
    assert read(nothing) == (
        Car(None, Engine(0, Secret("")), Speed.SLOW, ("left",)),
        [],
    )


def test_values_are_read() -> None:
    given = {"engine_power": "70", "engine_key": "k", "speed": "fast", "seats": []}
    assert read(given) == (Car(None, Engine(70, Secret("k")), Speed.FAST, ()), [])


def test_fault_is_told_and_the_rest_is_read() -> None:
    car, problems = read({"engine_power": "x" * 50, "user_id": "me"})
    assert problems == [f"engine_power is '{'x' * 40}...'."]
    assert (car.user_id, car.engine.power) == ("me", 0)


def test_failure_without_a_message_is_a_fault_of_the_tap() -> None:
    with pytest.raises(ValueError, match="Speed"):
        read({"speed": "warp"})
