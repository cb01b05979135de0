"""The fleet as the scheduled walk found it: one object in S3, kept in the process.

The walk's function writes it every 15 minutes; look-ups read it instead of walking. It is there to
make them cheap, never to decide alone: what cannot be had or read, or is too old, is as if there
were none, said in the log and in the metric ``SnapshotsUnusable``, and the caller walks.
"""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from hub_responder import aws, clock, observability
from hub_responder.columns import Columns, DamagedError, pack, unpack
from hub_responder.errors import PermanentError, TransientError
from hub_responder.vision_one.endpoint import Endpoint
from hub_responder.vision_one.inventory import Inventory
from hub_responder.workload_security.computer import Computer

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline

BUCKET = "INVENTORY_BUCKET"
"""The environment variable that names the bucket; without it there are no snapshots."""
PREFIX = "current"
CONTENT_TYPE = "application/vnd.hub-responder.snapshot"
MAX_AGE_S = 1800.0
"""Two walks: one may fail."""
REVALIDATE_S = 60.0
"""A snapshot that was written meanwhile is seen after a minute."""
MAX_STORED = 16_000_000
MAX_RAW = 32_000_000
"""Bytes before compression. 10,000 endpoints with their computers have 4 MB, and take 17 MB of the
process when they are read: more than this no function would hold."""
_MAGIC = b"hub-responder snapshot 1\n"
"""Another number is another form. Other fields of the structs in it are told by their names."""
_SKEW_S = 300.0
_CALL_S = 10.0
_CHUNK = 1 << 20
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a walk found.

    Attributes:
        tenant: the base URL of the Vision One that was asked.
        inventory: the endpoints, as a walk of one's own finds them. Their ``features`` hold the
            ``modules``, where they are known to be on (or, by Server & Workload Protection, off).
        computers: instance id -> its computers in Server & Workload Protection.
        computers_complete: all computers that there may be were read (none, where Server & Workload
            Protection is not linked); else one that is not there may be.
        modules: those whose states were asked for. Being on is proved, being absent proves nothing.
    """

    tenant: str
    inventory: Inventory
    computers: Mapping[str, Sequence[Computer]] = field(default_factory=dict)
    computers_complete: bool = False
    modules: Set[str] = frozenset()

    @property
    def read_at(self) -> float:
        """When the walk was begun (epoch seconds): everything in it may be that old."""
        return self.inventory.read_at


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    tenant: str
    read_at: float
    walked: int
    missing: int
    complete: bool
    unreadable: dict[str, int]
    shared: frozenset[str]
    modules: frozenset[str]
    computers_complete: bool
    endpoints: Columns
    computers: Columns


_DECODER = msgspec.msgpack.Decoder(_Stored)


def encode(snapshot: Snapshot) -> bytes:
    """What is stored.

    Raises:
        PermanentError: it is larger than what `decode` takes.
    """
    known = snapshot.inventory
    stored = _Stored(
        tenant=snapshot.tenant,
        read_at=known.read_at,
        walked=known.walked,
        missing=known.missing,
        complete=known.complete,
        unreadable=dict(known.unreadable),
        shared=frozenset(known.shared),
        modules=frozenset(snapshot.modules),
        computers_complete=snapshot.computers_complete,
        endpoints=pack(known.endpoints(), Endpoint),
        computers=pack([one for held in snapshot.computers.values() for one in held], Computer),
    )
    raw = msgspec.msgpack.encode(stored)
    body = _MAGIC + zlib.compress(raw)
    if len(raw) > MAX_RAW or len(body) > MAX_STORED:
        raise PermanentError(
            f"the snapshot of {known.walked} endpoints is too large: {len(raw)} bytes",
            target="snapshot",
        )
    return body


def decode(body: bytes) -> Snapshot:
    """What was stored.

    Raises:
        DamagedError: it is no snapshot, not whole, or of another version.
    """
    if not body.startswith(_MAGIC):
        raise DamagedError("no snapshot of this version")
    try:
        stored = _DECODER.decode(_inflated(body))
    except (zlib.error, msgspec.MsgspecError, UnicodeError) as error:
        raise DamagedError(f"not whole: {type(error).__name__}") from error
    texts: dict[str, str] = {}
    known = Inventory(
        read_at=stored.read_at,
        by_instance={},
        walked=stored.walked,
        missing=stored.missing,
        complete=stored.complete,
        unreadable=stored.unreadable,
        shared=stored.shared,
    ).with_endpoints(unpack(stored.endpoints, Endpoint, texts))
    computers = by_instance_id(unpack(stored.computers, Computer, texts))
    return Snapshot(stored.tenant, known, computers, stored.computers_complete, stored.modules)


def _inflated(body: bytes) -> bytes:
    inflater = zlib.decompressobj()
    raw = inflater.decompress(memoryview(body)[len(_MAGIC) :], MAX_RAW + 1)
    if len(raw) > MAX_RAW or not inflater.eof:
        raise DamagedError("cut off, or too large")
    return raw


def by_instance_id(computers: Iterable[Computer]) -> dict[str, list[Computer]]:
    """The computers that have an instance id, by it."""
    found: dict[str, list[Computer]] = {}
    for computer in computers:
        if computer.instance_id:
            found.setdefault(computer.instance_id, []).append(computer)
    return found


def save(connection: str, snapshot: Snapshot, deadline: Deadline) -> int:
    """Put the snapshot in the place of the one before, as a whole; its size in bytes.

    Raises:
        CallError: it was not stored; the one before stands.
    """
    body = encode(snapshot)
    deadline.timeout(_CALL_S, target="s3.PutObject")
    try:
        aws.client("s3").put_object(
            Bucket=os.environ[BUCKET], Key=key(connection), Body=body, ContentType=CONTENT_TYPE
        )
    except aws.ERRORS as error:
        raise aws.translate(error, "s3.PutObject") from error
    return len(body)


def key(connection: str) -> str:
    """The object's."""
    return f"{PREFIX}/{connection}.snapshot"


