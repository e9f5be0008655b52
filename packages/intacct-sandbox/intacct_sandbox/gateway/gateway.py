"""The gateway: a request document in, an HTTP reply out.

Each level of failure has its own exception; where it is caught, the answer of that
level is written.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, islice, repeat

from intacct_sandbox.company.company import Company
from intacct_sandbox.faults.damage import Damage
from intacct_sandbox.faults.faults import Faults
from intacct_sandbox.faults.mixups import Mixups
from intacct_sandbox.functions.sessions import Sessions
from intacct_sandbox.gateway.operations import ControlIds, OperationRunner
from intacct_sandbox.switches import Credentials, Switches
from intacct_sandbox.wire import replies
from intacct_sandbox.wire.calls import Call, CallLog
from intacct_sandbox.wire.documents import (
    Control,
    Login,
    Request,
    parse_request,
    salvage_control,
)
from intacct_sandbox.wire.envelope import (
    ErrorStyle,
    render_control_failure,
    render_success,
)
from intacct_sandbox.wire.errors import (
    ControlRefusal,
    rejected_by_gateway,
    sign_in_rejected_by_gateway,
    too_many_functions,
    unknown_policy,
    wrong_sender,
)
from intacct_sandbox.wire.replies import Reply


class Gateway:
    """Answers request documents about one company. Thread-safe."""

    def __init__(
        self,
        company: Company,
        switches: Switches,
        faults: Faults,
        credentials: Credentials,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the company as it is; open nothing yet.

        `switches` may be replaced while the gateway serves; each request is
        served under those it found.
        """
        self.company = company
        self.switches = switches
        self.faults = faults
        self.credentials = credentials
        self.sessions = Sessions(company.clock)
        self.log = CallLog()
        self.own_url = ""
        self.most_in_flight = 0
        self._control_ids = ControlIds()
        self._mixups = Mixups()
        self._sleep = sleep
        self._lock = threading.Lock()
        self._in_flight = 0

    def handle(self, document: bytes) -> Reply:
        """The reply to one posted document."""
        started = time.monotonic()
        rows: Sequence[int] = ()
        with self._counted() as in_flight:
            limit = self.switches.max_connections
            if limit is not None and in_flight > limit:
                reply = replies.rate_limited()
                calls = [Call(self.log.next_number(), "", "", "", document)]
            else:
                calls, reply, rows = self._serve(document)
        seconds = time.monotonic() - started
        status = 0 if reply.cut == "before_headers" else reply.status
        for call, count in zip(calls, chain(rows, repeat(0)), strict=False):
            self.log.add(replace(call, http_status=status, rows=count, seconds=seconds))
        return reply

    @contextmanager
    def _counted(self) -> Iterator[int]:
        with self._lock:
            self._in_flight += 1
            in_flight = self._in_flight
            self.most_in_flight = max(self.most_in_flight, in_flight)
        try:
            yield in_flight
        finally:
            with self._lock:
                self._in_flight -= 1

    def _serve(self, document: bytes) -> tuple[list[Call], Reply, Sequence[int]]:
        try:
            request = parse_request(document)
        except ControlRefusal as refusal:
            control = salvage_control(document)
            number = self.log.next_number()
            calls = [Call(number, "", "", control.control_id, document)]
            reply = self._refused(control, refusal, number)
            return calls, reply, ()
        calls = [
            Call(
                self.log.next_number(),
                part.name,
                part.object_name,
                part.control_id,
                part.body,
            )
            for part in request.functions
        ]
        damage = Damage.draw(self.faults, calls)
        if damage.seconds:
            self._sleep(damage.seconds)
        instead = damage.instead()
        if instead is not None:
            return calls, instead, ()
        reply, rows = self._execute(request, calls, damage)
        reply = damage.afterwards(reply)
        if calls:
            reply = self._mixups.reply(damage, calls[0], reply)
        return calls, reply, rows

    def _execute(
        self, request: Request, calls: list[Call], damage: Damage
    ) -> tuple[Reply, Sequence[int]]:
        switches, control = self._switches_now(), request.control
        number = calls[0].number if calls else 0
        try:
            damage.check(ControlRefusal)
            self._check(request, switches, number)
        except ControlRefusal as refusal:
            return self._refused(control, refusal, number), ()
        runner = OperationRunner(
            control,
            self.company,
            switches,
            self.credentials,
            self.sessions,
            self._control_ids,
            self.own_url,
            damage,
            self.faults.between_calls or _nothing,
        )
        left = iter(calls)
        answers = [
            runner.run(part, list(islice(left, len(part.functions))))
            for part in request.operations
        ]
        results = [result for answer in answers for result in answer.results]
        rows = [result.rows for result in results]
        if len(calls) == 1 and results and results[0].raw is not None:
            raw = results[0].raw
            return replies.Reply(200, raw.content_type, raw.body), rows
        style = self._style(control, number)
        body = render_success(control, answers, style)
        return replies.Reply(200, replies.XML_TYPE, body), rows

    def _switches_now(self) -> Switches:
        """As they are, with the offset that the user's zone has at this moment."""
        formatting = self.switches.formatting.at(self.company.clock.now())
        return replace(self.switches, formatting=formatting)

    def _check(self, request: Request, switches: Switches, number: int) -> None:
        """Everything that is refused before anything is executed."""
        control, known = request.control, self.credentials
        if switches.refused_at_gateway:
            self._check_at_gateway(request, number)
        given = (control.sender_id, control.password)
        if given != (known.sender_id, known.sender_password):
            raise wrong_sender()
        if control.policy_id:
            raise unknown_policy(control.policy_id)
        if len(request.functions) > switches.max_functions:
            raise too_many_functions(switches.max_functions)

    def _check_at_gateway(self, request: Request, number: int) -> None:
        known = self.credentials
        logins = [part.login for part in request.operations if part.login]
        companies = {login.company_id for login in logins} - {known.company_id}
        if companies or request.control.sender_id != known.sender_id:
            raise rejected_by_gateway(f"0A0B0C0D:{number:04X}_63EBC07F.59")
        if any(
            _pair(login) != (known.user_id, known.user_password) for login in logins
        ):
            raise sign_in_rejected_by_gateway()

    def _refused(self, control: Control, refusal: ControlRefusal, number: int) -> Reply:
        style = self._style(control, number)
        body = render_control_failure(control, refusal.errors, style)
        return replies.Reply(refusal.http_status, replies.XML_TYPE, body)

    def _style(self, control: Control, number: int) -> ErrorStyle:
        return ErrorStyle(
            support_id=f"9PvcxEBXMLGW{number:09d}-AG%7Eaod",
            double_escaped=self.switches.double_escaped_errors,
            additional_info=control.additional_error_info,
        )


def _pair(login: Login) -> tuple[str, str]:
    return login.user_id, login.password


def _nothing(_call: Call) -> None:
    pass
