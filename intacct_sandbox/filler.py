"""Plausible values for fields that nothing in the books decides.

What lives here: pools of names and texts, and a value by datatype and label. What it
must not know: which object or row it fills. The idea: a few dozen filler rows per
object, made once and taken in turn, cost nothing even for a million lines.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal

from faker import Faker

from intacct_sandbox.definitions import FieldDefinition, ObjectDefinition
from intacct_sandbox.store import Stored, Value, to_stored

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
_LONG_DECIMAL = Decimal("9007199254740993.01")


class Filler:
    """Fills rows, the same ones for the same seed."""

    def __init__(self, seed: int, now: datetime) -> None:
        """Prepare the pools."""
        self._random = random.Random(seed)
        self._now = now
        fake = Faker(["en_US", "de_DE", "ja_JP"])
        fake.seed_instance(seed)
        self.companies = [fake.company() for _ in range(150)] + list(_ODD_TEXTS)
        self.people = [fake.name() for _ in range(100)]
        self._cities = [fake.city() for _ in range(50)]
        self._streets = [fake.street_address() for _ in range(50)]
        self._sentences = [fake.sentence(6) for _ in range(60)] + list(_ODD_TEXTS)

    def rows(self, definition: ObjectDefinition) -> list[list[Stored]]:
        """`VARIANTS` rows, a value per field, some of them null.

        Every field has a value in the first row and none in the last.
        """
        return [
            [self._cell(field, variant) for field in definition.fields]
            for variant in range(VARIANTS)
        ]

    def _cell(self, field: FieldDefinition, variant: int) -> Stored:
        is_null = self._random.random() < 0.3
        if variant == VARIANTS - 1 or (is_null and variant > 0):
            return None
        return to_stored(self._value(field, variant))

    def _value(self, field: FieldDefinition, variant: int) -> Value:
        datatype = field.datatype
        if datatype == "BOOLEAN":
            return self._random.random() < 0.5
        if field.valid_values:
            return self._random.choice([v for v in field.valid_values if v] or ["x"])
        if datatype == "INTEGER":
            return self._random.randrange(1, 5000)
        if datatype == "PERCENT":
            return Decimal(self._random.randrange(0, 10000)) / 100
        if datatype in {"DECIMAL", "CURRENCY"}:
            if variant == 0:
                return _LONG_DECIMAL
            return Decimal(self._random.randrange(-9_999_999, 99_999_999)) / 100
        if datatype == "DATE":
            return (self._now - timedelta(days=self._random.randrange(1, 1500))).date()
        if datatype == "TIMESTAMP":
            return self._now - timedelta(seconds=self._random.randrange(90_000, 60_000_000))
        return self._text(field)

    def _text(self, field: FieldDefinition) -> str:
        name = field.id.rpartition(".")[2]
        if "EMAIL" in name:
            return f"user{self._random.randrange(1000)}@example.com"
        if name.endswith("CITY"):
            return self._random.choice(self._cities)
        if name.startswith("ADDRESS"):
            return self._random.choice(self._streets)
        if "PHONE" in name or "FAX" in name:
            return f"+1 555 01{self._random.randrange(100):02}"
        if name.endswith("NAME"):
            return self._random.choice(self.people + self.companies)
        if name.endswith(("KEY", "ID", "NO", "CODE", "NUMBER")):
            return f"{name[:3]}-{self._random.randrange(10_000):04}"
        return self._random.choice(self._sentences)
