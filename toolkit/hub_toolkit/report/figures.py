"""What a report counts, asked of the archive's events with DuckDB.

Findings are told apart by the hash of their id: a year has millions of them, whose ids would not
fit the memory. A finding counts as taken up when a run opened a round for it or joined it to one,
as answered when a message was sent, a ticket opened or the finding written for it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

if TYPE_CHECKING:
    from hub_toolkit.archive.tables import Tables

LISTED = 200
"""Rows of a list; what there is more is counted."""
VERDICTS = ("PROTECTED", "DEGRADED", "UNPROTECTED", "UNKNOWN", "NOT_APPLICABLE")
_ANSWERS = "('notify', 'ticket.open', 'finding.update')"
_RANGE = (
    "time >= $since AND time < $until AND (len($accounts::VARCHAR[]) = 0"
    " OR list_contains($accounts::VARCHAR[], coalesce(unmapped.account, cloud.account.uid)))"
)
_ATTEMPT = "hash(unmapped.incident, unmapped.gen, unmapped.round, unmapped.step)"
_SUPPRESSED = (
    "(unmapped.kind = 'outcome' AND unmapped.status = 'done' AND (unmapped.uses ="
    " 'finding.suppress' OR (unmapped.step = '_sync' AND message LIKE 'Suppressed%')))"
)
_EXCEPTIONS = (
    "((unmapped.kind = 'outcome' AND unmapped.status = 'failed')"
    " OR unmapped.kind IN ('dead', 'unreadable', 'tampered', 'guard'))"
)
_OPERATORS = "(class_uid = 6003 AND unmapped.kind <> 'read')"
_UNSEEN = "(unmapped.kind = 'unseen')"
_QUARTER_MS = 900_000
"""No day begins between two quarters of an hour, anywhere."""
_SHARES = "[0.5, 0.9, 0.95, 0.99]"


class Range(msgspec.Struct, frozen=True):
    """What is reported: epoch milliseconds (``until`` is not in it), accounts (none: all), the name
    of the time zone that days are of, and the seconds within which an answer is expected."""

    since: int
    until: int
    zone: str = "UTC"
    accounts: list[str] = []
    baseline_s: float = 900.0


class Summary(msgspec.Struct, frozen=True):
    """How many there were of each."""

    records: int = 0
    findings: int = 0
    answered: int = 0
    incidents: int = 0
    ended: int = 0
    clicks: int = 0
    repeats: int = 0
    skipped: int = 0
    effects: int = 0
    failed: int = 0
    dead: int = 0
    dry: int = 0


class Response(msgspec.Struct, frozen=True):
    """Seconds from taking a finding up to the first answer, by what answered it; ``within`` is how
    many took no longer than the baseline."""

    uses: str
    count: int
    within: int
    median: float
    p90: float
    p95: float
    p99: float
    longest: float


class Played(msgspec.Struct, frozen=True):
    """What one playbook did."""

    playbook: str
    findings: int
    rounds: int
    skipped: int
    done: int
    failed: int
    dry: int
    versions: int
    last: int


class Day(msgspec.Struct, frozen=True):
    """One day: findings taken up, and verdicts of coverage by name."""

    day: str
    findings: int
    verdicts: dict[str, int]


class Row(msgspec.Struct, frozen=True):
    """A record that is listed: when (milliseconds), whose, what, about which findings, by whom."""

    at: int
    playbook: str
    kind: str
    uses: str
    detail: str
    who: str
    findings: list[str]


class Listed(msgspec.Struct, frozen=True):
    """Rows, and how many more there are."""

    rows: list[Row] = []
    more: int = 0

    @property
    def count(self) -> int:
        """All of them."""
        return len(self.rows) + self.more


class Reader(msgspec.Struct, frozen=True):
    """Who read the archive on one day: an ARN, how many objects, when first and last
    (milliseconds)."""

    day: str
    who: str
    reads: int
    first: int
    last: int


class Readers(msgspec.Struct, frozen=True):
    """Who read the archive by day, and how many more lines there are."""

    rows: list[Reader] = []
    more: int = 0


class Figures(msgspec.Struct, frozen=True):
    """All of a report but the integrity of the trail.

    Attributes:
        unanswered: findings that were taken up and not answered in the range.
        suppressed: what was suppressed, by whom and until when. exceptions: what failed.
        unresolved: attempts of which no outcome is known. operators: what people did by hand.
        unseen: findings that a rule selects and that never came to its playbook.
        reconciled: hours in which findings were looked for that no rule saw.
        readers: who read the archive, as far as a trail with data events tells it.
    """

    range: Range
    summary: Summary
    responses: list[Response]
    playbooks: list[Played]
    days: list[Day]
    unanswered: Listed
    suppressed: Listed
    exceptions: Listed
    unresolved: Listed
    operators: Listed
    unseen: Listed
    reconciled: int
    readers: Readers


def figures(tables: Tables, wanted: Range) -> Figures:
    """Count everything.

    Raises:
        DeploymentError: the archive cannot be read.
    """
    asking = _Asking(tables, wanted)
    return Figures(
        range=wanted,
        summary=asking.summary(),
        responses=asking.responses(),
        playbooks=asking.playbooks(),
        days=asking.days(),
        unanswered=asking.unanswered(),
        suppressed=asking.listed(_SUPPRESSED),
        exceptions=asking.listed(_EXCEPTIONS),
        unresolved=asking.unresolved(),
        operators=asking.listed(_OPERATORS),
        unseen=asking.listed(_UNSEEN),
        reconciled=asking.reconciled(),
        readers=asking.readers(),
    )


class _Asking:
    """The events of a range, in a table with the columns that the questions need."""

    def __init__(self, tables: Tables, wanted: Range) -> None:
        self._tables, self._wanted = tables, wanted
        self._zone = ZoneInfo(wanted.zone)
        tables.make(
            "asked",
            "SELECT time, unmapped.kind AS kind, unmapped.playbook AS playbook,"
            " hash(unmapped.version) AS version, unmapped.uses AS uses, unmapped.status AS status,"
            " unmapped.verdict AS verdict, unmapped.trigger = 'custom_action' AS clicked,"
            " unmapped.status = 'observed' OR coalesce(unmapped.dry_run, false) AS dry,"
            f" CASE WHEN {_SUPPRESSED} THEN 1 WHEN {_EXCEPTIONS} THEN 2 WHEN {_OPERATORS} THEN 3"
            f" WHEN {_UNSEEN} THEN 4 ELSE 0 END::UTINYINT AS list, {_ATTEMPT} AS attempt,"
            " list_transform(unmapped.findings, lambda x: hash(x)) AS findings"
            f" FROM events WHERE {_RANGE}",
            **self._range(),
        )
        lists = dict(tables.ask("SELECT list, count(*) FROM asked WHERE list > 0 GROUP BY 1"))
        conditions = (_SUPPRESSED, _EXCEPTIONS, _OPERATORS, _UNSEEN)
        self._counts = {one: lists.get(number, 0) for number, one in enumerate(conditions, 1)}
        tables.make(
            "taken",
            "SELECT f AS finding, playbook, min(time) AS moment FROM"
            " (SELECT unnest(findings) AS f, playbook, time FROM asked"
            " WHERE kind IN ('opened', 'joined')) GROUP BY ALL",
        )
        tables.make(
            "answers",
            "SELECT f AS finding, playbook, uses, min(time) AS moment FROM"
            " (SELECT unnest(findings) AS f, playbook, uses, time FROM asked WHERE kind = 'outcome'"
            f" AND status = 'done' AND uses IN {_ANSWERS}) GROUP BY ALL",
        )

    def summary(self) -> Summary:
        ((*counts,),) = self._tables.ask(
            "SELECT count(*),"
            " (SELECT count(DISTINCT finding) FROM taken),"
            " (SELECT count(DISTINCT finding) FROM taken SEMI JOIN answers USING (finding)),"
            " count(*) FILTER (kind = 'opened'), count(*) FILTER (kind = 'ended'),"
            " count(*) FILTER (clicked AND kind IN ('opened', 'joined')),"
            " count(*) FILTER (kind = 'repeat'),"
            " coalesce(sum(len(findings)) FILTER (kind = 'skipped'), 0)::BIGINT,"
            " count(*) FILTER (kind = 'attempt'),"
            " count(*) FILTER (kind = 'outcome' AND status = 'failed'),"
            " count(*) FILTER (kind IN ('dead', 'unreadable')),"
            " count(*) FILTER (dry)"
            " FROM asked"
        )
        return Summary(*counts)

    def responses(self) -> list[Response]:
        spent = "(answers.moment - taken.moment) / 1000.0"
        rows = self._tables.ask(
            f"SELECT uses, count(*), count(*) FILTER ({spent} <= $baseline),"
            f" quantile_cont({spent}, {_SHARES}), max({spent})"
            " FROM taken JOIN answers USING (finding, playbook)"
            f" WHERE {spent} >= 0 GROUP BY uses ORDER BY uses",
            baseline=self._wanted.baseline_s,
        )
        return [
            Response(uses, count, within, *(round(one, 3) for one in (*shares, longest)))
            for uses, count, within, shares, longest in rows
        ]

    def playbooks(self) -> list[Played]:
        rows = self._tables.ask(
            "SELECT playbook, (SELECT count(*) FROM taken WHERE taken.playbook = asked.playbook),"
            " count(*) FILTER (kind = 'finished'),"
            " coalesce(sum(len(findings)) FILTER (kind = 'skipped'), 0)::BIGINT,"
            " count(*) FILTER (kind = 'outcome' AND status = 'done'),"
            " count(*) FILTER (kind = 'outcome' AND status = 'failed'),"
            " count(*) FILTER (dry), count(DISTINCT version), max(time)"
            " FROM asked WHERE playbook IS NOT NULL GROUP BY playbook ORDER BY playbook"
        )
        return [Played(*row) for row in rows]

    def days(self) -> list[Day]:
        found: dict[str, Counter[str]] = {}
        quarter = f"// {_QUARTER_MS} * {_QUARTER_MS}"
        for at, count in self._tables.ask(
            f"SELECT moment {quarter}, count(*) FROM"
            " (SELECT finding, min(moment) AS moment FROM taken GROUP BY finding) GROUP BY 1"
        ):
            found.setdefault(self._day(at), Counter())[""] += count
        for at, verdict, count in self._tables.ask(
            f"SELECT time {quarter}, verdict, count(*) FROM asked WHERE verdict IS NOT NULL"
            " AND kind = 'outcome' GROUP BY 1, 2"
        ):
            found.setdefault(self._day(at), Counter())[verdict] += count
        return [Day(day, counts.pop("", 0), dict(counts)) for day, counts in sorted(found.items())]

    def _day(self, at: int) -> str:
        return f"{datetime.fromtimestamp(at / 1000, self._zone):%Y-%m-%d}"

    def unanswered(self) -> Listed:
        """Findings that were taken up and not answered, nor left alone with a reason."""
        self._tables.make(
            "open_findings",
            "SELECT finding, moment FROM"
            " (SELECT finding, min(moment) AS moment FROM taken GROUP BY finding)"
            " ANTI JOIN (SELECT finding FROM answers UNION SELECT unnest(findings) FROM asked"
            " WHERE kind IN ('closed', 'skipped')) USING (finding)",
        )
        ((count,),) = self._tables.ask("SELECT count(*) FROM open_findings")
        if not count:
            return Listed()
        rows = self._tables.ask(
            "SELECT time, raw_data FROM events WHERE unmapped.kind IN ('opened', 'joined')"
            " AND list_has_any(list_transform(unmapped.findings, lambda x: hash(x)),"
            " (SELECT list(finding) FROM (SELECT finding FROM open_findings ORDER BY moment"
            f" LIMIT {LISTED}))) AND {_RANGE} ORDER BY time LIMIT {LISTED}",
            **self._range(),
        )
        listed = [_row(at, line) for at, line in rows]
        return Listed(listed, max(count - len(listed), 0))

    def unresolved(self) -> Listed:
        """Attempts of which neither an outcome nor a later attempt's outcome is known."""
        known = (
            "SELECT attempt FROM asked WHERE kind IN ('outcome', 'answered', 'returned',"
            " 'redriven')"
        )
        where = f"kind = 'attempt' AND attempt NOT IN ({known})"
        ((count,),) = self._tables.ask(f"SELECT count(*) FROM asked WHERE {where}")
        return self._rows(
            f"unmapped.kind = 'attempt' AND {_ATTEMPT} NOT IN ({known})",
            count,
        )

    def reconciled(self) -> int:
        ((count,),) = self._tables.ask("SELECT count(*) FROM asked WHERE kind = 'reconciled'")
        return int(count)

    def readers(self) -> Readers:
        """The last day first, and of a day those who read most."""
        found: dict[tuple[str, str], Reader] = {}
        for who, reads, first, last in self._tables.ask(
            "SELECT json_extract_string(raw_data, '$.actor'),"
            " sum(json_extract(raw_data, '$.count')::BIGINT)::BIGINT, min(time), max(time)"
            f" FROM events WHERE {_RANGE} AND unmapped.kind = 'read'"
            f" GROUP BY 1, time // {_QUARTER_MS}",
            **self._range(),
        ):
            key = self._day(first), str(who)
            held = found.get(key, Reader(*key, 0, first, last))
            found[key] = Reader(
                *key, held.reads + reads, min(held.first, first), max(held.last, last)
            )
        rows = sorted(found.values(), key=lambda one: (one.day, one.reads, one.who), reverse=True)
        return Readers(rows[:LISTED], max(len(rows) - LISTED, 0))

    def listed(self, where: str) -> Listed:
        """The records for which something holds, the last ones first."""
        return self._rows(where, self._counts[where])

    def _rows(self, where: str, count: int) -> Listed:
        if not count:
            return Listed()
        rows: Sequence[tuple[int, str]] = self._tables.ask(
            f"SELECT time, raw_data FROM events WHERE {_RANGE} AND ({where})"
            f" ORDER BY time DESC LIMIT {LISTED}",
            **self._range(),
        )
        return Listed([_row(at, line) for at, line in rows], max(count - len(rows), 0))

    def _range(self) -> dict[str, Any]:
        wanted = self._wanted
        return {"since": wanted.since, "until": wanted.until, "accounts": wanted.accounts}


def _row(at: int, line: str) -> Row:
    record = json.loads(line)
    trigger = record.get("trigger", {})
    return Row(
        at=at,
        playbook=str(record.get("playbook", "")),
        kind=str(record["kind"]),
        uses=str(record.get("uses") or record.get("step") or ""),
        detail=str(record.get("detail") or record.get("why") or ""),
        who=str(record.get("actor") or trigger.get("by") or trigger.get("kind") or ""),
        findings=[str(one) for one in record.get("findings", ())],
    )
