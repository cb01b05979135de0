"""What somebody chose for a new playbook, and what the format makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_responder.finding import INSTANCE
from hub_responder.identifiers import asff_type
from hub_responder.severity import Severity
from hub_toolkit.playbooks.problems import unknown
from hub_toolkit.playbooks.schedules import mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TRIGGERS = ("imported", "imported_v2", "click", "schedule")
IMPORTS = frozenset({"imported", "imported_v2"})
STEPS = {
    "coverage": "vision_one.check_coverage",
    "ticket": "ticket.open",
    "notify": "notify",
    "update": "finding.update",
}
"""Step -> its action, in the order in which they run."""
NEED_FINDINGS = ("coverage", "update")
"""Steps about findings of Security Hub, which a schedule without an insight does not bring."""
SEVERITIES = tuple(severity.value for severity in Severity)
"""From the least to the worst."""
PRODUCTS = ("Inspector", "GuardDuty", "Security Hub", "Macie", "IAM Access Analyzer")
"""Those that are offered; any other may be named. The text is ASFF's
``ProductFields.aws/securityhub/ProductName``."""
CRON = "0 9 ? * MON *"
"""Mondays at nine."""
MAX_BUTTON = 20
"""Characters of a custom action's name, as of its id (API reference, CreateActionTarget)."""


@dataclass(frozen=True, slots=True)
class Choices:
    """A new playbook.

    Attributes:
        triggers: some of `TRIGGERS`. steps: some of `STEPS`.
        products, resource_types: what imported findings are about; empty: any. Types are in ASFF's
            spelling (AwsEc2Instance) or CloudFormation's (AWS::EC2::Instance).
        severity: the least of imported findings.
        to, in_: the connections or routes for the message and the ticket.
        vision_one: the connection for coverage.
        button: the custom action's name. action_id: its id.
        cron, insight: of the schedule.
        owner: empty: the one in settings.
    """

    name: str
    triggers: tuple[str, ...] = ("imported",)
    steps: tuple[str, ...] = tuple(STEPS)
    products: tuple[str, ...] = ()
    severity: str = SEVERITIES[0]
    resource_types: tuple[str, ...] = ()
    to: str = ""
    in_: str = ""
    vision_one: str = ""
    button: str = ""
    action_id: str = ""
    cron: str = ""
    insight: str = ""
    owner: str = ""
    summary: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """The severities that start it, the worst first; empty: all do."""
        position = SEVERITIES.index(self.severity)
        return tuple(reversed(SEVERITIES[position:])) if position else ()

    @property
    def imports(self) -> bool:
        """Imported findings start it, in ASFF or OCSF."""
        return bool(IMPORTS & set(self.triggers))

    @property
    def types(self) -> tuple[str, ...]:
        """The types of resources in ASFF's spelling."""
        return tuple(dict.fromkeys(map(asff_type, self.resource_types)))

    @property
    def match(self) -> dict[str, Any]:
        """The pattern over an imported finding in ASFF."""
        found: dict[str, Any] = {}
        if self.products:
            found["ProductFields"] = {"aws/securityhub/ProductName": list(self.products)}
        if self.labels:
            found["Severity"] = {"Label": list(self.labels)}
        if self.types:
            found["Resources"] = {"Type": list(self.types)}
        return found

    @property
    def match_v2(self) -> dict[str, Any]:
        """The pattern over an imported finding in OCSF. Some name types as ASFF does there too."""
        found: dict[str, Any] = {}
        if self.products:
            found["metadata"] = {"product": {"name": list(self.products)}}
        if self.labels:
            found["severity"] = [label.capitalize() for label in self.labels]
        if self.resource_types:
            both = [name for one in self.resource_types for name in (cloudformation(one), one)]
            both += self.types
            found["resources"] = {"type": list(dict.fromkeys(name for name in both if name))}
        return found

    @property
    def bare(self) -> bool:
        """Nothing but a schedule starts it, on no findings: it is about the account."""
        return self.triggers == ("schedule",) and not self.insight

    def has(self, word: str) -> bool:
        """Whether ``word`` is one of its triggers or steps."""
        return word in self.triggers or word in self.steps


def cloudformation(name: str) -> str:
    """CloudFormation's name of a type of resources; empty where only ASFF's is known."""
    return "AWS::EC2::Instance" if name == INSTANCE else name if "::" in name else ""


def filled(name: str, said: Mapping[str, Any]) -> Choices:
    """The choices that were made, by attribute, and the usual ones for the others."""
    triggers = tuple(said.get("triggers", ("imported",)))
    types = tuple(said.get("resource_types", ()))
    insight = str(said.get("insight", ""))
    steps = tuple(said.get("steps", usual_steps(triggers, types, insight)))
    usual: dict[str, Any] = {"triggers": triggers, "steps": steps}
    if IMPORTS & set(triggers):
        usual["severity"] = "HIGH"
        if not {"products", "resource_types", "severity"} & set(said):
            usual["products"] = PRODUCTS[:1]
        if "coverage" in steps:
            usual["resource_types"] = (INSTANCE,)
    if "schedule" in triggers:
        usual["cron"] = CRON
    return Choices(name, **{**usual, **said})


