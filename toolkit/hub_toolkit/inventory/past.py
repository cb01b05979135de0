"""An instance at a past moment: what the snapshots before and after it say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from hub_toolkit.inventory.reading import DamagedError, Reader

if TYPE_CHECKING:
    from hub_toolkit.inventory.history import History, Taken

_NEAREST = 3
_ALIKE = 0.85
"""Of Jaro-Winkler's measure, from 0 to 1: what is less alike is no slip of the pen."""
_TRIES = 4
_MOMENT_S = 0.5
_SEEN = """
SELECT * FROM {snapshot}
WHERE ($account = '' OR account = $account)
  AND (instance IN (SELECT unnest($asked))
    OR lower(name) IN (SELECT unnest($asked))
    OR lower(endpoint) IN (SELECT unnest($asked))
    OR lower(split_part(endpoint, '.', 1)) IN (SELECT unnest($asked)))
"""
_LIKE = """
SELECT instance, coalesce(name, '') AS name,
  greatest(jaro_winkler_similarity(lower(instance), $asked),
           jaro_winkler_similarity(lower(coalesce(name, '')), $asked)) AS alike
FROM {snapshot} WHERE ($account = '' OR account = $account)
ORDER BY alike DESC, instance LIMIT $most
"""
_MANY = "SELECT count(*) AS many FROM {snapshot} WHERE ($account = '' OR account = $account)"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What one snapshot says of one instance; the verdict is the one that was given then.

    Attributes:
        taken_at, last_contact: epoch seconds.
        running: None where EC2 was not asked.
        ips_rules: how many intrusion prevention rules are assigned; None: not told.
    """

    taken_at: float
    account: str = ""
    region: str = ""
    instance: str = ""
    name: str = ""
    running: bool | None = None
    verdict: str = "UNKNOWN"
    reasons: list[str] = []
    tier: str = ""
    agent_guid: str = ""
    endpoint: str = ""
    agent_status: str = ""
    last_contact: float | None = None
    agent_version: str = ""
    components: str = ""
    policy: str = ""
    isolation: str = ""
    sensor_status: str = ""
    modules_on: list[str] = []
    modules_off: list[str] = []
    computer: int | None = None
    ips_state: str = ""
    ips_rules: int | None = None

    @property
    def names(self) -> set[str]:
        """What it can be asked for by, in lower case."""
        short = self.endpoint.partition(".")[0]
        names = (self.instance, self.name, self.endpoint, short)
        return {name.lower() for name in names if name}


@dataclass(frozen=True, slots=True)
class Around:
    """One instance before and after the moment; None where that snapshot does not hold it."""

    before: Seen | None
    after: Seen | None

    @property
    def known(self) -> Seen:
        """The earlier one, or the later one where it alone holds the instance."""
        found = self.before or self.after
        assert found is not None, "it was found in one of them"  # noqa: S101 - how it is made
        return found


class Instead(msgspec.Struct, frozen=True):
    """What a snapshot (of ``taken_at``) has: how many instances, and which sound alike."""

    taken_at: float
    instances: int
    alike: list[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found of everything that was asked for.

    Attributes:
        asked: how many. before, after: when the snapshots were taken; None: there is none.
        found: by what was asked for; several where a name is that of several.
        missing: what was asked for and is in neither snapshot -> what is there.
        damaged: what of the snapshots could not be read.
    """

    asked: int
    before: float | None
    after: float | None
    found: Mapping[str, Sequence[Around]]
    missing: Mapping[str, Instead]
    damaged: Sequence[DamagedError]

    @property
    def whole(self) -> bool:
        """All that was asked for has a verdict of before the moment, or of the very moment."""
        told = [one.before for some in self.found.values() for one in some]
        return (
            self.before is not None
            and len(self.found) == self.asked
            and all(one is not None and one.verdict != "UNKNOWN" for one in told)
        )


def around(
    history: History, connection: str, asked: Sequence[str], at: float, account: str = ""
) -> Answer:
    """What the snapshots before and after ``at`` say of instances, by their id or name.

    A snapshot that cannot be read is passed over for the one before it or after it.

    Raises:
        DeploymentError: the history cannot be read.
    """
    asking = _Asking(history, connection, asked, account)
    before, earlier = asking.before(at)
    after, later = asking.after(at)
    pairs = _paired(earlier, later)
    found = {each: [one for one in pairs if each.lower() in one.known.names] for each in asked}
    nearest = before or after
    missing = [each for each, some in found.items() if not some]
    return Answer(
        asked=len(asked),
        before=before.at if before else None,
        after=after.at if after else None,
        found={each: some for each, some in found.items() if some},
        missing={each: asking.instead_of(each, nearest) for each in missing if nearest},
        damaged=asking.damaged,
    )


@dataclass(slots=True)
class _Asking:
    """What is asked of whichever snapshots can be read."""

    history: History
    connection: str
    asked: Sequence[str]
    account: str
    damaged: list[DamagedError] = field(default_factory=list)

    def before(self, at: float) -> tuple[Taken | None, list[Seen]]:
        """The last readable snapshot up to ``at``."""
        for _ in range(_TRIES):
            taken = self.history.before(at, self.connection)
            if taken is None:
                break
            seen = self._seen(taken)
            if seen is not None:
                return taken, seen
            at = taken.at - _MOMENT_S
        return None, []

    def after(self, at: float) -> tuple[Taken | None, list[Seen]]:
        """The first readable snapshot after ``at``."""
        for _ in range(_TRIES):
            taken = self.history.after(at, self.connection)
            if taken is None:
                break
            seen = self._seen(taken)
            if seen is not None:
                return taken, seen
            at = taken.at
        return None, []

    def _seen(self, taken: Taken) -> list[Seen] | None:
        try:
            with Reader(self.history, [taken]) as reader:
                return seen(reader, taken, self.asked, self.account)
        except DamagedError as error:
            self.damaged.append(error)
            return None

    def instead_of(self, asked: str, taken: Taken) -> Instead:
        """What a snapshot has instead of an instance that it does not have."""
        with Reader(self.history, [taken]) as reader:
            (row,) = reader.ask(taken, _MANY, account=self.account)
            given = {"account": self.account, "asked": asked.lower(), "most": _NEAREST}
            rows = reader.ask(taken, _LIKE, **given)
        near = [f"{row['name']} ({row['instance']})" for row in rows if row["alike"] >= _ALIKE]
        return Instead(taken.at, row["many"], near)


def seen(reader: Reader, taken: Taken, asked: Sequence[str], account: str = "") -> list[Seen]:
    """What a snapshot says of instances, by their id, name or host name, in any case.

    Raises:
        DamagedError: it cannot be read. DeploymentError: as `Reader.ask`.
    """
    lower = [each.lower() for each in asked]
    rows = reader.ask(taken, _SEEN, asked=lower, account=account)
    return [_row(row, taken.at) for row in rows]


def _paired(earlier: Sequence[Seen], later: Sequence[Seen]) -> list[Around]:
    before = {(one.account, one.instance): one for one in earlier}
    after = {(one.account, one.instance): one for one in later}
    return [Around(before.get(key), after.get(key)) for key in sorted({*before, *after})]


def _row(row: Mapping[str, Any], taken_at: float) -> Seen:
    """A row; what a snapshot of another version lacks is as if it was not told."""
    told = {name: value for name, value in row.items() if value is not None}
    return msgspec.convert({**told, "taken_at": taken_at}, Seen)
