"""What Jira Cloud and Jira Data Center spell differently; everything else is the same.

Cloud: REST API 3, text as documents, accounts by id, a token with an address
(https://developer.atlassian.com/cloud/jira/platform/rest/v3/). Data Center: REST API 2, wiki
markup, people by name, a personal access token
(https://docs.atlassian.com/software/jira/docs/api/REST/latest/).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_responder import masking, secrets

if TYPE_CHECKING:
    from hub_responder.markdown.document import Document

Call = tuple[str, Mapping[str, Any]]
"""A path below the API, and the body to POST there."""


@dataclass(frozen=True, slots=True)
class Flavour:
    """One of the two.

    Attributes:
        api: the path of its REST API.
        authorization: the header's value, from a secret and the connection's name.
        text: a description. comment: a comment that ends with a mark. sentence: one of ours.
        person: the assignee. search: the one issue that a query finds.
        fetch: issues by their keys with some fields; of keys that are not there nothing is said.
    """

    api: str
    authorization: Callable[[Mapping[str, str], str], str]
    text: Callable[[Document], Any]
    comment: Callable[[Document, str], Any]
    sentence: Callable[[str], Any]
    person: Callable[[str], Mapping[str, str]]
    search: Callable[[str], Call]
    fetch: Callable[[Sequence[str], Sequence[str]], Call]


def cloud() -> Flavour:
    """Jira Cloud."""
    from hub_responder.markdown.adf import to_adf

    def comment(document: Document, mark: str) -> Any:
        body = to_adf(document)
        text = {"type": "text", "text": mark, "marks": [{"type": "code"}]}
        body["content"].append({"type": "paragraph", "content": [text]})
        return body

    def sentence(text: str) -> Any:
        paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
        return {"type": "doc", "version": 1, "content": [paragraph]}

    def authorization(secret: Mapping[str, str], name: str) -> str:
        user = secrets.value(secret, "email", name)
        token = secrets.value(secret, "api_token", name)
        basic = base64.b64encode(f"{user}:{token}".encode()).decode()
        masking.remember(basic)
        return f"Basic {basic}"

    return Flavour(
        api="/rest/api/3",
        authorization=authorization,
        text=to_adf,
        comment=comment,
        sentence=sentence,
        person=lambda account: {"accountId": account},
        search=lambda jql: ("/search/jql", {"jql": jql, "fields": ["status"], "maxResults": 1}),
        fetch=lambda keys, fields: (
            "/issue/bulkfetch",
            {"issueIdsOrKeys": list(keys), "fields": list(fields)},
        ),
    )


def data_center() -> Flavour:
    """Jira Data Center. A search that is not validated passes over keys that are not there
    (https://github.com/atlassian-api/atlassian-python-api/pull/752).
    """
    from hub_responder.markdown.characters import width
    from hub_responder.markdown.wiki import MAX_TEXT, escaped, to_wiki

    def comment(document: Document, mark: str) -> str:
        ending = f"\n\n{{{{{escaped(mark)}}}}}"
        return to_wiki(document, MAX_TEXT - width(ending)) + ending

    return Flavour(
        api="/rest/api/2",
        authorization=lambda secret, name: f"Bearer {secrets.token(secret, 'token', name)}",
        text=to_wiki,
        comment=comment,
        sentence=escaped,
        person=lambda name: {"name": name},
        search=lambda jql: (
            "/search",
            {"jql": jql, "fields": ["status"], "startAt": 0, "maxResults": 1},
        ),
        fetch=lambda keys, fields: (
            "/search",
            {
                "jql": f"key in ({', '.join(keys)})",
                "fields": list(fields),
                "startAt": 0,
                "maxResults": len(keys),
                "validateQuery": False,
            },
        ),
    )
