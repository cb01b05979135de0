"""Text and data, for programs and for targets that know no markup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from hub_toolkit.preview.drawn.fields import table
from hub_toolkit.preview.drawn.html import data, lines, link, tag
from hub_toolkit.preview.drawn.markdown import rendered
from hub_toolkit.sandbox.vendors.jira import wiki


def webhook(body: Mapping[str, Any]) -> Markup:
    """What a program gets: its Markdown, as one that shows it would."""
    held = body.get("message")
    message = held if isinstance(held, Mapping) else {}
    text = tag("div", rendered(str(message.get("markdown", "")), marks=False), cls="description")
    rest = {name: value for name, value in body.items() if name != "message"}
    return tag("div", text, tag("details", tag("summary", "with it"), data(rest)), cls="plain")


def alert(body: Mapping[str, Any]) -> Markup:
    """An alert of PagerDuty: summary, fields, details as a table, links."""
    payload = body["payload"]
    details = dict(payload["custom_details"])
    message, given = str(details.pop("message", "")), details.pop("data", {})
    fields = {name: value for name, value in payload.items() if isinstance(value, str)}
    del fields["summary"]
    named = [link(str(one["href"]), str(one["text"])) for one in body["links"]]
    return tag(
        "div",
        tag("h3", str(payload["summary"])),
        table({**fields, **details}),
        tag("p", lines(message), cls="description") if message else "",
        tag("ul", *(tag("li", one) for one in named)) if named else "",
        tag("details", tag("summary", "data"), data(given)),
        cls="plain",
    )


def record(body: Mapping[str, Any]) -> Markup:
    """A record of ServiceNow: its short description, its description, its other columns."""
    columns = {name: value for name, value in body.items() if not name.endswith("description")}
    return tag(
        "div",
        tag("h3", str(body["short_description"])),
        tag("p", lines(str(body["description"])), cls="description"),
        table(columns),
        cls="plain",
    )


def issue(body: Mapping[str, Any]) -> Markup:
    """An issue of Jira Data Center: its summary, its text, in which markup is left, its fields."""
    fields = dict(body["fields"])
    return tag(
        "div",
        tag("h3", str(fields.pop("summary"))),
        tag("p", lines(wiki.plain(str(fields.pop("description")))), cls="description"),
        table(fields),
        cls="plain",
    )
