"""Copies of the archive's events for Security Lake, after the archive itself is sealed.

Each source goes on where its last delivery ended, so that what failed is tried again with the next
run and nothing is left out. An object is written under the same key each time: to deliver one twice
changes nothing. What is copied is what a digest names, byte for byte.

The layout is Security Lake's (user guide, "Collecting data from custom sources"): below the
source's own location ``region=/accountId=/eventDay=``, one class of events in a source. Late
records lie in the day that they are of, not in that of the digest which names them. The provider's
role is there to write to that location, so that objects are read with the function's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hub_responder import aws, clock, member, observability
from hub_responder.archive import lake
from hub_responder.archive.catalog import PARQUET, Bucket
from hub_responder.archive.digest import sha256
from hub_responder.archive.layout import Period, is_late, period_named, period_of_data
from hub_responder.archive.run import GRACE_S
from hub_responder.archive.sealing import LATE_HOURS
from hub_responder.errors import CallError, HubResponderError, PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hub_responder.archive.digest import Digest, Sealed
    from hub_responder.deadline import Deadline

HOUR_LEFT_S = 30.0
"""No hour is begun with less time left."""
SESSION_S = 900
CALL_S = 10.0
MAX_FAILURE = 300
_KEY = re.compile(r"ext/[^/]+/(region=[^/]+/accountId=[^/]+)/eventDay=\d{8}/([^/]+)", re.ASCII)
_LOCATION = re.compile(r"s3[an]?://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/([^?#\s]{1,900})", re.ASCII)


def deliver(environment: Mapping[str, str], deadline: Deadline, begun: Period | None) -> int:
    """Bring the registered sources what was sealed; the number of objects that were written.

    Whatever goes wrong is kept with the source, logged and measured, and never raised: the archive
    does not depend on it.

    Args:
        environment: names the ledger and the archive's bucket.
        begun: the first hour that this run sealed: a new source begins with it, or with the newest
            sealed one.
    """
    try:
        return _deliver(environment, deadline, begun)
    except HubResponderError as error:
        observability.logger().error("nothing goes to the lake", extra={"reason": str(error)})
    except Exception as error:  # noqa: BLE001 - see above
        observability.log_bug(error)
    return 0


def _deliver(environment: Mapping[str, str], deadline: Deadline, begun: Period | None) -> int:
    table = environment["LEDGER_TABLE"]
    sources = lake.active(table)
    if not sources:
        return 0
    bucket = Bucket(environment["ARCHIVE_BUCKET"], deadline)
    last = bucket.last()
    if last is None:
        return 0
    archive = _Archive(bucket, last, begun or last, {})
    count, behind = 0, 0.0
    for source in sources:
        courier = _Courier(source, archive, deadline)
        reached = courier.bring()
        count += courier.count
        if reached != source:
            _note(table, reached)
        if reached.failure:
            said = {"source": source.name, "reason": reached.failure}
            observability.logger().error("the lake got nothing", extra=said)
        behind = max(behind, _behind(period_named(reached.next_hour), last))
    observability.measure("LakeBehind", behind)
    return count


def _note(table: str, reached: lake.Source) -> None:
    """Keep how far it came; where that fails, the next run brings the same again."""
    try:
        lake.note(table, reached)
    except CallError as error:
        said = {"source": reached.name, "reason": str(error)}
        observability.logger().error("the delivery was not noted", extra=said)


def _behind(period: Period, last: Period) -> float:
    return max(clock.now() - period.end - GRACE_S, 0.0) if period <= last else 0.0


@dataclass(frozen=True, slots=True)
class _Archive:
    """What is sealed: ``last`` is the newest hour, ``first`` where new sources begin."""

    bucket: Bucket
    last: Period
    first: Period
    digests: dict[Period, Digest | None]

    def objects(self, period: Period, key: str) -> Iterator[Sealed]:
        """The objects with an hour's events of one class."""
        if period not in self.digests:
            held = self.bucket.digest(period)
            self.digests[period] = held[0].digest if held else None
        digest = self.digests[period]
        for sealed in digest.objects if digest else ():
            if str(sealed.class_uid) == key and period_of_data(sealed.key) is not None:
                yield sealed


class _Courier:
    """Brings one source what it has not."""

    def __init__(self, source: lake.Source, archive: _Archive, deadline: Deadline) -> None:
        self._source = source
        self._archive = archive
        self._deadline = deadline
        self._client: Any = None
        self.count = 0

    def bring(self) -> lake.Source:
        """The source, with how far it came."""
        source, archive = self._source, self._archive
        period = period_named(source.next_hour) if source.next_hour else archive.first
        written, failure = source.last_key, ""
        try:
            while period <= archive.last and self._deadline.left() > HOUR_LEFT_S:
                for sealed in archive.objects(period, source.key):
                    written = self._copy(sealed, period)
                    self.count += 1
                period = period.next
        except (CallError, ValueError) as error:
            failure = str(error)[:MAX_FAILURE]
        now = clock.iso(clock.now())
        return replace(
            source,
            next_hour=period.partition,
            last_key=written,
            delivered_at=now if self.count else source.delivered_at,
            failure=failure,
            failing_since=(source.failing_since or now) if failure else "",
        )

    def _copy(self, sealed: Sealed, period: Period) -> str:
        """Write one object; its URI."""
        bucket, prefix = placed(self._source.location)
        body = self._archive.bucket.get(sealed.key)
        if body is None or sha256(body) != sealed.sha256:
            text = f"{sealed.key} is not as it was sealed: hub-responder audit verify"
            raise PermanentError(text, target="s3.GetObject")
        key = f"{prefix}/{below(sealed.key, period)}"
        client = self._writer()
        self._deadline.timeout(CALL_S, target="s3.PutObject")
        try:
            client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=PARQUET)
        except aws.ERRORS as error:
            raise aws.translate(error, "s3.PutObject to the lake") from error
        return f"s3://{bucket}/{key}"

    def _writer(self) -> Any:
        if self._client is None:
            self._client = aws.client("s3", credentials=self._assumed())
        return self._client

    def _assumed(self) -> aws.Credentials:
        target = "sts.AssumeRole of the lake's provider role"
        self._deadline.timeout(CALL_S, target=target)
        try:
            answer = aws.client("sts").assume_role(
                RoleArn=self._source.role_arn,
                RoleSessionName=member.session_name(),
                ExternalId=self._source.external_id,
                DurationSeconds=SESSION_S,
            )["Credentials"]
        except aws.ERRORS as error:
            raise aws.translate(error, target) from error
        return aws.Credentials(
            answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"]
        )


def placed(location: str) -> tuple[str, str]:
    """The bucket and the prefix of a source's location, the prefix without a slash at its ends.

    Raises:
        PermanentError: it is no S3 URI with a prefix.
    """
    found = _LOCATION.fullmatch(location)
    prefix = found[2].strip("/") if found else ""
    if found is None or not prefix:
        raise PermanentError(f"{location[:100]!r} is no location in S3", target="securitylake")
    return found[1], prefix


def below(key: str, period: Period) -> str:
    """Where an object of the archive lies below a source's location.

    Args:
        period: of the digest that names it.

    Raises:
        TransientError: it is no object with events.
    """
    found = _KEY.fullmatch(key)
    if found is None:
        raise TransientError(f"{key[:100]!r} holds no events", target="s3")
    day = period.before(LATE_HOURS).day if is_late(key) else period.day
    return f"{found[1]}/eventDay={day}/{found[2]}"
