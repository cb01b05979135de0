"""The cases of a playbook: those in ``playbook.yaml`` and the YAML files of its ``tests/``.

Read with positions, so that every mistake is told with file, line and column.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from hub_responder.ledger.history import CLOSED_AS
from hub_responder.workload_security.shields import Shield
from hub_toolkit.dry.claims import Expect, read_expect
from hub_toolkit.playbooks import asff, structs
from hub_toolkit.playbooks import params as params_file
from hub_toolkit.playbooks.document import Mapping, Node, Scalar, Sequence, plain, read
from hub_toolkit.playbooks.fields import Fields, kind
from hub_toolkit.playbooks.problems import Place, PlaybookErrors, Problem, nearest, unknown
from hub_toolkit.playbooks.values import duration
from hub_toolkit.sandbox.faults import FaultError, Faults

if TYPE_CHECKING:
    from pathlib import Path

    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.playbooks.settings import Settings

TRIGGERS = ("imported", "click", "schedule")
LANGUAGES = ("en", "ja")
COVERAGE = "vision_one.check_coverage"
MAX_EARLIER = 50
MAX_EVENT = 1_000_000
_CASE = ("name", "language", "trigger", "event", "finding", "given", "expect")
_EARLIER = ("event", "finding", "trigger", "ago", "times", "closed_as")
_GIVEN = ("estate", "tags", "time", "earlier", "related", "params", "faults")
_ESTATE = (
    "vision_one", "computers", "rules", "ec2", "tasks", "container_instances", "groups",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stimulus:
    """What arrives.

    Attributes:
        event: a whole EventBridge event; None: the finding alone is told, or nothing.
        finding: changes laid over each finding of the event, or a finding of its own.
        trigger: imported, click or schedule (of which event and finding are what its insight
            holds); empty: what the event is, or the playbook's first.
    """

    event: dict[str, Any] | None
    finding: dict[str, Any]
    trigger: str
    place: Place


@dataclass(frozen=True, slots=True)
class Earlier:
    """Something that was handled before: ``times`` times, the last of them ``ago`` seconds ago."""

    stimulus: Stimulus
    ago: float
    times: int = 1
    closed_as: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """A verdict of Vision One that the estate is made for.

    Attributes:
        tier: how the agent is to be found; empty: by the instance's id.
        cves: the CVEs that Server & Workload Protection is to tell of; None: none is said.
    """

    verdict: str
    reasons: tuple[str, ...]
    place: Place
    tier: str = ""
    cves: tuple[Shield, ...] | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """The world that the case finds.

    Attributes:
        coverage: by the id of the step that checks it.
        answers: by the name of another action: its result, instead of asking or doing anything.
        endpoints: of Vision One; None: none but an unrelated one. instances: of EC2.
        computers, rules: of Server & Workload Protection.
        tasks, container_instances: of ECS. groups: of Auto Scaling.
        tags: laid over the tags of the findings' resources; None takes one away.
        time: the trigger's (epoch seconds); None: the event's.
        related: what Security Hub holds on the resource besides, as changes to a plain finding.
        params: values in place of the playbook's.
        faults: scripted failures, as the sandbox takes them.
    """

    coverage: dict[str, Coverage] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    endpoints: list[dict[str, Any]] | None = None
    computers: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    instances: list[dict[str, Any]] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    container_instances: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    tags: dict[str, str | None] = field(default_factory=dict)
    time: float | None = None
    earlier: tuple[Earlier, ...] = ()
    related: tuple[dict[str, Any], ...] = ()
    params: dict[str, Any] = field(default_factory=dict)
    faults: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One case."""

    name: str
    source: Source
    place: Place
    stimulus: Stimulus
    given: Given
    expect: Expect
    language: str = ""


