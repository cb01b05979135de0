"""``connections.yaml``: named places to deliver to, and the routes that choose one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub_responder.connections.settings import LINKS
from hub_responder.errors import ConfigurationError
from hub_responder.playbook import Route
from hub_toolkit.playbooks import places, structs
from hub_toolkit.playbooks.connection_types import TYPES
from hub_toolkit.playbooks.document import Mapping, Node, Scalar, plain
from hub_toolkit.playbooks.fields import Fields, kind
from hub_toolkit.playbooks.overlay import layers
from hub_toolkit.playbooks.problems import Place, Problem, unknown
from hub_toolkit.playbooks.scope import ROUTE, Around, Scope
from hub_toolkit.playbooks.values import MAX_NAME, is_name

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

NAME_FORM = f"a to z, 0 to 9 and single hyphens, at most {MAX_NAME} characters"


@dataclass(frozen=True, slots=True)
class Connections:
    """What a stage can deliver to: name -> type and settings, and name -> route.

    ``places`` is where each is declared, ``used`` the names that its expressions read.
    """

    connections: dict[str, dict[str, Any]] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    used: dict[str, frozenset[str]] = field(default_factory=dict)

    def names(self) -> set[str]:
        """Every name that a step may give."""
        return set(self.connections) | set(self.routes)

    def chosen(self, name: str) -> tuple[str, ...]:
        """The connections that ``name``, a connection or a route, can mean, sorted."""
        if name in self.connections:
            return (name,)
        route = self.routes[name]
        return tuple(sorted({*route.to.values(), route.default}))

    def behind(self, name: str) -> tuple[str, ...]:
        """The connections that ``name`` can reach: those it can mean and their links, sorted."""
        found = set(self.chosen(name))
        for one in tuple(found):
            settings = self.connections.get(one, {})
            links = LINKS.get(str(settings.get("type")), {})
            found |= {settings[key] for key in links if settings.get(key)}
        return tuple(sorted(found))


def load(
    folder: Path, stage: str, root: Path, problems: list[Problem], around: Around | None = None
) -> Connections:
    """The connections and routes of ``stage``; what is wrong is added to ``problems``.

    A stage's file replaces a connection or route of the same name as a whole; a name that becomes
    a route there stops being a connection, and the other way round. ``around`` is what expressions
    see besides, where it is known.

    Raises:
        PlaybookErrors: a file is not YAML.
    """
    connections: dict[str, tuple[Node, dict[str, Any]]] = {}
    routes: dict[str, tuple[Node, Route]] = {}
    around = around or Around()
    used: dict[str, set[str]] = {}
    for layer in layers(folder, "connections", stage, root, problems):
        fields = Fields(layer, "connections", problems, known=("connections", "routes"))
        for name, node in _named(fields, "connections", problems):
            routes.pop(name, None)
            used[name] = set()
            connections[name] = (node, _connection(name, node, around, used[name], problems))
        for name, node in _named(fields, "routes", problems):
            if name in connections and connections[name][0].place.file == node.place.file:
                text = f"`{name}` is a connection and a route: rename one"
                problems.append(Problem(node.place, text))
            connections.pop(name, None)
            used[name] = set()
            routes[name] = (node, _route(name, node, around, used[name], problems))
    for name, (node, route) in routes.items():
        _check_targets(name, node, route, connections, problems)
    settings = {name: one for name, (_, one) in connections.items()}
    for name, (node, _) in connections.items():
        _check_links(name, node, settings, problems)
    return Connections(
        {name: connections[name][1] for name in sorted(connections)},
        {name: routes[name][1] for name in sorted(routes)},
        {name: node.place for name, (node, _) in {**connections, **routes}.items()},
        {name: frozenset(names) for name, names in used.items()},
    )


def _named(fields: Fields, key: str, problems: list[Problem]) -> list[tuple[str, Node]]:
    node = fields.node(key)
    if node is None:
        return []
    if not isinstance(node, Mapping):
        fields.report(node.place, f"`{key}` must be a mapping, not {kind(node)}")
        return []
    good = []
    for name, place in node.keys.items():
        if is_name(name):
            good.append((name, node.entries[name]))
        else:
            problems.append(Problem(place, f"`{name[:80]}` is no name: {NAME_FORM}"))
    return good


def _connection(
    name: str, node: Node, around: Around, used: set[str], problems: list[Problem]
) -> dict[str, Any]:
    if not isinstance(node, Mapping):
        text = f"connection {name} must be a mapping, not {kind(node)}"
        problems.append(Problem(node.place, text))
        return {}
    type_node = node.entries.get("type")
    chosen = plain(type_node) if type_node is not None else None
    if not isinstance(chosen, str) or chosen not in TYPES:
        place = type_node.place if type_node is not None else node.place
        text = f"connection {name} lacks `type`. There is: {', '.join(sorted(TYPES))}"
        if isinstance(chosen, str):
            text = unknown("type of connection:", chosen, TYPES)
        problems.append(Problem(place, text))
        return {}
    rest = Mapping(
        {key: value for key, value in node.entries.items() if key != "type"},
        {key: place for key, place in node.keys.items() if key != "type"},
        node.place,
    )
    what = f"connection {name} ({chosen})"
    settings = structs.check(rest, TYPES[chosen], what, problems, value_of=places.known)
    used |= places.check(name, chosen, rest, around, problems)
    ca = settings.get("ca")
    if isinstance(ca, str) and ca:
        _check_ca(ca, rest.entries["ca"].place, problems)
    return {"type": chosen, **settings}


def _check_ca(ca: str, place: Place, problems: list[Problem]) -> None:
    """Certificates are public, and stand in the file; a private key among them must not."""
    if "PRIVATE KEY" in ca:
        problems.append(Problem(place, "`ca` holds a private key: leave only the certificates"))
        return
    from hub_responder import http  # not paid for where no connection has certificates

    try:
        http.tls_context(ca)
    except ConfigurationError as error:
        problems.append(Problem(place, str(error)))


def _route(name: str, node: Node, around: Around, used: set[str], problems: list[Problem]) -> Route:
    what = f"route {name}"
    fields = Fields(node, what, problems, known=("by", "to", "default"))
    by = fields.text("by", required=True, limit=500)
    by_node = fields.node("by")
    if by and isinstance(by_node, Scalar):
        used |= Scope(ROUTE, around).text(by_node, problems)
    to: dict[str, str] = {}
    to_node = fields.node("to", required=True)
    if isinstance(to_node, Mapping):
        for value, target in to_node.entries.items():
            chosen = plain(target)
            if isinstance(chosen, str):
                to[value] = chosen
            else:
                text = f"{what} must name a connection, not {kind(target)}"
                problems.append(Problem(target.place, text))
    elif to_node is not None:
        problems.append(Problem(to_node.place, f"`to` must be a mapping, not {kind(to_node)}"))
    return Route(by=by, to=to, default=fields.text("default", required=True))


def _check_targets(
    name: str,
    node: Node,
    route: Route,
    connections: Collection[str],
    problems: list[Problem],
) -> None:
    for target in sorted({*route.to.values(), route.default} - {""}):
        if target not in connections:
            text = f"route {name}: {unknown('connection', target, connections)}"
            problems.append(Problem(node.place, text))


def _check_links(
    name: str, node: Node, settings: dict[str, dict[str, Any]], problems: list[Problem]
) -> None:
    """What a connection names as linked to it must be a connection, and of the type it takes."""
    for key, wanted in LINKS.get(str(settings[name].get("type")), {}).items():
        target = settings[name].get(key)
        if not target or not isinstance(target, str) or not isinstance(node, Mapping):
            continue
        place = node.entries[key].place
        suitable = sorted(one for one, held in settings.items() if held.get("type") in wanted)
        if target == name:
            text = f"`{key}` of {name} is {name} itself: name another connection"
            problems.append(Problem(place, text))
        elif target not in settings:
            text = unknown(f"connection in `{key}`:", target, suitable)
            problems.append(Problem(place, f"connection {name}: {text}"))
        elif settings[target] and target not in suitable:
            takes = ", ".join(sorted(wanted))
            text = f"`{target}` is of type {settings[target]['type']}; `{key}` takes {takes}"
            problems.append(Problem(place, f"connection {name}: {text}"))