# Reading


@dataclass(slots=True)
class _Kept:
    """The object as this process last saw it."""

    asked_at: float | None = None
    etag: str = ""
    snapshot: Snapshot | None = None


_KEPT: dict[tuple[str, str], _Kept] = {}


def load(connection: str, tenant: str, deadline: Deadline) -> Snapshot | None:
    """The snapshot of the connection, where there is one to go by; nothing is raised.

    Args:
        tenant: the base URL of its Vision One: a snapshot of another one is none.
        deadline: nothing is asked for that could outlast it.
    """
    bucket = os.environ.get(BUCKET, "")
    if not bucket:
        return None
    with _LOCK:
        kept = _KEPT.setdefault((bucket, connection), _Kept())
        if kept.asked_at is None or not 0 <= clock.now() - kept.asked_at < REVALIDATE_S:
            _renew(kept, bucket, connection, deadline)
            kept.asked_at = clock.now()
        snapshot = kept.snapshot
    return snapshot if snapshot is not None and usable(snapshot, tenant) else None


def usable(snapshot: Snapshot, tenant: str) -> bool:
    """Whether it is of this tenant and young enough."""
    return snapshot.tenant == tenant and -_SKEW_S <= snapshot.inventory.age() <= MAX_AGE_S


def forget() -> None:
    """Drop what is kept in the process."""
    with _LOCK:
        _KEPT.clear()


def _renew(kept: _Kept, bucket: str, connection: str, deadline: Deadline) -> None:
    """Ask S3 whether there is another. Where it does not tell, what is kept stands, as long as it
    is young enough."""
    try:
        found = _get(bucket, connection, kept.etag, deadline)
        if found is not None:
            kept.etag, kept.snapshot = found[0], None
            kept.snapshot = decode(found[1])
    except (TransientError, PermanentError) as error:
        if error.status in _NONE:
            kept.etag, kept.snapshot = "", None
        _say(connection, str(error))
    except DamagedError as error:
        _say(connection, str(error))
    if kept.snapshot is not None and kept.snapshot.inventory.age() > MAX_AGE_S:
        _say(connection, f"it is {kept.snapshot.inventory.age():.0f} s old")


_NONE = (403, 404)
"""S3 answers 403 for an object that is not there to whoever may not list the bucket."""
_NOT_MODIFIED = 304


def _get(bucket: str, connection: str, etag: str, deadline: Deadline) -> tuple[str, bytes] | None:
    """The object's tag and content; None: it is still the one with this ``etag``."""
    target = "s3.GetObject"
    deadline.timeout(_CALL_S, target=target)
    request: dict[str, Any] = {"Bucket": bucket, "Key": key(connection)}
    if etag:
        request["IfNoneMatch"] = etag
    try:
        # Once: whoever waits for a second try could have walked meanwhile.
        answer = aws.client("s3", once=True).get_object(**request)
        return str(answer["ETag"]), _read(answer, deadline)
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == _NOT_MODIFIED:
            return None
        raise aws.translate(error, target) from error
    except aws.ERRORS as error:
        raise aws.translate(error, target) from error


def _read(answer: Mapping[str, Any], deadline: Deadline) -> bytes:
    if answer["ContentLength"] > MAX_STORED:
        answer["Body"].close()
        raise DamagedError(f"too large: {answer['ContentLength']} bytes")
    body = bytearray()
    for chunk in answer["Body"].iter_chunks(_CHUNK):
        body += chunk
        deadline.timeout(_CALL_S, target="s3.GetObject")
    return bytes(body)


def _say(connection: str, why: str) -> None:
    observability.logger().warning("no snapshot", extra={"connection": connection, "why": why})
    observability.count("SnapshotsUnusable")
