"""One operation of a request: who is asking, then each function in turn.

Functions fail one by one; a transaction turns the others' success into `aborted`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from intacct_sandbox.company.company import Company
from intacct_sandbox.faults.damage import Damage
from intacct_sandbox.functions import HANDLERS
from intacct_sandbox.functions.refused import refuse
from intacct_sandbox.functions.sessions import Session, Sessions
from intacct_sandbox.functions.signing import entity_exists
from intacct_sandbox.functions.surroundings import Answer, Surroundings
from intacct_sandbox.switches import Credentials, Switches
from intacct_sandbox.wire.calls import Call
from intacct_sandbox.wire.documents import Control, FunctionCall, Login, Operation
from intacct_sandbox.wire.envelope import (
    Authentication,
    OperationAnswer,
    Result,
)
from intacct_sandbox.wire.errors import (
    AuthenticationRefusal,
    FunctionRefusal,
    address_refused,
    invalid_argument,
    not_subscribed,
    repeated_control_id,
    rolled_back,
    sender_not_authorised,
    session_failed,
    sign_in_incorrect,
    unknown_entity,
)


class ControlIds:
    """Function control ids that were executed under `uniqueid` true [D]."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._executed: set[tuple[str, str]] = set()

    def claim(self, sender_id: str, control_id: str) -> None:
        """Remember an id.

        Raises:
            FunctionRefusal: it was executed before.
        """
        with self._lock:
            if (sender_id, control_id) in self._executed:
                raise repeated_control_id(control_id)
            self._executed.add((sender_id, control_id))


@dataclass(frozen=True, slots=True)
class OperationRunner:
    """Runs the operations of one request.

    Attributes:
        before_call: run before each function.
    """

    control: Control
    company: Company
    switches: Switches
    credentials: Credentials
    sessions: Sessions
    control_ids: ControlIds
    own_url: str
    damage: Damage
    before_call: Callable[[Call], None]

    def run(self, operation: Operation, calls: Sequence[Call]) -> OperationAnswer:
        """Authenticate, then run every function; `calls` are theirs, in order."""
        try:
            session = self._authenticate(operation)
        except AuthenticationRefusal as refusal:
            return OperationAnswer(_failed(operation), errors=refusal.errors)
        results = self._run_functions(operation, calls, session)
        if operation.transaction:
            results = _roll_back(results)
        return OperationAnswer(self._authenticated(session), tuple(results))

    def _authenticate(self, operation: Operation) -> Session:
        self.damage.check(AuthenticationRefusal)
        seconds = self.switches.session_seconds
        if operation.login is not None:
            session = self._sign_in(operation.login, seconds)
        else:
            session_id = operation.session_id or ""
            if self.damage.expires_session:
                self.sessions.end(session_id)
            session = self.sessions.renew(session_id, seconds)
        if not self.switches.web_services_subscribed:
            raise not_subscribed()
        if not self.switches.sender_authorised:
            raise sender_not_authorised(self.control.sender_id, session.company_id)
        if not self.switches.address_allowed:
            raise address_refused()
        return session

    def _sign_in(self, login: Login, seconds: int) -> Session:
        known = self.credentials
        given = (login.company_id, login.user_id, login.password)
        if given != (known.company_id, known.user_id, known.user_password):
            raise sign_in_incorrect()
        location = login.location_id
        if location is not None and not entity_exists(self.company, location):
            raise unknown_entity(location)
        return self.sessions.transient(
            login.user_id, login.company_id, location, seconds
        )

    def _authenticated(self, session: Session) -> Authentication:
        timeout = session.expires.isoformat()
        return Authentication(
            "success",
            session.user_id,
            session.company_id,
            session.location_id or "",
            self._session_timestamp(session),
            timeout if self.switches.session_timeout_sent else "",
        )

    def _session_timestamp(self, session: Session) -> str:
        kind = self.switches.session_timestamp
        if kind == "none":
            return ""
        moment = self.company.clock.now() if kind == "call" else session.started
        return (moment + timedelta(seconds=self.switches.clock_ahead)).isoformat()

    def _run_functions(
        self, operation: Operation, calls: Sequence[Call], session: Session
    ) -> list[Result]:
        results: list[Result] = []
        for function, call in zip(operation.functions, calls, strict=True):
            results.append(self._run_function(function, call, session))
            if operation.transaction and results[-1].status == "failure":
                break
        skipped = operation.functions[len(results) :]
        return results + [
            Result("aborted", part.name, part.control_id) for part in skipped
        ]

    def _run_function(
        self, function: FunctionCall, call: Call, session: Session
    ) -> Result:
        self.before_call(call)
        try:
            answer = self._answer(function, call, session)
        except FunctionRefusal as refusal:
            return Result(
                "failure", function.name, function.control_id, errors=refusal.errors
            )
        return Result(
            "success",
            function.name,
            function.control_id,
            answer.data,
            rows=answer.rows,
            raw=answer.raw,
        )

    def _answer(self, function: FunctionCall, call: Call, session: Session) -> Answer:
        refusal = self.damage.refusal(call)
        if refusal is not None:
            raise refusal
        if self.control.unique_id:
            self.control_ids.claim(self.control.sender_id, function.control_id)
        around = Surroundings(
            self.company,
            self.switches,
            self.sessions,
            session,
            self.own_url,
            call.number,
        )
        answer = HANDLERS.get(function.name, refuse)(function.element, around)
        _require_alone(function, answer)
        return answer


def _require_alone(function: FunctionCall, answer: Answer) -> None:
    """Refuse what cannot share a request: a session [D], a bare body [?]."""
    container = function.element.getparent()
    content = None if container is None else container.getparent()
    if content is None or len(content) == 1:
        return
    if function.name == "getAPISession":
        raise session_failed("getAPISession must be the only function of a request.")
    if answer.raw is not None:
        raise invalid_argument("csv and json need a request of their own.")


def _failed(operation: Operation) -> Authentication:
    login = operation.login
    if login is None:
        return Authentication("failure")
    return Authentication(
        "failure", login.user_id, login.company_id, login.location_id or ""
    )


def _roll_back(results: list[Result]) -> list[Result]:
    if all(result.status == "success" for result in results):
        return results
    return [
        replace(
            result,
            status="failure" if result.status == "failure" else "aborted",
            data="",
            errors=(*result.errors, rolled_back()),
        )
        for result in results
    ]
