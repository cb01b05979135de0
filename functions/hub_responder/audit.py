"""The audit trail: append-only records, written in the transaction of what they tell of.

One item packs the records of one transaction, as JSON lines in one string attribute (a map of
attributes costs DynamoDB's client twice the time); more items only where one incident's records
outgrow it. Partition ``{hour}#{shard}``, sort ``{ms}#{request}#{seq}``: a day is read as 24 x 16
partitions, each in the order of time.

Beside its records an item keeps the findings as they were and the texts that were sent, compressed;
records name them by SHA-256, and each is kept once in a run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zlib import compress, crc32

import msgspec

from hub_responder import clock
from hub_responder.playbook import Playbook

if TYPE_CHECKING:
    from hub_responder.finding import Finding

Record = Mapping[str, Any]
Texts = Mapping[str, Mapping[str, str]]
"""What is to be kept: ``{"finding": {id: JSON}, "sent": {connection: text}}``."""


@dataclass(frozen=True, slots=True)
class Appended:
    """What one transaction writes.

    Attributes:
        items: with records, and with what is kept beside them. last: SHA-256 (hex) of the last
            one's lines. kept: digests of what is kept. waited: how many records waited for it.
    """

    items: Sequence[dict[str, Any]]
    last: str
    kept: Sequence[str] = ()
    waited: int = 0


SHARDS = 16
MAX_DETAIL = 300
MAX_LINE = 100_000
"""Bytes of one record as a line; one that names more findings is written as several."""
KEEP_S = 40 * 86_400.0
"""How long the table keeps a record; the archive has it within hours."""
MAX_ITEM = 300_000
"""Bytes of lines in one item, of the 400 KB that DynamoDB takes."""
MAX_WHOLE = 380_000
"""Bytes of lines and of what is kept beside them in one item."""
MAX_TEXT = 1_000_000
"""Characters of one kept text; EventBridge's events, with their findings, are smaller."""
MAX_KEPT = 200_000
"""Bytes, compressed, that one record keeps: with its line they fit one item. Findings of Inspector
have about 5 KB, and a fifth of it compressed; what is beyond is left out, and named."""


class Audit:
    """Makes the records of one invocation.

    Args:
        table: the audit table. playbook: what acts, with its version.
        run: the request id of the invocation; of an asynchronous one, its try (see `try_of`).
    """

    def __init__(self, table: str, playbook: Playbook, run: str) -> None:
        self._table = table
        self._head = {"playbook": playbook.name, "version": playbook.version}
        if playbook.commit:
            self._head["commit"] = playbook.commit
        if name := os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
            self._head["function"] = f"{name}:{os.environ.get('AWS_LAMBDA_FUNCTION_VERSION', '')}"
        self._always = {"dry_run": True} if playbook.mode == "observe" else {}
        self._run = run
        self._shard = crc32(run.encode()) % SHARDS
        self._made = 0
        self._written = 0
        self._last = ""
        self._waiting: list[bytes] = []
        self._open: dict[str, bytes] = {}
        self._kept: set[str] = set()

    def record(self, kind: str, *, texts: Texts | None = None, **fields: Any) -> Record:
        """A record of now; fields that are None or empty are left out, ``detail`` is bounded.

        Args:
            texts: what is to be kept beside it; what is too large is left out, and named.
        """
        if texts:
            fields["contents"] = self._contents(texts)
        detail = str(fields.get("detail", "") or "")
        if len(detail) > MAX_DETAIL:
            fields["detail"] = detail[: MAX_DETAIL - 1] + "…"
        kept = {name: value for name, value in fields.items() if value or value == 0}
        self._made += 1
        named = {"id": f"{self._run}.{self._made}", "at": clock.iso(clock.now()), "kind": kind}
        return {**named, **self._head, **self._always, **kept}

    def _contents(self, texts: Texts) -> dict[str, Any]:
        """What a record names: ``{"finding": {id: digest}, "sent": ..., "left_out": [names]}``."""
        named: dict[str, Any] = {}
        left_out, room = [], MAX_KEPT
        for kind, held in texts.items():
            for name, text in held.items():
                digest, size = self._hold(text)
                if not digest or size > room:
                    left_out.append(name)
                    continue
                room -= size
                named.setdefault(kind, {})[name] = digest
        return {**named, "left_out": left_out} if left_out else named

    def _hold(self, text: str) -> tuple[str, int]:
        """The digest of a text that can be kept, else empty; and the bytes that it takes yet."""
        if len(text) > MAX_TEXT:
            return "", 0
        digest = sha256(text.encode()).hexdigest()
        if digest in self._kept:
            return digest, 0
        if digest not in self._open:
            self._open[digest] = compress(msgspec.json.encode((digest, text)) + b"\n", 1)
        return digest, len(self._open[digest])

    def unkept(self, record: Record) -> list[tuple[str, int]]:
        """What ``record`` names and is not kept yet: digests, with the bytes that they take."""
        named = record.get("contents", {})
        digests = (
            digest
            for kind, of_kind in named.items()
            if kind != "left_out"
            for digest in of_kind.values()
        )
        return [(one, len(self._open[one])) for one in dict.fromkeys(digests) if one in self._open]

    def wait(self, record: Record) -> None:
        """Let ``record`` go with the next transaction, whatever that tells of."""
        self._waiting += lines_of(record)

    @property
    def waits(self) -> bool:
        """Some record waits for a transaction."""
        return bool(self._waiting)

    def append(self, lines: Sequence[bytes], digests: Iterable[str] = ()) -> Appended:
        """What appends ``lines`` (see `lines_of`) in a transaction, packed into items.

        The items of a run are numbered without holes, and each names the one before it. So they
        count once `keep` was told that they were written.

        Args:
            digests: of what is kept beside them (see `unkept`).
        """
        at, items, last = clock.now(), [], self._last
        partition = f"{clock.iso(at)[:13]}#{self._shard:02d}"
        kept = [one for one in dict.fromkeys(digests) if one in self._open]
        groups = packed([*self._waiting, *lines])
        filled = _filled(groups, [self._open[one] for one in kept])
        for number, (group, contents) in enumerate(filled, self._written + 1):
            text = b"\n".join(group)
            item: dict[str, Any] = {
                "pk": {"S": partition},
                "sk": {"S": f"{int(at * 1000)}#{self._run}#{number:04d}"},
                "records": {"S": text.decode()},
                "expires": {"N": str(int(at + KEEP_S))},
            }
            if last:
                item["prev"] = {"S": last}
            if contents:
                item["contents"] = {"B": b"".join(contents)}
            put: dict[str, Any] = {"TableName": self._table, "Item": item}
            items.append({"Put": {**put, "ConditionExpression": "attribute_not_exists(pk)"}})
            last = sha256(text).hexdigest()
        return Appended(items, last, kept, len(self._waiting))

    def keep(self, appended: Appended) -> None:
        """They were written."""
        self._written += len(appended.items)
        self._last = appended.last
        self._waiting = self._waiting[appended.waited :]
        for digest in appended.kept:
            self._open.pop(digest, None)
            self._kept.add(digest)


