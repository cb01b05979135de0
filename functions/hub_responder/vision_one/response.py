"""Response actions: an endpoint off the network and back on it, and the task that does it.

A request is answered at once, with 207 and the task; tenants can demand that a person approves it.
A request for what a task is doing already is refused as a duplicate that names this task: so an
attempt in doubt can be made again without a second effect. Shapes and messages: Trend's own mock
(tm-v1-api-mockup) and pytmv1; which statuses there are: trendmicro/vision-one-mcp-server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from hub_responder.errors import DeniedError, PermanentError, TransientError
from hub_responder.values import clean
from hub_responder.vision_one.client import TARGET, Client

Deed = Literal["isolate", "restore"]
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "isolate": ("isolate", "isolateForMultiple"),
    "restore": ("restoreIsolate", "restoreIsolateForMultiple"),
}
"""What tasks call it."""
RUNNING = ("queued", "running")
WAITING = ("pendingApproval", "waitForApproval")
"""A person must approve it; the second is the older name."""
DONE = "succeeded"
ENDED: Mapping[str, str] = {
    "failed": "failed",
    "rejected": "was rejected by whoever approves such tasks",
    "canceled": "was canceled",
}
MAX_DESCRIPTION = 256
_MAX_REASON = 160
_LOCATION = "operation-location"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_DUPLICATE = "TaskError"
_TOO_MANY, _SERVER = 429, 500


class Task(msgspec.Struct, frozen=True):
    """A response task; texts are bounded.

    Attributes:
        status: of `RUNNING`, `WAITING`, `ENDED`, `DONE`, or one that is not known.
        action: of `ACTIONS`, or another. guid, endpoint: what it acts on, where it says so.
        error: why it failed, or empty.
    """

    id: str
    status: str
    action: str = ""
    guid: str = ""
    endpoint: str = ""
    error: str = ""

    def does(self, deed: Deed, guid: str) -> bool:
        """Whether it does this to that agent, as far as it says."""
        return self.action in ACTIONS[deed] and self.guid.lower() in ("", guid.lower())


class _Header(msgspec.Struct):
    name: str
    value: str


class _Answer(msgspec.Struct):
    status: int
    headers: list[_Header] = []
    body: Any = None


class _Told(msgspec.Struct):
    id: str
    status: str
    action: Any = None
    agentGuid: Any = None  # noqa: N815 - the API's names
    endpointName: Any = None  # noqa: N815
    error: Any = None


_ANSWERS = msgspec.json.Decoder(list[_Answer])
_TASKS = msgspec.json.Decoder(_Told)


def begin(client: Client, deed: Deed, guid: str, description: str) -> tuple[str, bool]:
    """The id of the task that does it, and whether it is a new one.

    Raises:
        TransientError: it did not begin, or is in doubt where ``sent``.
        PermanentError: it is refused, with Vision One's reason.
    """
    target = {"agentGuid": guid, "description": clean(description, MAX_DESCRIPTION)}
    body = client.send(f"/v3.0/response/endpoints/{deed}", [target])
    try:
        (answer,) = _ANSWERS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        raise _unclear("with something else than the task") from None
    task = next(_tasks(answer), "")
    if 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP
        if not task:
            raise _unclear("without naming the task")
        return task, True
    code, message = _error(answer.body)
    if task and (code == _DUPLICATE or "duplication" in message.lower()):
        return task, False
    raise _refusal(deed, answer.status, message or code)


def follow(client: Client, task: str) -> Task:
    """``GET /v3.0/response/tasks/{id}``.

    Raises:
        TransientError: it cannot be told now.
        PermanentError: there is no such task, or it may not be seen.
    """

    def decode(body: bytes) -> Task:
        told = _TASKS.decode(body)
        if told.id != task:
            raise msgspec.DecodeError("another task")
        _, message = _error({"error": told.error})
        return Task(
            told.id,
            clean(told.status, 32),
            _text(told.action),
            _text(told.agentGuid),
            _text(told.endpointName),
            message,
        )

    return client.ask(f"/v3.0/response/tasks/{task}", decode)


def _tasks(answer: _Answer) -> Iterator[str]:
    """The last segment of the path alone: hosts and prefixes differ, even in Trend's own mock."""
    for header in answer.headers:
        if header.name.lower() != _LOCATION:
            continue
        try:
            task = urlsplit(header.value).path.rstrip("/").rpartition("/")[2]
        except ValueError:
            continue
        if _ID.fullmatch(task):
            yield task


def _error(body: object) -> tuple[str, str]:
    """An error's code and message, on one line of at most 160 characters."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    return _text(error.get("code")), _text(error.get("message"))


def _text(value: object) -> str:
    return clean(" ".join(value.split()), _MAX_REASON) if isinstance(value, str) else ""


def _unclear(how: str) -> TransientError:
    return TransientError(f"Vision One answered {how}", target=TARGET, sent=True)


def _refusal(deed: Deed, status: int, reason: str) -> PermanentError | TransientError:
    said = f"Vision One does not {deed} it ({status})" + (f": {reason}" if reason else "")
    if status in (401, 403):
        return DeniedError(said, target=TARGET, status=status)
    if status == _TOO_MANY or status >= _SERVER:
        in_doubt = status != _TOO_MANY
        return TransientError(said, target=TARGET, status=status, sent=in_doubt)
    return PermanentError(said, target=TARGET, status=status)
