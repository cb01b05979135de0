"""Slack: ``auth.test`` needs no scope; ``conversations.info`` one that a bot often has not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from hub_responder import http, secrets
from hub_responder.connections.settings import Slack, read
from hub_responder.errors import PermanentError
from hub_toolkit.checks.asker import Asker
from hub_toolkit.checks.places import places
from hub_toolkit.checks.told import Told, good, unproved, wrong

_DENIED = "make a new token and put it into the secret"
_WITHOUT = frozenset({"missing_scope", "not_allowed_token_type", "no_permission"})


def check(asker: Asker) -> Iterator[Told]:
    """The token and its scope, and each channel."""
    settings = read(asker.connection.settings, Slack, asker.name)
    base = settings.base_url.rstrip("/")
    response = _ask(asker, f"{base}/auth.test")
    answer = _object(response)
    if not answer.get("ok"):
        yield wrong("access", f"Slack refuses the token: {_error(answer)}", _DENIED)
        return
    scopes = response.headers.get("x-oauth-scopes")
    if scopes is not None and "chat:write" not in scopes.split(","):
        do = "add the scope chat:write to the app, and install it again"
        yield wrong("access", "the token may not write: it lacks chat:write", do)
        return
    yield good("access", f"a bot of the workspace {str(answer.get('team', ''))[:60]}")
    for channel in places(asker.connection):
        path = f"{base}/conversations.info?channel={quote(channel, safe='')}"
        yield _channel(channel, _object(_ask(asker, path)))


def _channel(channel: str, answer: Mapping[str, Any]) -> Told:
    if not answer.get("ok"):
        error = _error(answer)
        if error in _WITHOUT:
            return unproved("place", f"the token may not look at channel {channel} ({error})")
        do = "take the channel's id from its details; a private one shows after /invite only"
        return wrong("place", f"channel {channel}: {error}", do)
    held = answer.get("channel")
    told = held if isinstance(held, Mapping) else {}
    if told.get("is_archived"):
        return wrong("place", f"channel {channel} is archived", "choose another, or restore it")
    if not told.get("is_member"):
        do = "in the channel, /invite the bot"
        return wrong("place", f"the bot is not in channel {channel}", do)
    return good("place", f"channel {channel}, #{str(told.get('name', ''))[:60]}")


def _ask(asker: Asker, url: str) -> http.Response:
    response = asker.get(
        url,
        lambda secret: {"Authorization": f"Bearer {secrets.value(secret, 'token', asker.name)}"},
    )
    http.raise_for_status(response, asker.name)
    return response


def _object(response: http.Response) -> Mapping[str, Any]:
    answer = response.json()
    if not isinstance(answer, dict) or "ok" not in answer:
        text = f"{response.target} answered with something that is not Slack's"
        raise PermanentError(text, target=response.target)
    return answer


def _error(answer: Mapping[str, Any]) -> str:
    return str(answer.get("error", "unknown"))[:60]
