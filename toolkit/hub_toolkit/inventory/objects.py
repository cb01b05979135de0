"""A bucket as a read-only file system, for DuckDB: it fetches the parts of files that it needs.

A Parquet file's end says where its columns lie, so a question about four columns of twenty is
three or four small requests (GetObject with ``Range``) and not the whole object.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError
from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from hub_toolkit.stack import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub_toolkit.stack import Stack

PROTOCOL = "inventory"
"""Ours: DuckDB reaches for an extension of its own where it reads ``s3://``."""
_TRIES = 2
_UNCHANGED = datetime(2000, 1, 1, tzinfo=UTC)
"""Snapshots are written once: DuckDB need not ask whether one has changed."""


class Objects(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """The objects of a bucket; only those whose size is known can be opened.

    Args:
        sizes: key -> bytes, as the listing says.

    Attributes:
        failed: key -> why it could not be fetched; DuckDB hands on only the error's text.
    """

    protocol = PROTOCOL
    cachable = False

    def __init__(self, stack: Stack, bucket: str, sizes: Mapping[str, int]) -> None:
        super().__init__()
        self._stack = stack
        self._bucket = bucket
        self._sizes = sizes
        self.failed: dict[str, DeploymentError] = {}

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """The size of a file."""
        key = str(self._strip_protocol(path))
        if key not in self._sizes:
            raise FileNotFoundError(key)
        return {"name": key, "size": self._sizes[key], "type": "file"}

    def modified(self, path: str) -> datetime:  # noqa: ARG002 - fsspec's name for it
        """When a file was changed."""
        return _UNCHANGED

    def fetch(self, path: str, start: int, end: int) -> bytes:
        """The bytes from ``start`` up to ``end``, which is not included.

        Raises:
            DeploymentError: they cannot be had.
        """
        key = str(self._strip_protocol(path))
        for left in reversed(range(_TRIES)):
            try:
                return self._fetch(key, start, end)
            except BotoCoreError as error:  # the connection broke while the body came
                if not left:
                    text = f"s3 did not send {key} whole ({type(error).__name__})"
                    self.failed[key] = DeploymentError(text)
                    raise self.failed[key] from error
        raise AssertionError  # pragma: no cover - the last try returns or raises

    def _fetch(self, key: str, start: int, end: int) -> bytes:
        try:
            answer = self._stack.call(
                "s3",
                "get_object",
                Bucket=self._bucket,
                Key=key,
                Range=f"bytes={start}-{end - 1}",
            )
        except DeploymentError as error:
            self.failed[key] = error
            raise
        with answer["Body"] as body:
            return bytes(body.read())

    def _open(self, path: str, mode: str = "rb", **_: Any) -> AbstractBufferedFile:
        if mode != "rb":
            raise PermissionError("the inventory is only read")
        size = self.info(path)["size"]
        return _Object(self, path, mode, size=size, cache_type="none")


class _Object(AbstractBufferedFile):  # type: ignore[misc]  # fsspec has no types
    def _fetch_range(self, start: int, end: int) -> bytes:
        fetched: bytes = self.fs.fetch(self.path, start, end)
        return fetched