def load(source: Source, root: Path, settings: Settings) -> tuple[Case, ...]:
    """The cases of a playbook.

    Args:
        root: the project; event files are looked for in the playbook's ``tests/`` and ``events/``.

    Raises:
        PlaybookErrors: with every problem of every case.
    """
    problems: list[Problem] = []
    nodes = [*source.tests]
    for path in sorted((source.directory / "tests").glob("*.y*ml")):
        try:
            nodes += _of_file(read(path, _shown(path, root)), problems)
        except PlaybookErrors as errors:
            problems += errors.problems
    reader = Reader(source, root, settings, problems)
    cases = tuple(reader.case(node, number) for number, node in enumerate(nodes, 1))
    seen: dict[str, Place] = {}
    for case in cases:
        if case.name in seen:
            text = f"two cases are named `{case.name}`, the first at {seen[case.name]}"
            problems.append(Problem(case.place, text))
        seen.setdefault(case.name, case.place)
    if problems:
        raise PlaybookErrors(problems)
    return cases


def _of_file(node: Node, problems: list[Problem]) -> tuple[Node, ...]:
    """A list of cases, one case, or a mapping with ``tests``."""
    if isinstance(node, Mapping) and set(node.entries) == {"tests"}:
        node = node.entries["tests"]
    elif isinstance(node, Mapping):
        return (node,)
    if isinstance(node, Sequence):
        return node.items
    problems.append(Problem(node.place, f"a file of cases is a list of them, not {kind(node)}"))
    return ()


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


