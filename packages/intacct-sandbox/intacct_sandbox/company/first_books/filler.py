"""Plausible values for fields that nothing in the books decides.

A few dozen filler rows per object, made once and taken in turn, cost nothing even for a
million lines.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property

from intacct_sandbox.company.definitions import FieldDefinition, ObjectDefinition
from intacct_sandbox.company.store import Stored, Value, to_stored

VARIANTS = 97
"""Filler rows per object; a prime, so that they fall out of step with all else."""

# What XML, JSON, CSV and SQL must carry unharmed.
_ODD_TEXTS = (
    "Müller & Söhne <GmbH>",
    'O\'Brien "Quoted" Ltd',
    "株式会社サンプル",
    "Zoë 🚀 Ventures",
    "first line\nsecond line",
    "back\\slash; semi, comma\ttab",
    "Print#~#E-Mail",
    "100 % ]]> &amp; more",
)
_SHARE_OF_NULLS = 0.3
_LONG_DECIMAL = Decimal("9007199254740993.01")


class Filler:
    """Fills rows, the same ones for the same seed."""

    def __init__(self, seed: int, now: datetime) -> None:
        """Prepare the pools."""
        self._random = random.Random(seed)
        self._now = now
        # Slow to import, and only a new company needs it.
        from faker import Faker  # noqa: PLC0415

        fake = Faker(["en_US", "de_DE", "ja_JP"])
        fake.seed_instance(seed)
        self.companies = [fake.company() for _ in range(150)] + list(_ODD_TEXTS)
        self.people = [fake.name() for _ in range(100)]
        self._cities = [fake.city() for _ in range(50)]
        self._streets = [fake.street_address() for _ in range(50)]
        self._sentences = [fake.sentence(6) for _ in range(60)] + list(_ODD_TEXTS)

    def row(self, definition: ObjectDefinition, variant: int) -> list[Stored]:
        """The next of `VARIANTS` rows, counted from 0: a value per field, or null.

        Every field has a value in the first row and none in the last.
        """
        return [self._cell(field, variant) for field in definition.fields]

    def _cell(self, field: FieldDefinition, variant: int) -> Stored:
        is_null = self._random.random() < _SHARE_OF_NULLS
        if variant == VARIANTS - 1 or (is_null and variant > 0):
            return None
        return to_stored(self._value(field, variant))

    def _value(self, field: FieldDefinition, variant: int) -> Value:
        if field.valid_values and field.datatype != "BOOLEAN":
            return self._random.choice([value for value in field.valid_values if value])
        if variant == 0 and field.datatype in {"DECIMAL", "CURRENCY"}:
            return _LONG_DECIMAL
        make = self._by_datatype.get(field.datatype)
        return make() if make else self._text(field.id.rpartition(".")[2])

    @cached_property
    def _by_datatype(self) -> Mapping[str, Callable[[], Value]]:
        number = self._random.randrange
        return {
            "BOOLEAN": lambda: number(2) == 1,
            "INTEGER": lambda: number(1, 5000),
            "PERCENT": lambda: Decimal(number(10_000)) / 100,
            "DECIMAL": lambda: Decimal(number(-9_999_999, 99_999_999)) / 100,
            "CURRENCY": lambda: Decimal(number(-9_999_999, 99_999_999)) / 100,
            "DATE": self._day,
            "TIMESTAMP": lambda: (
                self._now - timedelta(seconds=number(90_000, 60_000_000))
            ),
        }

    def _day(self) -> date:
        return (self._now - timedelta(days=self._random.randrange(1, 1500))).date()

    def _text(self, name: str) -> str:
        number = self._random.randrange(10_000)
        for pattern, texts in self._by_name:
            if pattern.search(name):
                return self._random.choice(texts)
        if name.endswith(("KEY", "ID", "NO", "CODE", "NUMBER")):
            return f"{name[:3]}-{number:04}"
        return self._random.choice(self._sentences)

    @cached_property
    def _by_name(self) -> Sequence[tuple[re.Pattern[str], Sequence[str]]]:
        return (
            (re.compile("EMAIL"), [f"user{n}@example.com" for n in range(100)]),
            (re.compile("CITY$"), self._cities),
            (re.compile("^ADDRESS"), self._streets),
            (re.compile("PHONE|FAX"), [f"+1 555 01{n:02}" for n in range(100)]),
            (re.compile("NAME$"), self.people + self.companies),
        )
