"""A period's digest: what is in the archive for it, bound to its place and to the digest before.

It is signed as DSSE has it (Dead Simple Signing Envelope 1.0, https://github.com/secure-systems-lab/dsse):
the signature is over the payload's type and bytes, which stand in the envelope as they were signed,
so that whoever verifies needs no rules for writing JSON. Anyone with the public key can: ECDSA on
P-256 over SHA-256.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import msgspec

PAYLOAD_TYPE = "application/vnd.hub-responder.audit-digest+json"
VERSION = 1
MAX_BYTES = 4_000_000
"""Of an envelope; one hour has far less."""


class Deployment(msgspec.Struct, frozen=True):
    """Whose archive it is."""

    account: str
    region: str
    stage: str


class Previous(msgspec.Struct, frozen=True):
    """The digest before: its key, and the SHA-256 (hex) of its envelope's bytes."""

    key: str
    sha256: str


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """An object that a digest vouches for.

    Attributes:
        sha256: of its bytes (hex). size: bytes. records: rows. class_uid: of its events; 0 for
            kept findings and texts. first, last: the times of its records (ISO 8601), or empty.
    """

    key: str
    sha256: str
    size: int
    records: int
    class_uid: int = 0
    first: str = ""
    last: str = ""


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed.

    Attributes:
        bucket, key: where it lies: a copy elsewhere does not pass for it.
        sequence: 1 for the first digest of a deployment, then one more each.
        from_, to: the hour (ISO 8601). written_at: when it was signed (ISO 8601).
        previous: None for the first.
        items, records, runs: how many of each were taken from the audit table.
        late: records of earlier hours among them.
        incomplete: runs with a hole: an item between two of theirs was not there.
    """

    version: int = VERSION
    deployment: Deployment
    bucket: str
    key: str
    sequence: int
    from_: str = msgspec.field(name="from")
    to: str
    written_at: str
    previous: Previous | None
    objects: list[Sealed] = []
    items: int = 0
    records: int = 0
    runs: int = 0
    late: int = 0
    incomplete: list[str] = []


class Signature(msgspec.Struct, frozen=True):
    """Who signed (SHA-256, hex, of the public key's DER form), and the signature (base64)."""

    keyid: str
    sig: str


class Envelope(msgspec.Struct, frozen=True, rename="camel"):
    """DSSE's envelope; the payload is base64."""

    payload_type: str
    payload: str
    signatures: list[Signature]


def sha256(body: bytes) -> str:
    """The digest of bytes, in hex."""
    return hashlib.sha256(body).hexdigest()


def pae(payload: bytes) -> bytes:
    """What is signed of a payload: DSSE's pre-authentication encoding."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(digest: Digest, keyid: str, sign: Callable[[bytes], bytes]) -> bytes:
    """The envelope of a digest.

    Args:
        keyid: of the key that signs. sign: gives the signature (ECDSA, DER) for a SHA-256.
    """
    payload = msgspec.json.encode(digest, order="sorted")
    signature = sign(hashlib.sha256(pae(payload)).digest())
    envelope = Envelope(
        PAYLOAD_TYPE,
        base64.b64encode(payload).decode(),
        [Signature(keyid, base64.b64encode(signature).decode())],
    )
    return msgspec.json.encode(envelope)


class Opened(msgspec.Struct, frozen=True):
    """An envelope's content, not verified: the digest, its payload as signed, its signatures."""

    digest: Digest
    payload: bytes
    signatures: list[Signature]


def open_envelope(body: bytes) -> Opened:
    """Read an envelope. Nothing of it may be believed before a signature was verified.

    Raises:
        ValueError: it is none.
    """
    if len(body) > MAX_BYTES:
        raise ValueError(f"an envelope has {len(body):,} bytes, more than {MAX_BYTES:,}")
    envelope = msgspec.json.decode(body, type=Envelope)
    if envelope.payload_type != PAYLOAD_TYPE:
        raise ValueError("the envelope holds something else than a digest")
    payload = base64.b64decode(envelope.payload, validate=True)
    return Opened(msgspec.json.decode(payload, type=Digest), payload, envelope.signatures)
