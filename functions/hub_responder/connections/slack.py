"""Slack: a bot that writes to a channel or thread, and incoming webhooks.

https://docs.slack.dev/reference/methods/chat.postMessage answers 200 with
``{"ok": false, "error": ...}`` for most failures; a webhook answers ``ok`` or an error as text,
and names no message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub_responder import http, secrets
from hub_responder.connections.settings import Slack, SlackWebhook, read
from hub_responder.errors import DeniedError, PermanentError, TransientError
from hub_responder.markdown.q_developer import to_client_markdown
from hub_responder.markdown.slack import MAX_SECTION, to_slack

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

_TRANSIENT = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"}
)
_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_DENIED = frozenset(
    {"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"}
)
_NO_THREAD = frozenset({"cannot_reply_to_message", "message_not_found", "thread_not_found"})
_BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
_NO_LINK_PREVIEWS = {"unfurl_links": False, "unfurl_media": False}


def post(
    connection: Connection, document: Document, runtime: Runtime, ref: Mapping[str, Any]
) -> dict[str, Any]:
    """Post a message, into the thread that ``ref`` names if there is one.

    Returns:
        ``{"thread": ts of the thread's first message, "channel": id}``, to be kept.

    Raises:
        CallError: it was not posted; ``sent`` of a TransientError: it may have been.
    """
    settings = read(connection.settings, Slack, connection.name)
    payload = {**to_slack(document), **_NO_LINK_PREVIEWS, "channel": settings.channel}
    if ref.get("thread"):
        payload |= {"thread_ts": ref["thread"], "channel": ref.get("channel") or settings.channel}
    url = f"{settings.base_url.rstrip('/')}/chat.postMessage"
    answer = _post(connection, url, payload, runtime)
    if answer.get("error") in _NO_THREAD and "thread_ts" in payload:
        # The thread was deleted and nothing was posted: a message of its own repeats none.
        del payload["thread_ts"]
        payload["channel"] = settings.channel
        answer = _post(connection, url, payload, runtime)
    if answer.get("error") in _BAD_BLOCKS:
        payload.pop("blocks")
        payload["text"] = to_client_markdown(document, MAX_SECTION)
        answer = _post(connection, url, payload, runtime)
    if not answer.get("ok"):
        raise PermanentError(_said(connection.name, answer.get("error")), target=connection.name)
    thread = payload.get("thread_ts") or answer.get("ts", "")
    return {"thread": str(thread), "channel": str(answer.get("channel") or payload["channel"])}


def _post(
    connection: Connection, url: str, payload: Mapping[str, Any], runtime: Runtime
) -> Mapping[str, Any]:
    def call(secret: Mapping[str, str]) -> Mapping[str, Any]:
        token = secrets.value(secret, "token", connection.name)
        response = http.call(
            "POST",
            url,
            target=connection.name,
            deadline=runtime.deadline,
            headers={"Authorization": f"Bearer {token}"},
            json=payload,
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
        raise TransientError(_said(target, error), target=target, status=429, retry_after=wait)
    if error in _TRANSIENT:
        raise TransientError(_said(target, error), target=target, sent=True)
    if error in _DENIED:
        raise DeniedError(_said(target, error), target=target)
    return answer


def _said(target: str, error: object) -> str:
    return f"{target} refused the message: {str(error)[:80]}"


def post_webhook(connection: Connection, document: Document, runtime: Runtime) -> None:
    """Post a message through an incoming webhook; its address is the secret.

    Raises:
        CallError: it was not posted; ``sent`` of a TransientError: it may have been.
    """
    read(connection.settings, SlackWebhook, connection.name)
    payload = {**to_slack(document), **_NO_LINK_PREVIEWS}

    def call(secret: Mapping[str, str]) -> None:
        response = http.call(
            "POST",
            secrets.value(secret, "webhook_url", connection.name),
            target=connection.name,
            deadline=runtime.deadline,
            json=payload,
        )
        if response.status in {404, 410}:  # revoked, or its channel is gone: perhaps rotated
            raise DeniedError(
                _said(connection.name, f"the webhook answers {response.status}"),
                target=connection.name,
                status=response.status,
            )
        http.raise_for_status(response, connection.name)

    secrets.use(runtime.stage, connection.name, call)
