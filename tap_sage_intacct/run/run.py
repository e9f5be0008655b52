"""What the streams of one run share: gateways, periods, entities, the key store.

Each is opened or asked for when it is first needed, so that discovery without
credentials opens nothing. Does not use Singer.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cached_property

from tap_sage_intacct.catalog.sources import DataSource
from tap_sage_intacct.intacct.errors import ConfigurationError
from tap_sage_intacct.intacct.gateway import Gateway, GatewaySettings
from tap_sage_intacct.intacct.query import Condition
from tap_sage_intacct.intacct.xml.gateway import XmlGateway
from tap_sage_intacct.reading.deletions import (
    AuditTrail,
    Deletions,
    TrailDeletions,
)
from tap_sage_intacct.reading.key_store import KeyStore, SetName
from tap_sage_intacct.reading.state.checkpoint import Origin
from tap_sage_intacct.reading.state.stream_state import KeyOwner
from tap_sage_intacct.reading.stored_deletions import StoredDeletions
from tap_sage_intacct.run.maintenance import MaintenanceWatch
from tap_sage_intacct.run.progress import RunProgress, display_for_people
from tap_sage_intacct.selection.entities import TOP_LEVEL, chosen_entities
from tap_sage_intacct.selection.periods import ReportingPeriod, reporting_periods
from tap_sage_intacct.settings.environment import credentials_problem
from tap_sage_intacct.settings.settings import Settings
from tap_sage_intacct.settings.values import EVERY_ENTITY

logger = logging.getLogger(__name__)


def open_gateway(settings: GatewaySettings) -> Gateway:
    """The company's API; it signs in at its first call."""
    return XmlGateway(settings)


class Run:
    """One run of the tap."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.progress = RunProgress(display_for_people())
        self.maintenance = MaintenanceWatch(settings.maintenance)
        self._entity_gateways: dict[str, Gateway] = {}
        self._audit_trails: dict[Gateway, AuditTrail] = {}
        self._has_warned_of_moves = False

    @property
    def origin(self) -> Origin:
        """The company and entity whose rows are read.

        Raises:
            ConfigurationError: credentials are missing.
        """
        login = self._gateway_settings.login
        return Origin(login.company_id, login.entity_id)

    @cached_property
    def gateway(self) -> Gateway:
        """Signs in at its first call.

        Raises:
            ConfigurationError: credentials are missing.
        """
        return open_gateway(self._gateway_settings)

    def gateway_of(self, entity: str | None) -> Gateway:
        """The gateway signed in to an entity; the run's own for None and the top level."""
        if entity is None or entity == TOP_LEVEL:
            return self.gateway
        if entity not in self._entity_gateways:
            settings = self._gateway_settings
            login = replace(settings.login, entity_id=entity)
            self._entity_gateways[entity] = open_gateway(replace(settings, login=login))
        return self._entity_gateways[entity]

    def calls_for(self, name: str) -> int:
        """Calls counted for a name so far, in all sessions."""
        gateways = (self.gateway, *self._entity_gateways.values())
        return sum(gateway.counts.of(name) for gateway in gateways)

    @cached_property
    def entities(self) -> tuple[str, ...]:
        """The entities to read one by one; empty if all are read at once.

        Raises:
            InvalidSettings: the company has no such entity.
            PermissionDenied: the role may not read entities.
        """
        if not self.settings.entities:
            return ()
        return chosen_entities(self.gateway, self.settings.entities)

    @cached_property
    def periods(self) -> list[ReportingPeriod]:
        """All reporting periods.

        Raises:
            PermissionDenied: the role may not read them.
        """
        return reporting_periods(self.gateway)

    @contextmanager
    def deletions(
        self,
        source: DataSource,
        conditions: Mapping[str | None, Condition | None],
        entity: str | None,
        period: str,
        owner: KeyOwner,
    ) -> Iterator[Deletions]:
        """Finds the deletions of a stream, in one entity or in all.

        Args:
            source: of the stream.
            conditions: which rows are read, by entity.
            entity: the one in hand.
            period: of balances; empty of other records.
            owner: the state that the keys belong to.

        Raises:
            InvalidKeyStore: the key store cannot be used.
        """
        gateway, condition = self.gateway_of(entity), conditions[entity]
        trail = self._audit_trails.setdefault(gateway, AuditTrail(gateway))
        if self.settings.key_store is None:
            yield TrailDeletions(source, trail, condition)
            return
        login = self._gateway_settings.login
        names = {}
        for place, chosen in conditions.items():
            signed_in = place or login.entity_id or ""
            stream = (login.company_id, signed_in, source.stream_name)
            names[place] = SetName(
                owner.id, stream, period, repr(chosen), owner.takes_unowned
            )
        with closing(KeyStore(self.settings.key_store)) as store:
            keys = store.key_set(names.pop(entity))
            elsewhere = {
                str(place): found
                for place, name in names.items()
                if (found := store.find(name)) is not None
            }
            yield StoredDeletions(
                source, trail, condition, keys=keys, elsewhere=elsewhere
            )

    def warn_of_moves(self) -> None:
        """Say once which moves between entities a run cannot see."""
        if self._has_warned_of_moves:
            return
        self._has_warned_of_moves = True
        if self.settings.key_store is None:
            logger.warning(
                "A record that moves to another entity stays in the target under its "
                "former one too: set key_store, so that the tap can delete it there."
            )
        elif tuple(self.settings.entities) != (EVERY_ENTITY,):
            logger.warning(
                "A record that moves to an entity that is not in `entities` stays in the "
                "target under its former one. Set entities to all to see such moves."
            )

    @property
    def _gateway_settings(self) -> GatewaySettings:
        if self.settings.gateway is None:
            raise ConfigurationError(credentials_problem(self.settings.missing))
        return self.settings.gateway
