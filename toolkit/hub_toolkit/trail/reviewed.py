"""What a review looks at: every playbook with its owner and what it did, every suppression."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from hub_toolkit.playbooks.format import TAKEN
from hub_toolkit.trail import history
from hub_toolkit.trail.activity import Activity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.playbooks.load import Project


class Reviewed(msgspec.Struct, frozen=True):
    """One playbook.

    Attributes:
        since, changed: days (ISO 8601) of its first and last commit, or empty.
        state: live, observe or disabled. last: when it did anything, or empty.
        findings .. undecided: see `Activity`. done, failed, observed: steps.
        remarks: what to look at: never matched, conditions that decide nothing, no reason given.
    """

    name: str
    owner: str
    why: str
    runbook: str
    since: str
    changed: str
    state: str
    last: str
    findings: int
    rounds: int
    skipped: int
    undecided: int
    done: int
    failed: int
    observed: int
    remarks: list[str]


def review(project: Project, activities: Mapping[str, Activity]) -> list[Reviewed]:
    """The project's playbooks, by name."""
    return [
        _reviewed(source, project, activities.get(source.name, Activity()))
        for source in project.sources
    ]


def gone(project: Project, activities: Iterable[str]) -> list[str]:
    """Names that did something but are no playbook of the project; those of ours are none."""
    return sorted(set(activities) - {source.name for source in project.sources} - TAKEN - {""})


def _reviewed(source: Source, project: Project, did: Activity) -> Reviewed:
    since, changed = history.dates(source.directory)
    return Reviewed(
        name=source.name,
        owner=source.owner or project.settings.owner,
        why=source.why,
        runbook=source.runbook,
        since=since,
        changed=changed,
        state=source.mode if source.enabled else "disabled",
        last=did.last,
        findings=did.findings,
        rounds=did.rounds,
        skipped=did.skipped,
        undecided=did.undecided,
        done=did.count("done"),
        failed=did.count("failed"),
        observed=did.count("observed"),
        remarks=_remarks(source, project, did),
    )


def _remarks(source: Source, project: Project, did: Activity) -> list[str]:
    said = []
    if source.enabled and not did.last:
        said.append("never matched")
    elif source.enabled and not did.findings:
        said.append("took up nothing")
    said += did.one_sided()
    asked = {*source.only_if, *source.always_if}
    if did.last:
        said += [f"never asked: {one}" for one in sorted(asked - set(did.conditions))]
    if not (source.owner or project.settings.owner):
        said.append("nobody answers for it: `owner`")
    if not source.why:
        said.append("no reason is given: `why`")
    return said
