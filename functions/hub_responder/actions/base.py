"""What an action is: a declaration that documents itself, and one function over a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from hub_responder.errors import (
    ConfigurationError,
    ExpressionError,
    HubResponderError,
    PacedError,
    PermanentError,
    TransientError,
)
from hub_responder.expressions import MissingResult
from hub_responder.markdown.characters import clean, one_line, shorten

if TYPE_CHECKING:
    from hub_responder.incident import Incident
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

Status = Literal["done", "skipped", "failed", "deferred", "observed"]
Statement = Mapping[str, Any]
"""One IAM statement: ``Effect``, ``Action``, ``Resource`` and, where possible, ``Condition``.
Values may be CloudFormation intrinsics in long form, as ``{"Fn::Sub": "arn:..."}``."""

MAX_LINE = 300
"""Characters of what an action says in one line: a `Outcome.detail`, a plan."""
MAX_SENT = 40_000
"""UTF-16 units of a text that is kept; Jira's, the longest of those that are sent, have 32,767."""
MAX_RESULT = 14_000
"""Bytes that rows of a result may fill: the engine keeps 16,000 of a step's result."""
THREADS = 10
"""Vendor calls wait 150 ms each; ten at a time made 3.3 s into 0.56 s (docs/benchmarks.md)."""


@dataclass(frozen=True, slots=True)
class Work:
    """One incident that a step is to work on.

    Attributes:
        incident: its findings, worst first, and what is known about it.
        params: an instance of the action's ``params`` type.
        key: the effect key: equal for every attempt at this effect, 40 hex digits.
        in_doubt: an earlier attempt may have had its effect: look it up by ``key`` first.
        attempted_at: when that earlier attempt began (epoch seconds).
        scope: the variables that templates see.
        late: the round had to wait: what its findings say may not be so any more.
        last: the playbook's patience is over: what is deferred now has failed.
        quiet_until: no new message is to be sent before (epoch seconds), 0 where one may be; then
            ``incident`` and ``scope`` have all live findings, not the round's alone.
    """

    incident: Incident
    params: Any
    key: str
    in_doubt: bool = False
    attempted_at: float | None = None
    scope: Mapping[str, Any] = field(default_factory=dict)
    late: bool = False
    last: bool = False
    quiet_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one `Work`.

    Attributes:
        status: done, skipped (nothing to do, says why), failed (for good), deferred (again later),
            observed (what it would have done is in ``detail``; nothing was).
        detail: one line for people: what was done or why not. No secrets, at most 300 characters.
        result: what later steps read, by the names of the action's ``result`` type.
        refs: references to keep with the incident, by connection: ``{"ticket": .., "thread": ..}``
        retry_after: seconds, where the other system named them; of a ``done`` outcome: the answer
            may be another one then (a verdict that could not be told).
        in_doubt: deferred, but the request may have had its effect.
        paced: deferred, because its turn is in ``retry_after`` seconds: nothing has failed.
        error: the name of the error's class, where one was behind it.
        sent: the texts that were sent, by connection (``securityhub`` for notes), for the trail.
    """

    status: Status
    detail: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    refs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    retry_after: float | None = None
    in_doubt: bool = False
    paced: bool = False
    error: str = field(default="", compare=False)
    sent: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Action:
    """An action's declaration. The CLI's and the docs' text is printed from it.

    Attributes:
        name: as playbooks write it in ``uses``.
        summary: one sentence.
        effects: whether it changes anything outside; such a step is claimed in the ledger first.
        params: msgspec struct of what ``with`` takes; its docstring and defaults are documentation.
        result: msgspec struct of what later steps can read.
        permissions: the IAM statements a step needs, from its ``with`` and the connections (name
            -> type and settings) that it reaches.
        example: a step in YAML.
        run: does it, for all incidents of a batch at once; one `Outcome` for each `Work`, in order.
        lasting: its effect belongs to the incident's whole life (a ticket), not to one round.
        tells: it sends a message, which quiet time passes over and which counts as told.
        updates: whether, in quiet time, ``run`` can bring what was told up to date without a new
            message (``quiet_until`` of the `Work`). It calls nothing. None: it never can.
        closes: ends what its steps opened or told for an incident, whose findings have all left
            (``incident.left``), by what ``incident.refs`` hold; ``params`` are a step's ``with`` as
            it is written. None: there is nothing to end.
        restores: says where the incident was told that its coverage is restored, by what
            ``incident.refs`` hold; ``params`` as for ``closes``. None: it says nothing of it.
        answers: it writes to the finding itself: an analyst's answer. It waits for all effects
            before it, except in the answer to a click.
        connection_kinds: the parameter that names a connection or route -> types allowed.
        objection: why a connection of an allowed type will not do, from its settings: what it
            lacks, in one line, or empty. Said when the playbook is checked.
        constants: parameters, beside those, that take no expression: the permissions name them.
        in_members: it calls member accounts, in the role that the playbook's ``member_role`` names.
        about: the types of resources that it is about (ASFF's spelling). A playbook that no match
            limits to types takes, of a finding's resources, those that its steps are about.
        reports: it writes files to the stack's bucket, whose name is in ``REPORTS_BUCKET``.
        inventory: it reads what the scheduled walk found, from the bucket that is named in
            ``INVENTORY_BUCKET``.
        plan: one line (at most 300 characters, no secrets) of what ``run`` would do, as "would send
            to soc-chat: ...", for observe mode. It calls nothing, and raises what ``run`` turns
            into an outcome (see `attempt`). None: nothing would be done.
        raw: ``run`` is one of ``closes`` and ``restores``: it takes a step's ``with`` as it is
            written, whatever its condition says. The engine sets it.
    """

    name: str
    summary: str
    effects: bool
    params: type[msgspec.Struct]
    result: type[msgspec.Struct]
    permissions: Callable[[Mapping[str, Any], Mapping[str, Mapping[str, Any]]], list[Statement]]
    example: str
    run: Callable[[Sequence[Work], Runtime], list[Outcome]]
    connection_kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lasting: bool = False
    tells: bool = False
    updates: Callable[[Work, Runtime], bool] | None = None
    closes: Callable[[Work, Runtime], Outcome] | None = None
    restores: Callable[[Work, Runtime], Outcome] | None = None
    answers: bool = False
    objection: Callable[[Mapping[str, Any]], str] | None = None
    constants: tuple[str, ...] = ()
    in_members: bool = False
    about: tuple[str, ...] = ()
    reports: bool = False
    inventory: bool = False
    plan: Callable[[Work, Runtime], str] | None = None
    raw: bool = False


def line(text: str) -> str:
    """``text`` as one harmless line of at most 300 characters, for people."""
    return shorten(one_line(clean(text)).strip(), MAX_LINE)


def as_sent(connection: str, document: Document) -> dict[str, str]:
    """`Outcome.sent` of a message or a ticket's text."""
    from hub_responder.markdown.plain import to_text

    return {connection: to_text(document, MAX_SENT)}


Row = TypeVar("Row", bound=msgspec.Struct)


def fitting(rows: Iterable[Row], room: int) -> tuple[Row, ...]:
    """The first of ``rows`` that have room (bytes as JSON), for results that the ledger keeps."""
    found: list[Row] = []
    for row in rows:
        room -= len(msgspec.json.encode(row)) + 1
        if room < 0:
            break
        found.append(row)
    return tuple(found)


def attempt(one: Callable[[Work], Outcome], work: Work) -> Outcome:
    """``one(work)``, with what it raises on purpose turned into the outcome it means."""
    try:
        return one(work)
    except MissingResult as error:
        return Outcome("skipped", str(error))
    except TransientError as error:
        return Outcome(
            "deferred",
            str(error),
            retry_after=error.retry_after,
            in_doubt=error.sent,
            paced=isinstance(error, PacedError),
            error=type(error).__name__,
        )
    except (PermanentError, ConfigurationError, ExpressionError) as error:
        return Outcome("failed", str(error), error=type(error).__name__)


def each(
    one: Callable[[Work], Outcome],
    works: Sequence[Work],
    target: Callable[[Work], str] | None = None,
) -> list[Outcome]:
    """Run ``one`` for every incident, ten at a time; one incident's trouble stays its own.

    Args:
        target: where an incident's work leads. Of those that lead to one target the first goes
            alone, and the others after it: a target that hangs or refuses all is found out by one,
            holds one thread, and so holds up nobody who leads elsewhere.
    """
    if len(works) <= 1:
        return [attempt(one, work) for work in works]
    waiting = _by_target(works, target)
    outcomes: list[Future[Outcome]] = [Future() for _ in works]
    with ThreadPoolExecutor(max_workers=min(THREADS, len(works))) as pool:

        def do(number: int, after: Sequence[int] = ()) -> None:
            try:
                outcomes[number].set_result(attempt(one, works[number]))
            except BaseException as error:  # noqa: BLE001 - a bug: raised again where it is asked for
                outcomes[number].set_exception(error)
            for other in after:
                pool.submit(do, other)

        for first, *others in waiting:
            pool.submit(do, first, others)
        return [outcome.result() for outcome in outcomes]


def _by_target(works: Sequence[Work], target: Callable[[Work], str] | None) -> Iterable[list[int]]:
    """The numbers of ``works`` that lead to the same target; those that lead nowhere alone."""
    groups: dict[object, list[int]] = {}
    for number, work in enumerate(works):
        key: object = number
        if target is not None:
            with suppress(HubResponderError):  # the work itself says what is wrong
                key = target(work)
        groups.setdefault(key, []).append(number)
    return groups.values()