def usual_steps(
    triggers: Sequence[str], resource_types: Sequence[str], insight: str
) -> tuple[str, ...]:
    """All steps that make sense for what starts the playbook."""
    unfit: tuple[str, ...] = ()
    if "schedule" in triggers and not insight:
        unfit = NEED_FINDINGS
    elif resource_types and INSTANCE not in map(asff_type, resource_types):
        unfit = ("coverage",)
    return tuple(step for step in STEPS if step not in unfit)


def problems(choices: Choices) -> Iterator[str]:
    """What no playbook can be made of, whatever the project holds."""
    for what, given, allowed in (
        ("trigger", choices.triggers, TRIGGERS),
        ("step", choices.steps, tuple(STEPS)),
        ("severity", (choices.severity,), SEVERITIES),
    ):
        for word in given:
            if word not in allowed:
                yield unknown(what, word, allowed)
        if not given:
            yield f"a playbook needs a {what}: {', '.join(allowed)}"
    yield from _of_triggers(choices)
    if choices.has("coverage") and choices.types and INSTANCE not in choices.types:
        yield (
            "coverage is a question about instances: choose resource type "
            f"{INSTANCE}, or leave the step coverage out"
        )


def _of_triggers(choices: Choices) -> Iterator[str]:
    chosen = choices.products or choices.resource_types or choices.severity != SEVERITIES[0]
    if choices.imports and not chosen:
        yield ("this would start on every finding: choose a product, a severity or a resource type")
    if chosen and not choices.imports:
        yield (
            "product, severity and resource type choose among imported findings: add trigger "
            "imported"
        )
    for one in choices.resource_types if choices.has("imported_v2") else ():
        if not cloudformation(one):
            yield (
                "imported_v2 knows types of resources by CloudFormation's names: write "
                f"`{one[:80]}` as AWS::EC2::Instance is written"
            )
    yield from _too_long(choices)
    if choices.has("schedule"):
        if not choices.insight and any(step in choices.steps for step in NEED_FINDINGS):
            yield (
                f"a schedule brings no findings for {' and '.join(NEED_FINDINGS)}: name an "
                "insight, or leave them out"
            )
        reason = mistake(choices.cron.split())
        if reason:
            yield f"the schedule `{choices.cron[:80]}` {reason}: write as {CRON}"
        if choices.imports and choices.has("click"):
            yield (
                "imported findings, a click and a schedule are over the 12 resources of a "
                "playbook: make two of it"
            )


def _too_long(choices: Choices) -> Iterator[str]:
    for what, text, most in (
        ("summary", choices.summary, 200),
        ("owner", choices.owner, 100),
        ("button", choices.button, MAX_BUTTON),
    ):
        if len(text) > most:
            yield f"the {what} has {len(text)} characters; at most {most}"
        if not text.isprintable():
            yield f"the {what} has line breaks or control characters"


def button(name: str) -> str:
    """What the console's button says for playbook ``name``."""
    return name.replace("-", " ").capitalize()[:MAX_BUTTON]


def action_id(name: str, taken: Sequence[str]) -> str:
    """A custom action's id for playbook ``name``: at most 20 letters and digits, none of ``taken``.

    Ids that differ in case only are taken as the same: nobody could tell them apart.
    """
    words = "".join(part.capitalize() for part in name.split("-"))[:MAX_BUTTON]
    used = {one.lower() for one in taken}
    number, found = 1, words
    while found.lower() in used:
        number += 1
        found = f"{words[: MAX_BUTTON - len(str(number))]}{number}"
    return found


def summary(choices: Choices) -> str:
    """One line about the playbook, for who gives none."""
    if choices.imports:
        product = " and ".join(choices.products)
        about = f"of {' and '.join(choices.resource_types)}" if choices.resource_types else ""
        words = [_span(choices.labels), product, "findings", about]
        subject = " ".join(word for word in words if word)
    elif choices.has("click"):
        subject = "findings that an analyst clicks on"
    elif choices.insight:
        subject = "the findings of an insight"
    else:
        subject = "the account, by the clock"
    done = {
        "coverage": "Vision One coverage",
        "ticket": "ticket",
        "notify": "message",
        "update": "finding update",
    }
    listed = [done[step] for step in STEPS if step in choices.steps]
    text = f"{', '.join(listed[:-1])} and {listed[-1]}" if len(listed) > 1 else listed[0]
    return f"{text[0].upper()}{text[1:]} for {subject}"


def _span(labels: Sequence[str]) -> str:
    """``CRITICAL and HIGH``, or ``CRITICAL to LOW``."""
    return " and ".join(labels) if len(labels) < 3 else f"{labels[0]} to {labels[-1]}"  # noqa: PLR2004
