"""Slack: a bot that writes to a channel or thread.

https://docs.slack.dev/reference/methods/chat.postMessage and chat.update answer 200 with
``{"ok": false, "error": ...}`` for most failures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from hub_responder import http, secrets
from hub_responder.connections.settings import Slack, read
from hub_responder.errors import DeniedError, PermanentError, TransientError
from hub_responder.markdown.q_developer import to_client_markdown
from hub_responder.markdown.slack import MAX_SECTION, to_slack

if TYPE_CHECKING:
    from hub_responder.actions.base import Work
    from hub_responder.connections.resolve import Connection
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

_TRANSIENT = frozenset(
    {
        "external_channel_migrating",
        "fatal_error",
        "internal_error",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
        "update_failed",
    }
)
_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_DENIED = frozenset(
    {"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"}
)
_NO_THREAD = frozenset({"cannot_reply_to_message", "message_not_found", "thread_not_found"})
_BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})


def send(
    connection: Connection,
    document: Document,
    work: Work,  # noqa: ARG001 - the channels' signature
    runtime: Runtime,
    ref: Mapping[str, Any],
) -> dict[str, Any]:
    """Post a message, into the thread that ``ref`` names if there is one.

    Returns:
        ``{"thread": ts of the thread's first message, "channel": id}``, to be kept.

    Raises:
        CallError: it was not posted; ``sent`` of a TransientError: it may have been.
    """
    settings = read(connection.settings, Slack, connection.name)
    payload = {**without_previews(document), "channel": settings.channel}
    if ref.get("thread"):
        payload |= {"thread_ts": ref["thread"], "channel": ref.get("channel") or settings.channel}
    post = partial(_call, "chat.postMessage", connection, settings, runtime)
    answer = post(payload)
    if answer.get("error") in _NO_THREAD and "thread_ts" in payload:
        # The thread was deleted and nothing was posted: a message of its own repeats none.
        del payload["thread_ts"]
        payload["channel"] = settings.channel
        answer = post(payload)
    answer = _taken(connection, answer, payload, document, post)
    thread = payload.get("thread_ts") or answer.get("ts", "")
    return {"thread": str(thread), "channel": str(answer.get("channel") or payload["channel"])}


def update(
    connection: Connection,
    document: Document,
    work: Work,  # noqa: ARG001 - the channels' signature
    runtime: Runtime,
    ref: Mapping[str, Any],
) -> dict[str, Any]:
    """Edit the first message of the thread that ``ref`` names; Slack notifies nobody of that.

    Raises:
        PermanentError: it is gone, somebody else's, in an archived channel, or the workspace lets
            nobody edit a message of that age. CallError: as `send`.
    """
    settings = read(connection.settings, Slack, connection.name)
    channel = ref.get("channel") or settings.channel
    payload = {**to_slack(document), "channel": channel, "ts": ref.get("thread", "")}
    edit = partial(_call, "chat.update", connection, settings, runtime)
    _taken(connection, edit(payload), payload, document, edit)
    return dict(ref)


def _taken(
    connection: Connection,
    answer: Mapping[str, Any],
    payload: dict[str, Any],
    document: Document,
    again: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> Mapping[str, Any]:
    """The answer of a message that was taken, as plain text where Slack refuses its blocks.

    Raises:
        PermanentError: Slack refuses it.
    """
    if answer.get("error") in _BAD_BLOCKS:
        payload.pop("blocks")
        payload["text"] = to_client_markdown(document, MAX_SECTION)
        answer = again(payload)
    if not answer.get("ok"):
        raise PermanentError(refused(connection.name, answer.get("error")), target=connection.name)
    return answer


def _call(
    method: str,
    connection: Connection,
    settings: Slack,
    runtime: Runtime,
    payload: Mapping[str, Any],
) -> Mapping[str, Any]:
    session = http.session_for(private=settings.private, ca=settings.ca)

    def call(secret: Mapping[str, str]) -> Mapping[str, Any]:
        token = secrets.value(secret, "token", connection.name)
        response = http.call(
            "POST",
            f"{settings.base_url.rstrip('/')}/{method}",
            target=connection.name,
            deadline=runtime.deadline,
            headers={"Authorization": f"Bearer {token}"},
            json=payload,
            session=session,
        )
        http.raise_for_status(response, connection.name)
        return _checked(response, connection.name)

    return secrets.use(runtime.stage, connection.name, call)


def _checked(response: http.Response, target: str) -> Mapping[str, Any]:
    """The answer, unless its error says to try again or that the token is refused."""
    answer = response.json()
    if not isinstance(answer, dict) or not isinstance(answer.get("ok"), bool):
        raise PermanentError(f"{target} answered with something that is not Slack's", target=target)
    error = answer.get("error")
    if answer["ok"] or not isinstance(error, str):
        return answer
    if error in _LIMITED:
        wait = http.retry_after(response)
        raise TransientError(refused(target, error), target=target, status=429, retry_after=wait)
    if error in _TRANSIENT:
        raise TransientError(refused(target, error), target=target, sent=True)
    if error in _DENIED:
        raise DeniedError(refused(target, error), target=target)
    return answer


def without_previews(document: Document) -> dict[str, Any]:
    """The message, without previews of its links: fetching them would touch what they lead to."""
    return {**to_slack(document), "unfurl_links": False, "unfurl_media": False}


def refused(target: str, error: object) -> str:
    """What is said of a message that Slack did not take."""
    return f"{target} refused the message: {str(error)[:80]}"
