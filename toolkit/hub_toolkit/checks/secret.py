"""The secrets of connections: there, and of the right shape. A value is never shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_responder import http, secrets
from hub_responder.connections.settings import WITH_SECRET
from hub_responder.connections.signature import MIN_KEY
from hub_responder.errors import CallError, ConfigurationError, PermanentError
from hub_responder.sync.keys import NAME as WEBHOOK_SECRET
from hub_toolkit.checks.told import Told, good, wrong

if TYPE_CHECKING:
    from hub_toolkit.checks.asker import Asker

_TOKEN = r"[!-~]+"  # noqa: S105 - a form
_URL = r"https?://[!-~]+"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a secret: its form in words and as an expression."""

    form: str
    means: str
    needed: bool = True


KEYS: Mapping[str, Mapping[str, Key]] = {
    "slack": {"token": Key(r"xoxb-[!-~]+", "a bot's token, which begins with xoxb-")},
    "slack_webhook": {
        "webhook_url": Key(
            r"https?://[!-~]+/services/[!-~]+", "https://hooks.slack.com/services/..."
        )
    },
    "teams": {"webhook_url": Key(r"https?://[!-~]+[?&]sig=[!-~]+", "an address with `sig` in it")},
    "jira": {
        "email": Key(r"[^\s@]+@[^\s@]+", "an e-mail address"),
        "api_token": Key(_TOKEN, "a token without spaces"),
    },
    "jira_data_center": {"token": Key(_TOKEN, "a token without spaces")},
    "github": {"token": Key(_TOKEN, "a token without spaces")},
    "servicenow": {  # which of them, the connection's `auth` says; the read tries them
        "username": Key(r"[^:]+", "without a colon", needed=False),
        "password": Key(r".+", "a password", needed=False),
        "client_id": Key(_TOKEN, "an id without spaces", needed=False),
        "client_secret": Key(r".+", "a client's secret", needed=False),
        "api_key": Key(_TOKEN, "a key without spaces", needed=False),
    },
    "vision_one": {"token": Key(_TOKEN, "a token without spaces")},
    "workload_security": {"api_key": Key(_TOKEN, "a key without spaces")},
    "pagerduty": {"routing_key": Key(r"[A-Za-z0-9]{32}", "32 letters and digits")},
    "smtp": {
        "username": Key(r"[ -~]+", "plain ASCII"),
        "password": Key(r"[ -~]+", "plain ASCII"),
    },
    "webhook": {
        "signing_key": Key(rf".{{{MIN_KEY},}}", f"{MIN_KEY} characters at least"),
        "url": Key(_URL, "an address", needed=False),
    },
}
"""Type -> the keys that its secret holds."""
_HOOK = {WEBHOOK_SECRET: Key(rf".{{{MIN_KEY},}}", f"{MIN_KEY} characters at least")}


def keys_of(settings: Mapping[str, Any]) -> Mapping[str, Key]:
    """The keys that the secret of a connection with these settings holds."""
    keys = KEYS.get(str(settings.get("type")), {})
    return {**keys, **_HOOK} if settings.get("webhook") is True else keys


def check(asker: Asker) -> list[Told]:
    """Whether the secret is there with the right keys; nothing for a type that has none."""
    kind = asker.connection.type
    if kind not in WITH_SECRET:
        return []
    called = secrets.name_of(asker.stage, asker.name)
    try:
        held = secrets.get(asker.stage, asker.name)
    except ConfigurationError as error:
        return [wrong("secret", str(error), f"create {called} as docs/operating.md says")]
    except CallError as error:
        return [wrong("secret", str(error), "is this the deployment's account and region?")]
    keys = keys_of(asker.connection.settings)
    problems = [*_problems(keys, held), *_address(kind, asker, held)]
    if problems:
        return [
            wrong("secret", f"{called}: {'; '.join(problems)}", "put the whole value there again")
        ]
    names = ", ".join(name for name in keys if name in held) or f"{len(held)} keys"
    others = len(held.keys() - keys.keys()) if keys else 0
    if others:
        said = f"{called}: {names}, and {others} that nothing reads"
        return [Told("secret", "warning", said, "take out what nothing reads")]
    return [good("secret", f"{called}: {names}")]


def _problems(keys: Mapping[str, Key], held: Mapping[str, str]) -> list[str]:
    found = []
    for name, key in keys.items():
        value = held.get(name, "").strip()
        if not value and key.needed:
            found.append(f"there is no `{name}`")
        elif value and not re.fullmatch(key.form, value, re.DOTALL):
            found.append(f"`{name}` is not {key.means}")
    return found


def _address(kind: str, asker: Asker, held: Mapping[str, str]) -> list[str]:
    """What is wrong with an address that is the secret."""
    if kind == "webhook" and not (asker.connection.settings.get("url") or held.get("url")):
        return ["there is no `url`, neither in the secret nor in connections.yaml"]
    url = held.get("webhook_url") or (held.get("url") if kind == "webhook" else "")
    try:
        if url:
            http.check_url(url.strip(), target=asker.name)
    except PermanentError as error:
        return [str(error)]
    return []
