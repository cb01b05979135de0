"""The WSGI application: the Web API at ``/api/METHOD``, incoming webhooks at ``/services/...``."""

from __future__ import annotations

import hmac
import math
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from werkzeug.routing import Rule

from hub_toolkit.sandbox.vendors.base import (
    BodyError,
    Clock,
    Simulator,
    Verdict,
    json_response,
    mark,
    read_object,
    text_response,
)
from hub_toolkit.sandbox.vendors.slack import blocks as block_kit

if TYPE_CHECKING:
    from collections.abc import Collection

    from werkzeug.exceptions import HTTPException
    from werkzeug.wrappers import Request, Response

MAX_TEXT = 40_000
MAX_MESSAGES = 50_000
"""Messages that are kept, the newest; older ones cannot be updated or replied to."""

_CHANNEL = re.compile(r"[CGD][A-Z0-9]{8,20}")
_BOT_ID = "B0SANDBOX"
_USER_ID = "U0SANDBOX"
_PERSON_ID = "U0PERSON"
_TEAM_ID = "T0SANDBOX"


class SlackError(Exception):
    """A refusal; ``code`` is what ``error`` says, ``details`` go to ``response_metadata``."""

    def __init__(self, code: str, details: Collection[str] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.details = list(details)


@dataclass(slots=True)
class Message:
    """A message in a channel; ``content`` is its text and blocks, ``person`` who else wrote it."""

    channel: str
    ts: str
    thread_ts: str
    content: dict[str, Any]
    person: str = ""

    def shown(self) -> dict[str, Any]:
        """As the API shows it."""
        writer = {"user": self.person} if self.person else {"user": _USER_ID, "bot_id": _BOT_ID}
        shown = {"type": "message", **writer, "ts": self.ts, **self.content}
        return {**shown, "thread_ts": self.thread_ts} if self.thread_ts else shown


class Slack(Simulator):
    """One workspace with one bot and one incoming webhook.

    Args:
        clock: returns seconds since the epoch.
        token: the bot's token.
        webhook: path of the webhook after ``/services/``, as ``T0../B0../secret``. Empty: none.
        channels: ids of the channels that exist; None: every well-formed id does.
        burst: messages that a channel takes at once before the limit of one per second holds;
            None for no limit. How many Slack really takes is not documented.
        edit_window_s: how old a message may be that is edited, as the workspace's settings say;
            None: any.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        token: str,
        webhook: str = "",
        channels: Collection[str] | None = None,
        burst: int | None = None,
        edit_window_s: float | None = None,
    ) -> None:
        super().__init__(
            [
                Rule("/api/<method>", methods=["GET", "POST"], endpoint=self._web_api),
                Rule("/services/<path:path>", methods=["POST"], endpoint=self._webhook),
            ]
        )
        self._clock = clock
        self._token = token
        self._webhook_path = webhook
        self._channels = channels
        self._burst = burst
        self._edit_window_s = edit_window_s
        self._archived: set[str] = set()
        self._allowances: dict[str, tuple[float, float]] = {}
        self._messages: dict[tuple[str, str], Message] = {}
        self._last_micros = 0
        self._lock = threading.Lock()
        self._methods = {
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "conversations.replies": self._replies,
            "auth.test": self._auth_test,
            "conversations.info": self._info,
        }

    def messages(self, channel: str | None = None) -> list[dict[str, Any]]:
        """The messages of one channel or all, oldest first, as the API shows them."""
        with self._lock:
            return [
                {"channel": message.channel, **message.shown()}
                for message in self._messages.values()
                if channel in (None, message.channel)
            ]

    def write(self, channel: str, text: str) -> str:
        """A person writes into a channel; the message's ts."""
        with self._lock:
            return self._add(channel, "", {"text": text}, person=_PERSON_ID).ts

    def delete(self, channel: str, ts: str) -> None:
        """A person deletes a message."""
        with self._lock:
            del self._messages[channel, ts]

    def archive(self, channel: str) -> None:
        """A person archives a channel."""
        self._archived.add(channel)

    def unmatched(self, request: Request, error: HTTPException) -> Response:
        """Slack's Web API answers 200 for an unknown method; the rest is plain HTTP."""
        mark(request, Verdict.REFUSED, error.name)
        return text_response(error.name, error.code or 500)

    def _web_api(self, request: Request, method: str) -> Response:
        try:
            answer = self._call(request, method)
        except SlackError as error:
            return self._refusal(request, error)
        if method not in ("chat.postMessage", "chat.update"):
            mark(request, Verdict.READ)
        return json_response({"ok": True, **answer})

    def _call(self, request: Request, method: str) -> dict[str, Any]:
        call = self._methods.get(method)
        if call is None:
            raise SlackError("unknown_method")
        arguments = _arguments(request)
        self._authenticate(request, arguments)
        with self._lock:
            return call(arguments)

    def _refusal(self, request: Request, error: SlackError) -> Response:
        mark(request, Verdict.REFUSED, error.code)
        body: dict[str, Any] = {"ok": False, "error": error.code}
        if error.code == "ratelimited":
            return json_response(body, 429, [("Retry-After", error.details[0])])
        if error.details:
            body["errors"] = error.details
            messages = [f"[ERROR] {detail}" for detail in error.details]
            body["response_metadata"] = {"messages": messages}
        return json_response(body)

    def _authenticate(self, request: Request, arguments: dict[str, Any]) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if not scheme and request.mimetype != "application/json":
            token = str(arguments.get("token", ""))  # a JSON body cannot carry it
        elif scheme.lower() != "bearer":
            token = ""
        if not token:
            raise SlackError("not_authed")
        if not hmac.compare_digest(token.encode(errors="replace"), self._token.encode()):
            raise SlackError("invalid_auth")

    def _auth_test(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {"team_id": _TEAM_ID, "user_id": _USER_ID, "bot_id": _BOT_ID, "team": "Sandbox"}

    def _info(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """A public channel that the bot is in; the token has channels:read."""
        channel = self._channel(arguments)
        told = {"id": channel, "name": channel.lower(), "is_channel": True}
        return {"channel": {**told, "is_member": True, "is_archived": False}}

    def _post_message(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments)
        if channel in self._archived:
            raise SlackError("is_archived")
        content = _content(arguments)
        thread_ts = self._thread(channel, arguments)
        self._admit(channel)
        message = self._add(channel, thread_ts, content)
        return {"channel": channel, "ts": message.ts, "message": message.shown()}

    def _update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments)
        message = self._messages.get((channel, str(arguments.get("ts", ""))))
        if message is None:
            raise SlackError("message_not_found")
        self._editable(message)
        message.content = _content(arguments)
        text = message.content.get("text", "")
        return {"channel": channel, "ts": message.ts, "text": text, "message": message.shown()}

    def _editable(self, message: Message) -> None:
        """Refusals of chat.update (its page, "Errors"); in which order Slack checks is a guess."""
        if message.channel in self._archived:
            raise SlackError("is_inactive")
        if message.person:
            raise SlackError("cant_update_message")
        age = self._clock() - float(message.ts)
        if self._edit_window_s is not None and age > self._edit_window_s:
            raise SlackError("edit_window_closed")

    def _replies(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments)
        parent = self._messages.get((channel, str(arguments.get("ts", ""))))
        if parent is None:
            raise SlackError("thread_not_found")
        top = parent.thread_ts or parent.ts
        thread = [
            message.shown()
            for message in self._messages.values()
            if message.channel == channel and top in (message.ts, message.thread_ts)
        ]
        return {"messages": thread, "has_more": False}

    def _channel(self, arguments: dict[str, Any]) -> str:
        channel = arguments.get("channel")
        known = isinstance(channel, str) and (
            bool(_CHANNEL.fullmatch(channel))
            if self._channels is None
            else channel in self._channels
        )
        if not known:
            raise SlackError("channel_not_found")
        return str(channel)

    def _thread(self, channel: str, arguments: dict[str, Any]) -> str:
        """The parent's ts. A reply's ts leads to its parent; an unknown one is refused: guesses."""
        given = arguments.get("thread_ts")
        if given is None:
            return ""
        parent = self._messages.get((channel, str(given)))
        if parent is None:
            raise SlackError("thread_not_found")
        return parent.thread_ts or parent.ts

    def _admit(self, channel: str) -> None:
        """A bucket that refills with one message per second."""
        if self._burst is None:
            return
        now = self._clock()
        left, at = self._allowances.get(channel, (float(self._burst), now))
        left = min(float(self._burst), left + max(0.0, now - at))
        if left < 1.0:
            self._allowances[channel] = (left, now)
            raise SlackError("ratelimited", [str(max(1, math.ceil(1.0 - left)))])
        self._allowances[channel] = (left - 1.0, now)

    def _add(
        self, channel: str, thread_ts: str, content: dict[str, Any], person: str = ""
    ) -> Message:
        self._last_micros = max(self._last_micros + 1, int(self._clock() * 1_000_000))
        ts = f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"
        message = Message(channel, ts, thread_ts, content, person)
        self._messages[channel, ts] = message
        if len(self._messages) > MAX_MESSAGES:
            del self._messages[next(iter(self._messages))]
        return message

    def _webhook(self, request: Request, path: str) -> Response:
        """Plain texts and the statuses of Slack's "Handling errors" for incoming webhooks."""
        error = self._webhook_error(request, path)
        if error is None:
            return text_response("ok")
        status, text = error
        mark(request, Verdict.REFUSED, text)
        return text_response(text, status)

    def _webhook_error(self, request: Request, path: str) -> tuple[int, str] | None:
        own = self._webhook_path
        if not own or path.rpartition("/")[0] != own.rpartition("/")[0]:
            return 404, "no_service"
        if not hmac.compare_digest(path.encode(), own.encode()):
            return 403, "invalid_token"
        try:
            content = _content(read_object(request))
        except BodyError:
            return 400, "invalid_payload"
        except SlackError as refusal:
            return 400, refusal.code
        with self._lock:
            self._add("webhook", "", content)
        return None


def _arguments(request: Request) -> dict[str, Any]:
    """Arguments from a JSON body, a form or the query; a form carries blocks as JSON text."""
    if request.mimetype == "application/json":
        try:
            return read_object(request)
        except BodyError as error:
            wrong_type = "Expected `object`" in str(error)
            raise SlackError("json_not_object" if wrong_type else "invalid_json") from None
    arguments: dict[str, Any] = {**request.args.to_dict(), **request.form.to_dict()}
    if "blocks" in arguments:
        try:
            arguments["blocks"] = msgspec.json.decode(arguments["blocks"])
        except (msgspec.DecodeError, RecursionError):
            raise SlackError("invalid_blocks_format") from None
    return arguments


def _content(arguments: dict[str, Any]) -> dict[str, Any]:
    """Text and blocks of a message.

    Raises:
        SlackError: there is neither, or one of them is over a limit or malformed.
    """
    text, blocks = arguments.get("text", ""), arguments.get("blocks")
    if not isinstance(text, str):
        raise SlackError("invalid_arguments")
    if blocks is not None and not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if not text.strip() and not blocks:
        raise SlackError("no_text")
    if len(text) > MAX_TEXT:
        raise SlackError("msg_too_long")
    if not blocks:
        return {"text": text}
    found = block_kit.problems(blocks)
    if found:
        raise SlackError("invalid_blocks", found)
    if block_kit.characters(blocks) > block_kit.MAX_TOTAL_CHARACTERS:
        raise SlackError("msg_blocks_too_long")
    return {"text": text, "blocks": blocks}
