"""The company's definitions of its objects: one `lookup` for each object.

Asks the gateway, many objects in one request. Does not use Singer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tap_sage_intacct.intacct.errors import IntacctError
from tap_sage_intacct.intacct.objects import ObjectDefinition
from tap_sage_intacct.intacct.xml import functions
from tap_sage_intacct.intacct.xml.metadata import read_lookup

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.xml.gateway import Gateway

Subject = tuple[str, str | None]
"""An object, and its transaction definition if it has one."""


class Definitions:
    """Definitions of objects, as one company has them."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._found: dict[Subject, ObjectDefinition | IntacctError] = {}

    def load(self, subjects: Iterable[Subject]) -> None:
        """Look up those that are not known yet, in as few requests as possible."""
        missing = [s for s in dict.fromkeys(subjects) if s not in self._found]
        calls = [functions.lookup(*subject) for subject in missing]
        answers = self._gateway.call_each(calls)
        for subject, answer in zip(missing, answers, strict=True):
            self._found[subject] = (
                answer if isinstance(answer, IntacctError) else read_lookup(answer)
            )

    def of(
        self, object_name: str, document_type: str | None = None
    ) -> ObjectDefinition | IntacctError:
        """A definition, or the error that its `lookup` gave."""
        subject = (object_name, document_type)
        self.load([subject])
        return self._found[subject]
