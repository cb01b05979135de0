"""The archive's objects: in a bucket, or in a folder that is a copy of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from hub_toolkit.stack import DeploymentError

if TYPE_CHECKING:
    from hub_toolkit.stack import Stack


@dataclass(frozen=True, slots=True)
class Held:
    """An object: its key, its bytes' number, when it was written (epoch seconds; None: unknown)."""

    key: str
    size: int
    written: float | None = None


class Holdings(Protocol):
    """Where the archive lies.

    Attributes:
        bucket: its name, where that is known: a copy may lie anywhere.
    """

    bucket: str | None

    def listed(self, prefix: str) -> Iterator[Held]:
        """Objects, in the order of their keys.

        Raises:
            DeploymentError: they cannot be listed.
        """

    def body(self, key: str) -> bytes | None:
        """An object's content; None: it is not there.

        Raises:
            DeploymentError: it cannot be read.
        """


class Copy:
    """A folder with the objects below their keys, as ``aws s3 sync`` makes it."""

    bucket: str | None = None

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise DeploymentError(f"{folder}: there is no such folder")
        self._folder = folder

    def path(self, key: str) -> Path:
        """Where an object lies."""
        return self._folder / key

    def listed(self, prefix: str) -> Iterator[Held]:
        """See `Holdings`."""
        found = (path for path in self._folder.rglob("*") if path.is_file())
        keys = sorted(path.relative_to(self._folder).as_posix() for path in found)
        for key in keys:
            if key.startswith(prefix):
                yield Held(key, (self._folder / key).stat().st_size)

    def body(self, key: str) -> bytes | None:
        """See `Holdings`."""
        path = self._folder / key
        if not path.resolve().is_relative_to(self._folder.resolve()):
            return None  # a digest that was written to lead elsewhere
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DeploymentError(f"{path}: {error.strerror}") from error


class Fetched:
    """Objects of which some were fetched into a folder, so that nobody fetches them again."""

    def __init__(self, holdings: Holdings, folder: Path) -> None:
        self.bucket = holdings.bucket
        self._holdings = holdings
        self._folder = folder

    def path(self, key: str) -> Path:
        """Where an object that was fetched lies."""
        return self._folder / quote(key, safe="")

    def listed(self, prefix: str) -> Iterator[Held]:
        """See `Holdings`."""
        return self._holdings.listed(prefix)

    def body(self, key: str) -> bytes | None:
        """See `Holdings`."""
        path = self.path(key)
        return path.read_bytes() if path.is_file() else self._holdings.body(key)


class Bucket:
    """The bucket of a deployment.

    Args:
        tells_time: when its objects were written is worth something.
    """

    def __init__(self, stack: Stack, bucket: str, *, tells_time: bool = True) -> None:
        self._tells_time = tells_time
        self.bucket: str | None = bucket
        self._stack = stack
        self._name = bucket

    def listed(self, prefix: str) -> Iterator[Held]:
        """See `Holdings`."""
        request: dict[str, Any] = {"Bucket": self._name, "Prefix": prefix}
        while True:
            answer = self._stack.call("s3", "list_objects_v2", **request)
            for one in answer.get("Contents", ()):
                written = one["LastModified"].timestamp() if self._tells_time else None
                yield Held(one["Key"], one["Size"], written)
            if not answer.get("IsTruncated"):
                return
            request["ContinuationToken"] = answer["NextContinuationToken"]

    def body(self, key: str) -> bytes | None:
        """See `Holdings`."""
        try:
            answer = self._stack.call("s3", "get_object", Bucket=self._name, Key=key)
            body: bytes = answer["Body"].read()
        except DeploymentError as error:
            if "NoSuchKey" in str(error):
                return None
            raise
        return body
