"""One run of the archive: every hour that is over and not sealed, in order, as time allows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_responder import aws, clock, observability
from hub_responder.archive import items
from hub_responder.archive.catalog import Bucket
from hub_responder.archive.digest import Deployment
from hub_responder.archive.layout import HOUR_S, Period, period_at
from hub_responder.archive.sealing import Archiver
from hub_responder.errors import ConfigurationError

if TYPE_CHECKING:
    from hub_responder.archive.sealing import Standing
    from hub_responder.deadline import Deadline

GRACE_S = 1200.0
"""An hour is sealed so long after its end: 15 minutes that a function may run, 5 for its clock."""
PERIOD_S = 60.0
"""No period is begun with less time left."""
CALL_S = 10.0


@dataclass(slots=True)
class Done:
    """What one run did.

    Attributes:
        periods, records: how many were sealed. behind_s: the age of what waits to be sealed;
            what is too young to be sealed does not count. first: the first one that was sealed.
    """

    first: Period | None = None
    periods: int = 0
    records: int = 0
    behind_s: float = 0.0


def run(environment: Mapping[str, str], deadline: Deadline) -> Done:
    """Seal what is due. The environment names the table, the bucket, the key and the stage.

    Raises:
        CallError: something cannot be read, written or signed.
        ConfigurationError: the archive's last digest cannot be read.
    """
    archiver = _archiver(environment, deadline)
    period, before = _next(archiver)
    done = Done()
    try:
        while _is_over(period) and deadline.left() > PERIOD_S:
            before = archiver.seal(period, before)
            done.first = done.first or period
            done.periods += 1
            done.records += before[0].records
            observability.count("RecordsArchived", before[0].records)
            for name in before[0].incomplete:
                observability.logger().error("a run has a hole", extra={"incomplete": name})
            observability.count("IncompleteRuns", len(before[0].incomplete))
            period = period.next
    finally:
        done.behind_s = max(clock.now() - period.end - GRACE_S, 0.0)
        observability.measure("ArchiveBehind", done.behind_s)
    return done


def _is_over(period: Period) -> bool:
    return period.end + GRACE_S <= clock.now()


def _next(archiver: Archiver) -> tuple[Period, Standing | None]:
    """The first period that is not sealed, and the digest before it."""
    last = archiver.bucket.last()
    if last is None:
        return _first(archiver), None
    try:
        held = archiver.bucket.digest(last)
    except ValueError as error:
        raise ConfigurationError(f"{last.digest_key} is no digest: {error}") from error
    if held is None:
        raise ConfigurationError(f"{last.digest_key} was listed and is gone")
    return last.next, (held[0].digest, held[1])


def _first(archiver: Archiver) -> Period:
    """The first hour with records; where there are none, the newest that is over."""
    begun = items.first_hour(archiver.table, archiver.deadline)
    return begun or period_at(clock.now() - HOUR_S - GRACE_S)


def _archiver(environment: Mapping[str, str], deadline: Deadline) -> Archiver:
    key = environment["ARCHIVE_KEY"]
    deployment = Deployment(
        account=environment["ARCHIVE_ACCOUNT"],
        region=environment["AWS_REGION"],
        stage=environment["STAGE"],
    )

    def sign(message: bytes) -> bytes:
        answer = _kms("sign", deadline, KeyId=key, Message=message, **_ALGORITHM)
        return bytes(answer["Signature"])

    public = _kms("get_public_key", deadline, KeyId=key)["PublicKey"]
    return Archiver(
        table=environment["AUDIT_TABLE"],
        bucket=Bucket(environment["ARCHIVE_BUCKET"], deadline),
        deployment=deployment,
        keyid=hashlib.sha256(public).hexdigest(),
        sign=sign,
        deadline=deadline,
    )


_ALGORITHM = {"MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}


def _kms(name: str, deadline: Deadline, **request: Any) -> dict[str, Any]:
    deadline.timeout(CALL_S, target=f"kms.{name}")
    try:
        answer: dict[str, Any] = getattr(aws.client("kms"), name)(**request)
    except aws.ERRORS as error:
        raise aws.translate(error, f"kms.{name}") from error
    return answer
