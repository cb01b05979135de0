"""``vision_one.fleet_report``: which running instances have no agent, an old or an offline one.

Instances are judged as `check_coverage` judges them, from one walk through the inventory; modules
are not looked at, which would take a call for each instance. The whole list goes to a CSV file in
the stack's bucket of reports, the worst of it into the result.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from hub_responder import aws, fleet
from hub_responder.actions import check_coverage
from hub_responder.actions.base import (
    MAX_RESULT,
    Action,
    Outcome,
    Statement,
    Work,
    attempt,
    fitting,
    line,
)
from hub_responder.clock import iso
from hub_responder.connections.permissions import asking
from hub_responder.connections.resolve import resolve
from hub_responder.deadline import Deadline
from hub_responder.errors import ConfigurationError, TransientError
from hub_responder.vision_one import clues
from hub_responder.vision_one.asking import Question
from hub_responder.vision_one.permissions import snapshots

if TYPE_CHECKING:
    from hub_responder.fleet import Fleet, Machine
    from hub_responder.runtime import Runtime
    from hub_responder.vision_one.coverage import Coverage

BUCKET = "REPORTS_BUCKET"
PREFIX = "fleet-report"
FOR_THE_FILE_S = 12.0
"""What is left to write the file and record the step, however slowly the others answer."""
MAX_ROWS = 50
MAX_REGIONS = 30
_ORDER = ("UNPROTECTED", "DEGRADED", "UNKNOWN", "PROTECTED")
_NO_AGENT = frozenset({"no_endpoint", "no_agent", "sensor_only"})
_OFFLINE = frozenset({"offline", "never_connected", "stale"})
_OLD = "components_outdated"
_OWNERS = ("Owner", "owner")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection")."""

_Region = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}(-[a-z]+){1,3}-[0-9]{1,2}$")]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where instances are looked for, and what counts as offline.

    Accounts are those of the settings (``accounts``), else this one; ``regions`` are those of the
    settings where none is named, else this one. ``stale_after``: seconds without contact that are
    too long. ``most`` rows are given (1 to 50).
    """

    regions: Annotated[tuple[_Region, ...], msgspec.Meta(max_length=MAX_REGIONS)] = ()
    stale_after: float = 86_400.0
    most: Annotated[int, msgspec.Meta(ge=1, le=MAX_ROWS)] = 15
    connection: str = "vision-one"


class Row(msgspec.Struct, frozen=True):
    """An instance that is not plainly protected; ``reasons`` as in ``vision_one.check_coverage``.

    ``last_contact`` is ISO 8601, or empty.
    """

    instance: str
    name: str
    account: str
    region: str
    owner: str
    verdict: str
    reasons: tuple[str, ...]
    last_contact: str = ""


class Result(msgspec.Struct, frozen=True):
    """Numbers of all running instances, the worst as ``worst`` (rows), and the file with all.

    Four numbers by verdict make up ``total``. ``no_agent``, ``offline`` and ``old`` (components
    outdated) overlap: an instance can be old and offline. ``more`` instances are not PROTECTED and
    not among the rows. ``file`` is an s3:// address. ``left_out`` says what could not be read, or
    is empty.
    """

    total: int
    unprotected: int = 0
    degraded: int = 0
    unknown: int = 0
    protected: int = 0
    no_agent: int = 0
    offline: int = 0
    old: int = 0
    worst: tuple[Row, ...] = ()
    more: int = 0
    file: str = ""
    left_out: str = ""


Judged = tuple["Machine", "Coverage"]


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """A report for each incident; a scheduled run is one."""
    return [attempt(lambda own: _report(own, runtime), work) for work in works]


def _report(work: Work, runtime: Runtime) -> Outcome:
    params: Params = work.params
    bucket = os.environ.get(BUCKET, "")
    if not bucket:
        raise ConfigurationError(f"{BUCKET} is not set: write the template again and deploy it")
    played = runtime.playbook
    places = fleet.places(played.accounts, params.regions or played.regions, runtime.deadline)
    found = fleet.running(places, played.member_role, _half(runtime.deadline))
    if not found.machines and found.error is not None:
        raise found.error
    judged = _judged(found, work, runtime)
    again = _nothing_told(judged)
    if again is not None:
        cause = str(judged[0][1].evidence.get("cause", "")) or judged[0][1].reasons[0]
        raise TransientError(f"no verdict could be told: {cause}", target="vision_one",
                             retry_after=again)  # fmt: skip
    key = f"{PREFIX}/{runtime.playbook.name}/{iso(runtime.now)[:10]}-{work.key[:12]}.csv"
    _write(bucket, key, table(judged), runtime.deadline)
    result = _result(judged, params.most, f"s3://{bucket}/{key}", found.left_out)
    return Outcome("done", line(_said(result)), result=msgspec.to_builtins(result))


def _half(deadline: Deadline) -> Deadline:
    """Half of what is left: the other half is Vision One's and the file's."""
    rest = deadline.left() / 2
    return Deadline(lambda: deadline.left() - rest)


def _judged(found: Fleet, work: Work, runtime: Runtime) -> list[Judged]:
    """The instances with their verdicts, the worst first."""
    params: Params = work.params
    coverages = check_coverage.judged(
        [Question(clues.of(machine.resource)) for machine in found.machines],
        check_coverage.Params(stale_after=params.stale_after, connection=params.connection),
        resolve(runtime.playbook, params.connection, work.scope),
        runtime.playbook.connections,
        stage=runtime.stage,
        deadline=Deadline(lambda: runtime.deadline.left() - FOR_THE_FILE_S),
    )
    return sorted(zip(found.machines, coverages, strict=True), key=_place_in_list)


def _place_in_list(one: Judged) -> tuple[int, str, str, str]:
    machine, coverage = one
    resource = machine.resource
    return _rank(coverage), resource.account, resource.region, resource.instance_id


def _rank(coverage: Coverage) -> int:
    return _ORDER.index(coverage.verdict) if coverage.verdict in _ORDER else len(_ORDER)


def _nothing_told(judged: Sequence[Judged]) -> float | None:
    """Seconds after which to ask again, where no verdict at all could be told for now."""
    waits = [coverage.retry_after for _, coverage in judged if coverage.verdict == "UNKNOWN"]
    if not judged or len(waits) < len(judged):
        return None
    return max((wait for wait in waits if wait is not None), default=None)


def _row(one: Judged) -> Row:
    machine, coverage = one
    resource = machine.resource
    return Row(
        instance=resource.instance_id,
        name=resource.name[:80],
        account=resource.account,
        region=resource.region,
        owner=_owner(machine)[:80],
        verdict=coverage.verdict,
        reasons=tuple(reason[:80] for reason in coverage.reasons[:4]),
        last_contact=str(coverage.evidence.get("last_connected", "")),
    )


def _owner(machine: Machine) -> str:
    tags = machine.resource.tags
    return next((tags[key] for key in _OWNERS if tags.get(key)), "")


def _result(judged: Sequence[Judged], most: int, file: str, left_out: Sequence[str]) -> Result:
    counts = Counter(str(coverage.verdict) for _, coverage in judged)
    codes = [frozenset(coverage.reasons) for _, coverage in judged]
    bad = [one for one in judged if one[1].verdict != "PROTECTED"]
    result = Result(
        total=len(judged),
        unprotected=counts["UNPROTECTED"],
        degraded=counts["DEGRADED"],
        unknown=counts["UNKNOWN"],
        protected=counts["PROTECTED"],
        no_agent=sum(bool(held & _NO_AGENT) for held in codes),
        offline=sum(bool(held & _OFFLINE) for held in codes),
        old=sum(_OLD in held for held in codes),
        more=len(bad),
        file=file,
        left_out="; ".join(left_out)[:1000],
    )
    rows = fitting(map(_row, bad[:most]), MAX_RESULT - len(msgspec.json.encode(result)))
    return msgspec.structs.replace(result, worst=rows, more=len(bad) - len(rows))


def _said(result: Result) -> str:
    counts = (
        f"{result.unprotected} UNPROTECTED, {result.degraded} DEGRADED, "
        f"{result.unknown} UNKNOWN, {result.protected} PROTECTED"
    )
    left_out = f"; not read: {result.left_out}" if result.left_out else ""
    return f"{result.total} running instances: {counts}; {result.file}{left_out}"


# The file

HEADINGS = (
    "verdict", "reasons", "account", "region", "instance", "name", "owner", "type", "private_ip",
    "launched", "endpoint", "agent_status", "last_contact", "policy", "checked_at",
)  # fmt: skip


def table(judged: Sequence[Judged]) -> bytes:
    """All instances as CSV: UTF-8 with a byte order mark, so that Excel reads names in Japanese;
    what a spreadsheet would take for a formula begins with an apostrophe."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(HEADINGS)
    for one in judged:
        writer.writerow([plain(cell) for cell in _cells(one)])
    return file.getvalue().encode("utf-8-sig")


