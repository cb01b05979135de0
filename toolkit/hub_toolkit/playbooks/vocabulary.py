"""What expressions and templates can name: variables, functions, filters, with their kinds."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from hub_responder.actions.base import Status
from hub_responder.finding import Finding
from hub_responder.incident import Incident
from hub_responder.playbook import Playbook
from hub_responder.tally import Tally
from hub_toolkit.playbooks import asff, kinds, ocsf
from hub_toolkit.playbooks.kinds import (
    ANYTHING,
    BOOLEAN,
    NUMBER,
    TEXT,
    Choice,
    Function,
    Record,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub_toolkit.playbooks.kinds import Kind

STATUSES = (*get_args(Status), "observed")
TRIGGERS = ("imported", "custom_action", "insight", "schedule")
FUNCTIONS: Mapping[str, Function] = {
    "open": Function("open", {"calendar": TEXT}, 1, BOOLEAN),
    "seen": Function("seen", {"days": NUMBER, "closed_as": TEXT}, 1, NUMBER),
    "tag": Function("tag", {"key": TEXT}, 1, TEXT),
}
"""Functions by name; `hub_responder.engine.names` has them."""

TALLY = kinds.of_class(Tally)

RELATED = "incident.related"
LOOKED_UP: Mapping[tuple[str, str], str] = {
    ("incident", "related"): RELATED,
    ("incident", "more_related"): RELATED,
}
"""Attributes whose reading asks another system -> what stands for them among the names that a
playbook uses; the permissions follow from those."""

LOOP = Record(
    "loop",
    lambda: {
        **dict.fromkeys(
            ("index", "index0", "revindex", "revindex0", "length", "depth", "depth0"), NUMBER
        ),
        **dict.fromkeys(("first", "last"), BOOLEAN),
        **dict.fromkeys(("previtem", "nextitem", "cycle", "changed"), ANYTHING),
    },
)
"""What Jinja's ``{% for %}`` calls ``loop``."""

TEXT_FILTERS = frozenset((
    "capitalize", "center", "clock", "console_url", "e", "escape", "filesizeformat", "forceescape",
    "format", "indent", "join", "lower", "pprint", "replace", "safe", "string", "striptags",
    "title", "tojson", "trim", "truncate", "upper", "urlencode", "urlize", "when", "wordwrap",
    "xmlattr",
))  # fmt: skip
NUMBER_FILTERS = frozenset((
    "abs", "count", "float", "int", "length", "round", "sum", "wordcount",
))  # fmt: skip
SAME_LIST_FILTERS = frozenset((
    "list", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "unique",
))  # fmt: skip
ITEM_FILTERS = frozenset(("first", "last", "max", "min", "random"))
ITERATING_FILTERS = frozenset((
    *SAME_LIST_FILTERS, *ITEM_FILTERS, "batch", "count", "groupby", "join", "length", "map",
    "slice", "sum",
))  # fmt: skip
"""Filters that go over a list, a mapping's keys or the letters of a text."""
ATTRIBUTE_FILTERS: Mapping[str, int | None] = {
    "map": None, "selectattr": 0, "rejectattr": 0, "groupby": 0, "sum": 0, "sort": 2, "unique": 1,
    "max": 1, "min": 1, "join": 1,
}  # fmt: skip
"""Filters that read an attribute of a list's items -> its position; always also ``attribute=``."""


@lru_cache(maxsize=8)
def variables(schemas: frozenset[str]) -> Mapping[str, Kind]:
    """The kinds of the variables, for findings that come in ``schemas``."""
    finding = kinds.of_class(Finding, {dict: ANYTHING})
    whole = Record("finding", lambda: {**finding.fields, "raw": raw(schemas)})
    texts = dict.fromkeys(("event_id", "insight", "left_out"), TEXT)
    trigger: dict[str, Kind] = {"kind": Choice(TRIGGERS), **texts}
    return {
        "finding": whole,
        "incident": kinds.of_class(Incident, {Finding: whole}),
        "playbook": kinds.of_class(Playbook),
        "trigger": Record("trigger", lambda: trigger, mapping=True),
        "now": NUMBER,
        "params": ANYTHING,
        "table": ANYTHING,
        **FUNCTIONS,
    }


def raw(schemas: frozenset[str]) -> Kind:
    """The kind of a finding as it came, in any of ``schemas``."""
    if not schemas:
        return ANYTHING
    return kinds.join([asff.finding() if one == "ASFF" else ocsf.finding() for one in schemas])


def tables(held: Mapping[str, Any]) -> Record:
    """The kind of ``table``."""
    return Record("table", lambda: kinds.of_values(held), mapping=True)


def step(name: str, result: type[msgspec.Struct]) -> Record:
    """What later steps read of a step whose action has ``result``."""
    held = kinds.of_class(result)
    more: dict[str, Kind] = {"status": Choice(STATUSES), "detail": TEXT}
    return Record(f"step {name}", lambda: {**held.fields, **more})
