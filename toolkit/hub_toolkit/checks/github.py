"""GitHub: the repository as the token sees it, and its issues.

``permissions`` of a repository are the account's, not the token's: whether a fine-grained token may
write issues only shows when it does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub_responder import http, secrets
from hub_responder.connections.settings import GitHub, read
from hub_responder.errors import PermanentError
from hub_toolkit.checks.asker import Asker
from hub_toolkit.checks.told import Told, good, unproved, wrong

_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_NOT_FOUND, _GONE = 404, 410


def check(asker: Asker) -> Iterator[Told]:
    """The repository, its issues, and whether the assignee can be one."""
    settings = read(asker.connection.settings, GitHub, asker.name)
    base = f"{settings.base_url.rstrip('/')}/repos/{settings.repository}"
    response = _ask(asker, base)
    if response.status == _NOT_FOUND:
        do = "is the name right, and is the repository among those that the token is for?"
        yield wrong("access", f"the token sees no repository {settings.repository}", do)
        return
    http.raise_for_status(response, asker.name)
    held = response.json()
    if not isinstance(held, dict):
        text = f"{asker.name} answered with something that is not GitHub's"
        raise PermanentError(text, target=asker.name)
    yield good("access", f"sees {settings.repository}")
    if held.get("archived"):
        yield wrong("place", "the repository is archived", "choose another")
    elif held.get("has_issues") is False:
        yield wrong("place", "the repository has no issues", "switch them on in its settings")
    else:
        told = _issues(_ask(asker, f"{base}/issues?per_page=1"), asker)
        yield told
        if settings.assignee and told.state != "failed":
            yield _assignee(_ask(asker, f"{base}/assignees/{settings.assignee}"), settings, asker)


def _issues(response: http.Response, asker: Asker) -> Told:
    if response.status in {403, _NOT_FOUND, _GONE}:
        do = "give the token Issues: read and write"
        return wrong("place", f"the token may not read issues ({response.status})", do)
    http.raise_for_status(response, asker.name)
    return unproved("place", "issues can be read; whether they can be written is not told")


def _assignee(response: http.Response, settings: GitHub, asker: Asker) -> Told:
    if response.status == _NOT_FOUND:
        do = "name somebody who may be assigned in the repository, or leave `assignee` out"
        return wrong("place", f"{settings.assignee} cannot be assigned", do)
    http.raise_for_status(response, asker.name)
    return good("place", f"{settings.assignee} can be assigned")


def _ask(asker: Asker, url: str) -> http.Response:
    def headers(secret: Mapping[str, str]) -> Mapping[str, str]:
        token = secrets.token(secret, "token", asker.name)
        return {**_HEADERS, "Authorization": f"Bearer {token}"}

    return asker.get(url, headers)