def try_of(request_id: str) -> str:
    """The run of one try of an asynchronous invocation: its request id, ``@``, its milliseconds.

    Lambda makes an invocation that failed again, with the same request id and at least a minute
    later ("How Lambda handles errors and retries with asynchronous invocation", developer guide).
    It does not say so, and a try may know nothing of those before it: of several runs with one
    request id, all but the first are tries that were made again.
    """
    return f"{request_id}@{int(clock.now() * 1000)}"


def finding_texts(findings: Iterable[Finding]) -> Texts:
    """The findings as they arrived, to be kept; those that the ledger gave back were kept then."""
    held = {one.id: msgspec.json.encode(one.raw).decode() for one in findings if one.raw}
    return {"finding": held} if held else {}


def target_of(finding: Finding) -> dict[str, str]:
    """What a finding is about, as records say it."""
    resource = finding.resource
    told = {
        "account": resource.account or finding.account.id,
        "region": resource.region or finding.region,
        "resource": resource.id,
        "type": resource.type,
        "product": finding.product,
    }
    return {name: value for name, value in told.items() if value}


def lines_of(record: Record) -> list[bytes]:
    """``record`` as it is written: one line of JSON, several where it names very many findings."""
    line = msgspec.json.encode(record)
    if len(line) <= MAX_LINE:
        return [line]
    result = record.get("result")
    if result and len(msgspec.json.encode(result)) > MAX_LINE // 2:
        return lines_of({**record, "result": {"left_out": "too large to keep"}})
    findings = record.get("findings", ())
    half = len(findings) // 2
    if not half:
        return [line]
    halves = enumerate((findings[:half], findings[half:]), 1)
    named = ({**record, "id": f"{record.get('id')}.{n}", "findings": part} for n, part in halves)
    return [line for part in named for line in lines_of(_of_its_own(part))]


def _of_its_own(record: Record) -> Record:
    """``record``, naming what is kept of its own findings alone."""
    contents = record.get("contents", {})
    if "finding" not in contents:
        return record
    own = set(record["findings"])
    held = {name: digest for name, digest in contents["finding"].items() if name in own}
    return {**record, "contents": {**contents, "finding": held}}


def packed(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    """``lines`` in groups that fit one item each."""
    group: list[bytes] = []
    size = 0
    for line in lines:
        if group and size + len(line) > MAX_ITEM:
            yield group
            group, size = [], 0
        group.append(line)
        size += len(line)
    if group:
        yield group


def _filled(
    groups: Iterable[list[bytes]], contents: Sequence[bytes]
) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """The lines of each item, with what is kept beside them; what does not fit has items without
    lines."""
    filled: list[tuple[list[bytes], list[bytes]]] = [(group, []) for group in groups]
    room = MAX_WHOLE - sum(map(len, filled[-1][0])) - len(filled[-1][0]) if filled else 0
    for content in contents:
        if len(content) > room:
            filled.append(([], []))
            room = MAX_WHOLE
        filled[-1][1].append(content)
        room -= len(content)
    yield from filled
