"""What the archive holds: its objects, and which period was sealed last. Only S3 knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub_responder import aws
from hub_responder.archive.digest import Opened, open_envelope
from hub_responder.archive.layout import DIGESTS, Period, period_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub_responder.deadline import Deadline

CALL_S = 10.0
PARQUET = "application/vnd.apache.parquet"
JSON = "application/json"


class Bucket:
    """The archive's bucket. Every method raises CallError where S3 cannot be asked."""

    def __init__(self, name: str, deadline: Deadline) -> None:
        self.name = name
        self._deadline = deadline

    def last(self) -> Period | None:
        """The newest sealed period; None: nothing was sealed yet."""
        prefix = f"{DIGESTS}/"
        for _ in ("year", "month", "day"):
            below = max(self._below(prefix), default="")
            if not below:
                return None
            prefix = below
        periods = (period_of(key) for key in self._keys(prefix))
        return max((one for one in periods if one is not None), default=None)

    def digest(self, period: Period) -> tuple[Opened, bytes] | None:
        """The digest of a period and its envelope; None: it is not sealed."""
        body = self.get(period.digest_key)
        return None if body is None else (open_envelope(body), body)

    def get(self, key: str) -> bytes | None:
        """An object; None: it is not there."""
        client = aws.client("s3")
        self._deadline.timeout(CALL_S, target="s3.GetObject")
        try:
            body: bytes = client.get_object(Bucket=self.name, Key=key)["Body"].read()
        except client.exceptions.NoSuchKey:
            return None
        except aws.ERRORS as error:
            raise aws.translate(error, "s3.GetObject") from error
        return body

    def put(self, key: str, body: bytes, kind: str, *, new: bool = False) -> bool:
        """Write an object; False: ``new``, and there is one already."""
        self._deadline.timeout(CALL_S, target="s3.PutObject")
        only: dict[str, Any] = {"IfNoneMatch": "*"} if new else {}
        try:
            aws.client("s3").put_object(
                Bucket=self.name, Key=key, Body=body, ContentType=kind, **only
            )
        except aws.ERRORS as error:
            if new and _is_taken(error):
                return False
            raise aws.translate(error, "s3.PutObject") from error
        return True

    def _below(self, prefix: str) -> list[str]:
        pages = self._list(prefix, Delimiter="/")
        return [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", ())]

    def _keys(self, prefix: str) -> list[str]:
        return [one["Key"] for page in self._list(prefix) for one in page.get("Contents", ())]

    def _list(self, prefix: str, **request: Any) -> Iterator[dict[str, Any]]:
        self._deadline.timeout(CALL_S, target="s3.ListObjectsV2")
        pages = aws.client("s3").get_paginator("list_objects_v2")
        try:
            yield from pages.paginate(Bucket=self.name, Prefix=prefix, **request)
        except aws.ERRORS as error:
            raise aws.translate(error, "s3.ListObjectsV2") from error


def _is_taken(error: Exception) -> bool:
    """A conditional write met an object, or another writer of it (S3 user guide)."""
    code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
    return code in ("PreconditionFailed", "ConditionalRequestConflict")
