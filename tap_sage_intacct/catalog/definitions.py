"""The company's definitions of its objects: one `lookup` for each object.

Asks the gateway, many objects in one request. Does not use Singer.
"""

from __future__ import annotations

from collections.abc import Iterable

from tap_sage_intacct.intacct.errors import IntacctError
from tap_sage_intacct.intacct.gateway import Gateway, Subject
from tap_sage_intacct.intacct.objects import ObjectDefinition


class Definitions:
    """Definitions of objects, as one company has them."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._found: dict[Subject, ObjectDefinition | IntacctError] = {}

    def load(self, subjects: Iterable[Subject]) -> None:
        """Look up those that are not known yet, in as few requests as possible."""
        missing = [s for s in dict.fromkeys(subjects) if s not in self._found]
        answers = self._gateway.describe(missing)
        self._found.update(zip(missing, answers, strict=True))

    def of(
        self, object_name: str, document_type: str | None = None
    ) -> ObjectDefinition | IntacctError:
        """A definition, or the error that its `lookup` gave."""
        subject = (object_name, document_type)
        self.load([subject])
        return self._found[subject]