def plain(cell: str) -> str:
    """``cell`` as text, whatever a spreadsheet makes of its beginning."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _cells(one: Judged) -> Iterator[str]:
    machine, coverage = one
    resource, told = machine.resource, coverage.evidence
    yield coverage.verdict
    yield " ".join(coverage.reasons)
    yield from (resource.account, resource.region, resource.instance_id, resource.name)
    yield from (_owner(machine), machine.kind)
    yield "".join(resource.details.get("IpV4Addresses", ()))
    yield iso(machine.launched) if machine.launched is not None else ""
    yield from (str(told.get(key, "")) for key in ("endpoint", "agent_status", "last_connected"))
    yield str(told.get("policy", ""))
    yield iso(coverage.checked_at)


def _write(bucket: str, key: str, body: bytes, deadline: Deadline) -> None:
    """Writing it again is harmless: the key is that of the run, and the bucket keeps versions."""
    deadline.timeout(10.0, target="s3.PutObject")
    try:
        aws.client("s3").put_object(
            Bucket=bucket, Key=key, Body=body, ContentType="text/csv; charset=utf-8"
        )
    except aws.ERRORS as error:
        raise aws.translate(error, "s3.PutObject") from error


def plan(work: Work, runtime: Runtime) -> str:
    """Where instances would be looked for."""
    regions = ", ".join(work.params.regions or runtime.playbook.regions) or "this region"
    accounts = ", ".join(runtime.playbook.accounts) or "this account"
    return line(f"would list the running instances of {accounts} in {regions}, and write the file")


def permissions(
    _with: Mapping[str, Any], connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Describing instances, writing below one prefix; Vision One's secret, and its snapshot."""
    objects = {"Fn::Sub": f"${{ReportsBucket.Arn}}/{PREFIX}/*"}
    return [
        {"Effect": "Allow", "Action": ["ec2:DescribeInstances"], "Resource": ["*"]},
        {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": [objects]},
        *asking(connections),
        *snapshots(),
    ]


ACTION = Action(
    name="vision_one.fleet_report",
    summary="Lists the running instances without an agent, or with an old or offline one, as CSV.",
    effects=True,
    params=Params,
    result=Result,
    permissions=permissions,
    example="""\
- id: fleet
  uses: vision_one.fleet_report
  with: {regions: [ap-northeast-1, us-east-1], stale_after: 3d}
""",
    run=run,
    connection_kinds={"connection": check_coverage.KINDS},
    in_members=True,
    reports=True,
    inventory=True,
    plan=plan,
)
