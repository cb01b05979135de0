"""``incident.related``: the other live findings on an incident's resource, looked up when read.

GetFindings takes 3 calls per second in an account, so one call asks for the resources of all
incidents of a run, as far as a page has room for them. Where it has not, the resource whose
findings are read is asked for alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from hub_responder import get_findings
from hub_responder.engine.rounds import badness
from hub_responder.errors import CallError, UnreadableFinding
from hub_responder.events import decode_finding

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.engine.rounds import Round
    from hub_responder.finding import Finding, Resource
    from hub_responder.incident import Incident

MAX_LISTED = 50
MAX_PAGES = 5
"""Pages of one resource that are read: its worst 500 findings. More than one is read only where the
incident's own findings fill it."""

Joined = Callable[[Iterable[tuple[str, str]]], set[tuple[str, str]]]
"""Which of these (incident, finding id) ever joined the incident, as the ledger knows."""


class Listed(NamedTuple):
    """What was found: the worst `MAX_LISTED`, and whether there are more."""

    findings: tuple[Finding, ...] = ()
    more: bool = False


class Related(Sequence["Finding"]):
    """The other findings on one incident's resource, worst first; reading any part looks them up.

    Raises:
        CallError: Security Hub or the ledger cannot be asked; again for all that read it in this
            run, without another call.
    """

    def __init__(self, incident: Incident, others: Others) -> None:
        self.incident = incident
        self._others = others

    def __len__(self) -> int:
        return len(self._others.listed(self).findings)

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Finding]: ...
    def __getitem__(self, index: int | slice) -> Finding | Sequence[Finding]:
        return self._others.listed(self).findings[index]

    @property
    def more(self) -> bool:
        """There are more than are listed."""
        return self._others.listed(self).more


class Others:
    """The other findings of the incidents of one run."""

    def __init__(self, joined: Joined, deadline: Deadline) -> None:
        self._joined = joined
        self._deadline = deadline
        self._made: dict[tuple[str, int, int], Related] = {}
        self._known: dict[Related, Listed | CallError] = {}
        self._alone: set[Related] = set()
        self._lock = threading.Lock()

    def know(self, rounds: Iterable[Round]) -> None:
        """The incidents of ``rounds`` are looked up with the first of them whose are read."""
        for one in rounds:
            self.of(one)

    def of(self, one: Round) -> Related:
        """The other findings of a round's incident, the same for all its steps."""
        incident = one.incident
        key = (incident.key, incident.gen, incident.round)
        if key not in self._made:
            self._made[key] = Related(incident, self)
        return self._made[key]

    def listed(self, asked: Related) -> Listed:
        """What Security Hub holds; asked once."""
        with self._lock:  # of ten threads one asks: the rate is the account's
            if asked not in self._known:
                self._look_up(asked)
            known = self._known[asked]
        if isinstance(known, CallError):
            raise known
        return known

    def _look_up(self, asked: Related) -> None:
        group = self._group(asked)
        try:
            self._read(group)
            if asked not in self._known:
                self._read([asked])
        except CallError as error:
            self._known |= {one: error for one in group if one not in self._known}

    def _group(self, asked: Related) -> list[Related]:
        """``asked`` and others that one call can ask for as well."""
        group, room = [asked], get_findings.VALUES_AT_ONCE - len(_names(asked))
        if asked in self._alone:
            return group
        for one in self._made.values():
            if one is asked or one in self._known or one in self._alone:
                continue
            room -= len(_names(one))
            if room < 0:
                break
            group.append(one)
        return group

    def _read(self, group: Sequence[Related]) -> None:
        """Ask for the resources of ``group``; where they are many and one page does not hold all,
        each is left to be asked for alone."""
        found: dict[Related, dict[str, Finding]] = {one: {} for one in group}
        pages = get_findings.pages(_filters(group), self._deadline, worst_first=True)
        for number, page in enumerate(pages, 1):
            if page.more and len(group) > 1:
                self._alone.update(group)
                return
            self._sort_out(page.findings, found)
            full = all(len(held) > MAX_LISTED for held in found.values())
            if not page.more or full or number == MAX_PAGES:
                break
        for one, held in found.items():
            worst = sorted(held.values(), key=badness, reverse=True)
            more = page.more or len(worst) > MAX_LISTED
            self._known[one] = Listed(tuple(worst[:MAX_LISTED]), more)

    def _sort_out(
        self, raws: Iterable[dict[str, Any]], found: dict[Related, dict[str, Finding]]
    ) -> None:
        """Add to ``found`` what is on its resources, by id, without the incident's own."""
        others: list[tuple[Incident, Finding, dict[str, Finding]]] = []
        for finding in _readable(raws):
            for one, held in found.items():
                on_it = _on(one.incident.resource, finding)
                if on_it is not None and not _is_own(finding, one.incident):
                    others.append((one.incident, finding.with_resource(on_it), held))
        asked = {(of.key, finding.id) for of, finding, _ in others if _had_earlier(of)}
        joined = self._joined(asked) if asked else set()
        for of, finding, held in others:
            if (of.key, finding.id) not in joined:
                held.setdefault(finding.id, finding)


def _readable(raws: Iterable[dict[str, Any]]) -> Iterator[Finding]:
    for raw in raws:
        with suppress(UnreadableFinding):
            yield decode_finding(raw)


def _names(one: Related) -> list[str]:
    """How findings name the resource: some name an instance without its ARN."""
    resource = one.incident.resource
    return list(dict.fromkeys(name for name in (resource.id, resource.instance_id) if name))


def _filters(group: Iterable[Related]) -> dict[str, Any]:
    wanted = {
        "ResourceId": [name for one in group for name in _names(one)],
        "RecordState": ["ACTIVE"],
        "WorkflowStatus": ["NEW", "NOTIFIED"],
    }
    return {
        field: [{"Value": value, "Comparison": "EQUALS"} for value in dict.fromkeys(values)]
        for field, values in wanted.items()
    }


def _on(resource: Resource, finding: Finding) -> Resource | None:
    """Which of the finding's resources is ``resource``."""
    for one in finding.resources:
        same = one.instance_id == resource.instance_id if resource.instance_id else False
        if same or one.id == resource.id:
            return one
    return None


def _is_own(finding: Finding, incident: Incident) -> bool:
    """In this round. What came as OCSF has the same id in ASFF, which GetFindings answers in."""
    return any(own.id == finding.id for own in incident.findings)


def _had_earlier(incident: Incident) -> bool:
    """Findings joined it that are not of this round."""
    return incident.count > len(incident.findings)
