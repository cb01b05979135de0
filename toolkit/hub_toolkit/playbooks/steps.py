"""``steps``: each against the action that it uses, the connections, and the steps before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import msgspec

from hub_responder import actions
from hub_responder.playbook import OnError, Step
from hub_toolkit.playbooks import structs, vocabulary
from hub_toolkit.playbooks.document import Mapping, Node, Scalar, plain
from hub_toolkit.playbooks.fields import Fields, kind
from hub_toolkit.playbooks.kinds import ANYTHING
from hub_toolkit.playbooks.problems import Place, Problem, unknown
from hub_toolkit.playbooks.scope import STEP, Around, Scope, params
from hub_toolkit.playbooks.values import STEP_ID

if TYPE_CHECKING:
    from collections.abc import Mapping as Table

    from hub_responder.actions.base import Action
    from hub_toolkit.playbooks.connections import Connections
    from hub_toolkit.playbooks.kinds import Kind
    from hub_toolkit.playbooks.templates import Templates

MAX_STEPS = 20
_STEP_KEYS = ("id", "uses", "if", "on_error", "with")
_ID_FORM = "a to z, 0 to 9 and _, at most 20 characters"


@dataclass(slots=True)
class StepReader:
    """Reads the steps of one playbook, in their order.

    Attributes:
        params: the playbook's, by name.
        connections: the stage's.
        templates: the playbook's message templates.
        reached: the connections that steps deliver to, themselves or through a route.
        routes: the routes that steps name.
        around: what its expressions see besides.
        own: the playbook's own actions, by name.
        names: every name that steps and their templates read.
    """

    params: Table[str, Any]
    connections: Connections
    templates: Templates
    problems: list[Problem]
    around: Around = field(default_factory=Around)
    own: Table[str, Action] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)
    routes: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    _results: dict[str, Kind] = field(default_factory=dict)
    _ids: list[str] = field(default_factory=list)

    def read(self, nodes: tuple[Node, ...] | None, place: Place) -> tuple[Step, ...]:
        """The steps; what is wrong is added to ``problems``."""
        if nodes is not None and not 1 <= len(nodes) <= MAX_STEPS:
            self._report(place, f"`steps` has {len(nodes)} steps; 1 to {MAX_STEPS} are allowed")
        self._ids = [_id_of(node) for node in nodes or ()]
        read = (self._step(node, number) for number, node in enumerate(nodes or (), 1))
        return tuple(step for step in read if step is not None)

    def ids(self) -> list[str]:
        """The steps' ids as they are written, in their order; empty where there is none."""
        return self._ids

    def _report(self, place: Place, text: str) -> None:
        self.problems.append(Problem(place, text))

    def _step(self, node: Node, number: int) -> Step | None:
        fields = Fields(node, f"step {number}", self.problems, known=_STEP_KEYS)
        uses = fields.text("uses", required=True, limit=80)
        uses_node = fields.node("uses")
        if not uses or uses_node is None:
            return None
        there = (*actions.names(), *self.own)
        if uses not in there:
            self._report(uses_node.place, unknown("action", uses, there))
            self._condition(fields, self._scope(number))
            self._results[self._ids[number - 1]] = ANYTHING  # its readers are not wrong as well
            return None
        action = self.own[uses] if uses in self.own else actions.get(uses)
        step_id = self._id(fields, uses)
        scope = self._scope(number)
        used = self._condition(fields, scope)
        with_node = fields.node("with")
        if with_node is None:
            with_node = Mapping({}, {}, fields.place)
        with_, names = self._with(with_node, action, scope)
        self.names |= used | names
        needs = [name for name in self._results if name in used | names]
        if step_id:
            self._results[step_id] = vocabulary.step(step_id, action.result)
        return Step(
            id=step_id,
            uses=uses,
            with_=with_,
            if_=fields.text("if", limit=1000) or None,
            on_error=cast("OnError", fields.choice("on_error", _ON_ERROR, "retry")),
            needs=tuple(needs),
        )

    def _scope(self, number: int) -> Scope:
        """What step ``number`` can read: the steps before it, and no other."""
        here, *rest = self._ids[number - 1 :]
        later = {step: f"`{step}` is a later step, which has not run yet" for step in rest}
        later[here] = f"`{here}` is this step itself, which has not run yet"
        return Scope(STEP, self.around, {"params": params(self.params), **self._results}, later)

    def _id(self, fields: Fields, uses: str) -> str:
        node = fields.node("id")
        step_id = fields.text("id", default=uses.replace(".", "_"), pattern=STEP_ID, form=_ID_FORM)
        place = node.place if node is not None else fields.place
        if node is None and not STEP_ID.fullmatch(step_id):
            self._report(place, f"`{step_id}` is too long for an id: give this step an `id`")
            return ""
        if step_id in STEP:
            self._report(place, f"`{step_id}` is a variable; name the step otherwise")
            return ""
        if step_id in self._results:
            self._report(place, f"two steps are `{step_id}`: give one another `id`")
            return ""
        return step_id

    def _condition(self, fields: Fields, scope: Scope) -> set[str]:
        """The names that the step's ``if`` uses."""
        node = fields.node("if")
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return set()
        return scope.condition(node, self.problems)

    def _with(self, node: Node, action: Action, scope: Scope) -> tuple[dict[str, Any], set[str]]:
        """The step's parameters, and the names that their templates use."""
        if not isinstance(node, Mapping):
            self._report(node.place, f"`with` must be a mapping, not {kind(node)}")
            return {}, set()
        names: set[str] = set()
        wanted = structs.kinds(action.params)
        for key, value in node.entries.items():
            for text, where in structs.texts(value):
                if "{{" in text or "{%" in text:
                    unclear = where is value and self._known_value(value) is msgspec.UNSET
                    takes = wanted.get(key, ANYTHING) if unclear else ANYTHING
                    names |= scope.template(where, takes, self.problems)
        values = structs.check(
            node, action.params, action.name, self.problems, value_of=self._known_value
        )
        for key, kinds in action.connection_kinds.items():
            self._connection(key, kinds, node, action)
        for key in action.constants:
            self._constant(key, node)
        template = node.entries.get("template")
        if template is not None and isinstance(name := plain(template), str):
            names |= self.templates.names_in(name, scope, template.place, self.problems)
        return values, names

    def _known_value(self, node: Node) -> Any:
        """The value of a parameter where it is known now, else UNSET.

        A lone ``{{ params.x }}`` has the value of that param.
        """
        text = node.value if isinstance(node, Scalar) else None
        if isinstance(text, str) and text.startswith("{{") and text.endswith("}}"):
            name = text[2:-2].strip().removeprefix("params.")
            if text[2:-2].strip() == f"params.{name}" and name in self.params:
                return self.params[name]
        if any("{{" in inner or "{%" in inner for inner, _ in structs.texts(node)):
            return msgspec.UNSET
        return plain(node)

    def _constant(self, key: str, node: Mapping) -> None:
        """Parameter ``key`` must be known now: the role's permissions name it."""
        given = node.entries.get(key)
        for text, where in structs.texts(given) if given is not None else ():
            if "{{" in text or "{%" in text:
                reason = "the role's permissions are made from it"
                self._report(where.place, f"`{key}` takes no expression: {reason}")

    def _connection(self, key: str, kinds: tuple[str, ...], node: Mapping, action: Action) -> None:
        """The connection or route that parameter ``key`` names must exist and be of the kinds."""
        given = node.entries.get(key)
        place = given.place if given is not None else node.place
        name = plain(given) if given is not None else structs.fallback(action.params, key)
        if name is None:
            return
        if not isinstance(name, str) or "{{" in name:
            text = f"`{key}` names a connection or a route, never an expression"
            self._report(place, f"{text}: routes in connections.yaml choose by expression")
            return
        if name not in self.connections.names():
            self._report(place, unknown(f"connection in `{key}`:", name, self.connections.names()))
            return
        if name in self.connections.routes:
            self.routes.add(name)
        known = self.connections.connections
        self.reached |= {one for one in self.connections.behind(name) if known.get(one)}
        for target in self.connections.chosen(name):
            chosen = known.get(target, {}).get("type")
            if chosen is None:  # reported where it is declared
                continue
            via = f" (through route `{name}`)" if target != name else ""
            if chosen not in kinds:
                self._report(
                    place,
                    f"connection `{target}`{via} is of type {chosen}; "
                    f"`{key}` of {action.name} takes {', '.join(sorted(kinds))}",
                )
            elif action.objection is not None and (why := action.objection(known[target])):
                self._report(place, f"{action.name}: connection `{target}`{via} {why}")


def _id_of(node: Node) -> str:
    """The id of a step as it is written, or that which it gets from its action."""
    written = plain(node)
    if not isinstance(written, dict):
        return ""
    return str(written.get("id") or str(written.get("uses", "")).replace(".", "_"))


_ON_ERROR = ("continue", "retry", "stop")
