"""Sends one event into a sandbox and tells what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub_responder.errors import HubResponderError
from hub_responder.events import decode_finding
from hub_toolkit.trip import outcome
from hub_toolkit.trip.client import SandboxClient
from hub_toolkit.trip.inputs import EventFile
from hub_toolkit.trip.outcome import Entry, Record, Result

IDLE_TIMEOUT_S = 120.0
"""Real seconds for one event; with a fast clock it takes well under one."""


class Trips:
    """Events through one sandbox, one after the other, so that each is told apart."""

    def __init__(self, client: SandboxClient) -> None:
        self._client = client
        self._audit = client.audit()
        self._dead = {letter["message_id"] for letter in client.dead_letters()}

    def run(self, file: EventFile) -> list[Result]:
        """Send the event, wait until nothing more happens, and read what did.

        Raises:
            SandboxError: the sandbox does not answer.
        """
        known = [finding.id for finding in file.trigger.findings]
        before = {**_told(file.event), **self._client.findings(known)}
        sent = self._client.send_event(file.event)
        idle = self._client.wait_idle(IDLE_TIMEOUT_S)
        audit = self._client.audit()
        records = outcome.added(self._audit, audit)
        self._audit = audit
        if not idle:
            why = f"the sandbox was not idle after {IDLE_TIMEOUT_S:.0f} s"
            entries = [outcome.lost(file.name, None, known, why)]
        elif sent["rules"] and not records:
            why = f"matched {', '.join(sent['rules'])}, but no run recorded anything"
            entries = [outcome.lost(file.name, None, known, why)]
        else:
            entries = outcome.entries(file.name, known, records)
        letters = [
            one for one in self._client.dead_letters() if one["message_id"] not in self._dead
        ]
        self._dead |= {letter["message_id"] for letter in letters}
        entries = [outcome.with_letters(entry, letters) for entry in entries]
        ids = list(dict.fromkeys(item for entry in entries for item in entry.finding_ids))
        after = self._client.findings(ids)
        return [_result(entry, records, file.event, before, after) for entry in entries]


def _result(
    entry: Entry,
    records: Sequence[Record],
    event: Mapping[str, Any],
    before: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
) -> Result:
    own = outcome.of_incident(records, entry)
    sent = outcome.results(own, "notify")
    opened = outcome.results(own, "ticket.open")
    return Result(
        entry=entry,
        instances=_instances(entry.finding_ids, event, after),
        messages=tuple(str(result.get("connection", "")) for result in sent),
        tickets=tuple(str(result.get("id", "")) for result in opened),
        state=_state(entry.finding_ids, before, after),
        seconds=outcome.seconds(own),
    )


def _instances(
    finding_ids: Sequence[str],
    event: Mapping[str, Any],
    held: Mapping[str, Mapping[str, Any]],
) -> tuple[str, ...]:
    """The instances of findings, as the event tells of them or else as Security Hub does."""
    raw = {**held, **_told(event)}
    found: list[str] = []
    for finding_id in finding_ids:
        try:
            found += decode_finding(dict(raw.get(finding_id, {}))).instance_ids
        except HubResponderError:
            continue
    return tuple(dict.fromkeys(found))


def _told(event: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The findings that an event holds, by id; those of the new Security Hub have it elsewhere."""
    found: dict[str, dict[str, Any]] = {}
    for finding in event["detail"].get("findings") or ():
        if isinstance(finding, dict):
            info = finding.get("finding_info")
            other = info.get("uid") if isinstance(info, dict) else ""
            found[str(finding.get("Id") or other)] = finding
    return found


def _state(
    finding_ids: Sequence[str],
    before: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
) -> str:
    """The findings' workflow now, and before where it was another; they may differ."""
    states: dict[str, None] = {}
    for finding_id in finding_ids:
        now = _workflow(after.get(finding_id, {}))
        was = _workflow(before.get(finding_id, {})) or now
        if now:
            states[now if now == was else f"{was} -> {now}"] = None
    return ", ".join(states)


def _workflow(finding: Mapping[str, Any]) -> str:
    if "finding_info" in finding:
        return str(finding.get("status", "")).upper()
    workflow = finding.get("Workflow")
    return str(workflow.get("Status", "")) if isinstance(workflow, Mapping) else ""