class Reader:
    """Reads what is written about one playbook's cases.

    Args:
        problems: where problems are added.
    """

    def __init__(
        self, source: Source, root: Path, settings: Settings, problems: list[Problem]
    ) -> None:
        self._source = source
        self._folders = (source.directory / "tests", root / "events")
        self._zone = ZoneInfo(settings.timezone)
        self._problems = problems

    def case(self, node: Node, number: int) -> Case:
        """One case; what is wrong is added to the problems."""
        fields = Fields(node, "a case", self._problems, known=_CASE)
        expect = fields.node("expect", required=True)
        given = fields.node("given")
        return Case(
            name=fields.text("name", required=True, default=f"case {number}"),
            source=self._source,
            place=node.place,
            stimulus=self._stimulus(fields),
            given=self.given(given) if given is not None else Given(),
            expect=read_expect(expect, self._source, self._problems) if expect else Expect({}),
            language=fields.choice("language", LANGUAGES, "") if fields.node("language") else "",
        )

    def given(self, node: Node) -> Given:
        """What a case gives."""
        steps = {step.id: step.uses for step in self._source.steps}
        fields = Fields(node, "given", self._problems, known=(*_GIVEN, *steps))
        entries = node.entries if isinstance(node, Mapping) else {}
        coverage, answers = {}, {}
        for step, uses in steps.items():
            if step not in entries or step in _GIVEN:
                continue
            if uses == COVERAGE:
                coverage[step] = self._coverage(entries[step], step)
            else:
                answers[uses] = self._answer(entries[step], step, uses)
        estate = fields.node("estate")
        inner = Fields(estate, "estate", self._problems, known=_ESTATE) if estate else None
        return Given(
            coverage=coverage,
            answers=answers,
            endpoints=self._objects(inner, "vision_one") if inner else None,
            computers=(self._objects(inner, "computers") if inner else None) or [],
            rules=(self._objects(inner, "rules") if inner else None) or [],
            instances=(self._objects(inner, "ec2") if inner else None) or [],
            tasks=(self._objects(inner, "tasks") if inner else None) or [],
            container_instances=(
                (self._objects(inner, "container_instances") if inner else None) or []
            ),
            groups=(self._objects(inner, "groups") if inner else None) or [],
            tags=self._tags(fields),
            time=self._time(fields),
            earlier=self._earlier(fields),
            related=self._related(fields),
            params=self._params(fields),
            faults=self._faults(fields),
        )

    # What arrives

    def _stimulus(self, fields: Fields) -> Stimulus:
        event, finding = fields.node("event"), fields.node("finding")
        trigger = fields.choice("trigger", TRIGGERS, "") if fields.node("trigger") else ""
        if event is None and finding is None and trigger != "schedule":
            fields.report(fields.place, "a case needs `event` or `finding`: what arrives")
        return Stimulus(
            event=self._event(event) if event is not None else None,
            finding=self._finding(finding, alone=event is None) if finding is not None else {},
            trigger=trigger,
            place=fields.place,
        )

    def _event(self, node: Node) -> dict[str, Any] | None:
        if isinstance(node, Mapping):
            event: dict[str, Any] = plain(node)
            return event
        name = node.value if isinstance(node, Scalar) else None
        if not isinstance(name, str):
            text = f"`event` is the name of a file or an event, not {kind(node)}"
            self._report(node, text)
            return None
        return self._event_file(node, name)

    def _event_file(self, node: Node, name: str) -> dict[str, Any] | None:
        found = {
            path.name: path for folder in reversed(self._folders) for path in folder.glob("*.json")
        }
        if name not in found:
            near = nearest(name, list(found))
            hint = f"; did you mean `{near}`?" if near else ""
            where = "the playbook's tests/ nor in events/"
            self._report(node, f"there is no event file `{name[:80]}` in {where}{hint}")
            return None
        try:
            body = found[name].read_bytes()
            if len(body) > MAX_EVENT:
                raise ValueError(f"it has {len(body):,} bytes")  # noqa: TRY301 - told like the rest
            event = msgspec.json.decode(body, type=dict[str, Any])
        except (OSError, ValueError, RecursionError) as error:
            self._report(node, f"event file `{name}` cannot be read: {error}")
            return None
        return event

    def _finding(self, node: Node, *, alone: bool) -> dict[str, Any]:
        if not isinstance(node, Mapping):
            self._report(node, f"`finding` must be a mapping, not {kind(node)}")
            return {}
        finding: dict[str, Any] = plain(node)
        if alone and "finding_info" not in finding:
            for key, place in node.keys.items():
                if key not in asff.finding().fields:
                    near = nearest(key, asff.finding().fields)
                    hint = f"; did you mean `{near}`?" if near else ""
                    text = f"`{key[:80]}` is no field of an ASFF finding{hint}"
                    self._problems.append(Problem(place, text))
        return finding

    # What is given

    def _coverage(self, node: Node, step: str) -> Coverage:
        from hub_toolkit.dry.coverages import REASONS, TIERS, VERDICTS

        known = ("verdict", "reasons", "tier", "cves")
        fields = Fields(node, f"given.{step}", self._problems, known=known)
        verdict = fields.choice("verdict", VERDICTS, "") if fields.node("verdict") else ""
        if not verdict and not fields.node("verdict"):
            fields.report(fields.place, f"given.{step} lacks `verdict`")
        reasons = []
        for item in fields.items("reasons") or ():
            reason = str(plain(item))
            code = reason.partition(":")[0]
            if code in REASONS.get(verdict, ()):
                reasons.append(reason)
            elif verdict:
                allowed = REASONS.get(verdict, {})
                self._report(item, unknown(f"reason for {verdict}:", code, allowed))
        tier = fields.choice("tier", TIERS, "") if fields.node("tier") else ""
        return Coverage(verdict, tuple(reasons), node.place, tier, self._cves(fields, step))

    def _cves(self, fields: Fields, step: str) -> tuple[Shield, ...] | None:
        """What is to be told of CVEs, as the step's result has it."""
        nodes = fields.items("cves")
        if nodes is None:
            return None
        found: list[Shield] = []
        for node in nodes:
            what = f"given.{step}.cves"
            if not isinstance(node, Mapping):
                self._report(node, f"{what} is a list of mappings, not of {kind(node)}")
                continue
            before = len(self._problems)
            values = structs.check(node, Shield, what, self._problems)
            if len(self._problems) == before:
                found.append(msgspec.convert(values, Shield))
        return tuple(found)

    def _answer(self, node: Node, step: str, uses: str) -> dict[str, Any]:
        """The whole result of a step that asks or does nothing then."""
        if sum(other.uses == uses for other in self._source.steps) > 1:
            self._report(
                node, f"given.{step}: two steps use {uses}, so their results are not told apart"
            )
        if not isinstance(node, Mapping):
            self._report(node, f"given.{step} must be a mapping, not {kind(node)}")
            return {}
        result = self._source.action(uses).result
        return structs.check(node, result, f"given.{step}", self._problems)

    def _faults(self, fields: Fields) -> tuple[dict[str, Any], ...]:
        node, found = fields.node("faults"), self._objects(fields, "faults") or []
        taken = {"kill", "delay_s", "drip_s", "reset", "time_out"}
        if node is not None and any(taken & set(one) for one in found):
            names = "no kill, delay_s, drip_s, reset or time_out"
            self._report(node, f"`faults` here take {names}: time stands still, nothing is sent")
        try:
            Faults().add(found)
        except FaultError as error:
            self._report(node or Scalar(None, fields.place), str(error))
            return ()
        return tuple(found)

    def _objects(self, fields: Fields, key: str) -> list[dict[str, Any]] | None:
        nodes = fields.items(key)
        if nodes is None:
            return None
        found = []
        for node in nodes:
            value = plain(node)
            if isinstance(value, dict):
                found.append(value)
            else:
                self._report(node, f"`{key}` is a list of mappings, not of {kind(node)}")
        return found

    def _tags(self, fields: Fields) -> dict[str, str | None]:
        node = fields.node("tags")
        if node is None:
            return {}
        if not isinstance(node, Mapping):
            self._report(node, f"`tags` must be a mapping, not {kind(node)}")
            return {}
        found: dict[str, str | None] = {}
        for key, item in node.entries.items():
            value = plain(item)
            if value is None or isinstance(value, str):
                found[key] = value
            else:
                self._report(item, f"tag `{key[:80]}` must be text, not {kind(item)}")
        return found

    def _time(self, fields: Fields) -> float | None:
        text = fields.text("time", limit=40)
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            node = fields.node("time")
            assert node is not None  # noqa: S101 - its text was read
            self._report(node, "`time` is ISO 8601, as 2026-11-22T22:30:00+09:00")
            return None
        return (at if at.tzinfo else at.replace(tzinfo=self._zone)).astimezone(UTC).timestamp()

    def _earlier(self, fields: Fields) -> tuple[Earlier, ...]:
        found = []
        for node in fields.items("earlier") or ():
            one = Fields(node, "earlier", self._problems, known=_EARLIER)
            finding, event, times = one.node("finding"), one.node("event"), one.node("times")
            number = plain(times) if times is not None else 1
            if not isinstance(number, int) or not 1 <= number <= MAX_EARLIER:
                self._report(times or node, f"`times` is a whole number from 1 to {MAX_EARLIER}")
                number = 1
            ago = one.node("ago")
            seconds = duration(plain(ago)) if ago is not None else 3600.0
            if ago is not None and seconds is None:
                self._report(ago, "`ago` is a duration, as 30m or 2d")
            stimulus = Stimulus(
                event=self._event(event) if event is not None else None,
                finding=self._finding(finding, alone=False) if finding is not None else {},
                trigger=one.choice("trigger", TRIGGERS, "") if one.node("trigger") else "",
                place=node.place,
            )
            form = "capital letters, as FALSE_POSITIVE"
            closed_as = one.text("closed_as", limit=40, pattern=CLOSED_AS, form=form)
            found.append(Earlier(stimulus, seconds or 0.0, number, closed_as))
        return tuple(found)

    def _related(self, fields: Fields) -> tuple[dict[str, Any], ...]:
        found = []
        for node in fields.items("related") or ():
            if isinstance(node, Mapping) and "finding_info" in node.entries:
                self._report(node, "`related` holds findings in ASFF, which GetFindings answers in")
            else:
                found.append(self._finding(node, alone=True))
        return tuple(found)

    def _params(self, fields: Fields) -> dict[str, Any]:
        node = fields.node("params")
        if node is None:
            return {}
        if not isinstance(node, Mapping):
            self._report(node, f"`params` must be a mapping, not {kind(node)}")
            return {}
        found: dict[str, Any] = {}
        for name, item in node.entries.items():
            if name not in self._source.params:
                text = unknown("param", name, self._source.params)
                self._problems.append(Problem(node.keys[name], text))
                continue
            value, declared = plain(item), self._source.params[name]
            seconds = params_file.TYPES["duration"][0](value)
            same = value if type(value) is type(declared) else None
            found[name] = seconds if isinstance(declared, float) and seconds is not None else same
            if isinstance(declared, float) and type(value) is int:
                found[name] = float(value)
            if found[name] is None:
                said = f"param {name} is a {type(declared).__name__} like {declared!r}"
                self._report(item, f"{said}, not {kind(item)}")
        return found

    def _report(self, node: Node, text: str) -> None:
        self._problems.append(Problem(node.place, text))
