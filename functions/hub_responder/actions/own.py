"""A playbook's own actions: its ``actions.py``, for what no built-in action does.

    import msgspec
    from hub_responder.actions.own import action

    class Desk(msgspec.Struct, frozen=True):
        '''Where the machine stands.'''

        floor: str

    @action("Finds the floor that a machine stands on.", result=Desk)
    def desk(work, runtime):
        return Desk(floor=FLOORS.get(work.incident.resource.name, "unknown"))

A step says ``uses: own.desk``; later steps read ``desk.floor``. The function is called for one
incident at a time, for several at once in threads. What it raises of `hub_responder.errors` means
what it says: TransientError tries again later, the others fail the step. Only that playbook's
Lambda loads the file.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import observability
from hub_responder.actions import OWN
from hub_responder.actions.base import Action, Outcome, Statement, Work, each, line
from hub_responder.errors import ConfigurationError, HubResponderError, PermanentError
from hub_responder.expressions import MissingResult

if TYPE_CHECKING:
    from pathlib import Path

    from hub_responder.runtime import Runtime

FILE = "actions.py"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

One = Callable[[Work, "Runtime"], Any]
Permissions = Callable[[Mapping[str, Any], Mapping[str, Mapping[str, Any]]], list[Statement]]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing."""


def action(
    summary: str,
    *,
    params: type[msgspec.Struct] = Nothing,
    result: type[msgspec.Struct] = Nothing,
    effects: bool = False,
    permissions: Sequence[Statement] | Permissions = (),
    connections: Mapping[str, tuple[str, ...]] | None = None,
    constants: tuple[str, ...] = (),
    in_members: bool = False,
    example: str = "",
) -> Callable[[One], Action]:
    """Makes an action of a function ``(work, runtime)``; its name is ``own.`` and the function's.

    Args:
        summary: one sentence.
        params: msgspec struct of what ``with`` takes; ``work.params`` is one.
        result: msgspec struct of what the function returns and later steps read. The function may
            return an `Outcome` instead, or None where there is no result.
        effects: it changes something outside. It is claimed in the ledger before; ``work.key`` is
            equal for every attempt, ``work.in_doubt`` says that an earlier one may have worked.
        permissions: the IAM statements that its calls need, or a function of ``with`` and the
            connections that makes them.
        connections: parameters that name a connection or route -> the types allowed.
        constants: parameters that take no expression.
        in_members: it calls member accounts, through `hub_responder.member`.
        example: a step in YAML.

    Raises:
        ConfigurationError: the declaration is wrong.
    """

    def made(one: One) -> Action:
        name = getattr(one, "__name__", "")
        if not _NAME.fullmatch(name):
            raise ConfigurationError(f"{name[:60]!r} is no name of an action: a to z, 0 to 9 and _")
        for what, struct in (("params", params), ("result", result)):
            if not (isinstance(struct, type) and issubclass(struct, msgspec.Struct)):
                raise ConfigurationError(f"{what} of {name} must be a msgspec.Struct")
        fields = {field.encode_name for field in msgspec.structs.fields(params)}
        unknown = sorted({*constants, *(connections or {})} - fields)
        if unknown:
            raise ConfigurationError(f"params of {name} have no {unknown[0]!r}")
        own = OWN + name
        return Action(
            name=own,
            summary=summary,
            effects=effects,
            params=params,
            result=result,
            permissions=permissions if callable(permissions) else _fixed(permissions),
            example=example or f"- {{uses: {own}}}",
            run=_over_all(own, one, result),
            connection_kinds=connections or {},
            constants=constants,
            in_members=in_members,
            plan=_plan(own, summary) if effects else None,
        )

    return made


def _fixed(statements: Sequence[Statement]) -> Permissions:
    return lambda _with, _connections: list(statements)


def _plan(name: str, summary: str) -> Callable[[Work, Runtime], str]:
    return lambda work, _runtime: line(
        f"would run {name} ({summary.rstrip('.')}) on {work.incident.resource.id}"
    )


def _over_all(
    name: str, one: One, result: type[msgspec.Struct]
) -> Callable[[Sequence[Work], Runtime], list[Outcome]]:
    """``one`` over a batch; what goes wrong with one incident stays its own."""

    def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
        return each(lambda work: _outcome(name, one, result, work, runtime), works)

    return run


def _outcome(
    name: str, one: One, result: type[msgspec.Struct], work: Work, runtime: Runtime
) -> Outcome:
    try:
        returned = one(work, runtime)
    except (HubResponderError, MissingResult):
        raise
    except Exception as error:
        observability.log_bug(error)
        said = f"internal error in {name}: {type(error).__name__}"
        raise PermanentError(said, target=name) from error
    if isinstance(returned, Outcome):
        return returned
    if returned is None and result is Nothing:
        return Outcome("done", f"{name} is done")
    if not isinstance(returned, result):
        kind = type(returned).__name__
        raise PermanentError(f"{name} returned {kind}, not {result.__name__}", target=name)
    try:
        kept = msgspec.json.decode(msgspec.json.encode(returned))
    except (TypeError, ValueError, RecursionError):
        raise PermanentError(f"{name} returned what is no JSON", target=name) from None
    return Outcome("done", f"{name} is done", result=kept)


def load(directory: Path) -> Mapping[str, Action]:
    """The actions of ``directory/actions.py`` by name; empty where there is no such file.

    The file is run once per content in a process.

    Raises:
        ConfigurationError: it cannot be read or run; ``__cause__`` is what it raised.
    """
    path = directory / FILE
    try:
        source = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    return _run(str(path), source)


@lru_cache(maxsize=64)
def _run(path: str, source: bytes) -> Mapping[str, Action]:
    name = "hub_responder_own_" + hashlib.sha256(path.encode() + b"\0" + source).hexdigest()[:16]
    module = ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module  # structs look up their annotations there
    try:
        # The file is part of the playbook, as trusted as what its steps say.
        exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ConfigurationError(f"{path}: {type(error).__name__}: {error}") from error
    found = [value for value in vars(module).values() if isinstance(value, Action)]
    return {one.name: one for one in found if one.name.startswith(OWN)}
