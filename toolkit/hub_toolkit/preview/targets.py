"""What a message can be looked at in: one entry for each ``--as``.

A new type of connection needs its entry, the function that measures its payload, the one that draws
it, and the simulator that the sandbox has of it anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from hub_responder.tickets import registry
from hub_toolkit.preview import measures
from hub_toolkit.preview.drawn import adf, card, mail, markdown, plain, slack
from hub_toolkit.preview.measures import Measure

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """One target.

    Attributes:
        title: what people call it.
        kind: the type of its connections. also: further ones that it gets the same by.
        measure: a payload -> its sizes. draw: a payload -> what the target shows.
        example: settings of an invented connection, for a project that has none of the type.
    """

    title: str
    kind: str
    measure: Callable[[Body], list[Measure]]
    draw: Callable[[Body], Markup]
    example: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """All types of its connections."""
        return (self.kind, *self.also)

    @property
    def is_ticket(self) -> bool:
        """Whether it gets tickets rather than messages."""
        return self.kind in registry.KINDS

    def sizes(self, body: Any) -> list[Measure]:
        """The payload's sizes; none of one whose shape is not known."""
        try:
            return self.measure(body)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            return []

    @property
    def natural(self) -> str:
        """The action whose documents it gets in playbooks."""
        return "ticket.open" if self.is_ticket else "notify"


TARGETS: Mapping[str, Target] = {
    "slack": Target("Slack", "slack", measures.of_slack, slack.message, {"channel": "C0123456789"}),
    "teams": Target("Microsoft Teams", "teams", measures.of_card, card.message),
    "sns": Target("Amazon SNS", "sns", measures.of_notification, slack.notification),
    "email": Target(
        "E-mail",
        "ses",
        measures.of_mail,
        mail.message,
        {"sender": "hub-responder@example.com", "to": ["soc@example.com"]},
        also=("smtp",),
    ),
    "pagerduty": Target("PagerDuty", "pagerduty", measures.of_event, plain.alert),
    "webhook": Target(
        "Webhook",
        "webhook",
        measures.of_webhook,
        plain.webhook,
        {"url": "https://soar.example.com/hook"},
    ),
    "jira": Target(
        "Jira",
        "jira",
        measures.of_jira,
        adf.issue,
        {"url": "https://example.atlassian.net", "project": "SEC"},
    ),
    "jira-data-center": Target(
        "Jira Data Center",
        "jira_data_center",
        measures.of_jira_data_center,
        plain.issue,
        {"url": "https://jira.example.com", "project": "SEC"},
    ),
    "github": Target(
        "GitHub Issues",
        "github",
        measures.of_github,
        markdown.issue,
        {"repository": "example/findings"},
    ),
    "servicenow": Target(
        "ServiceNow",
        "servicenow",
        measures.of_record,
        plain.record,
        {"url": "https://example.service-now.com"},
    ),
    "opscenter": Target("OpsCenter", "opscenter", measures.of_ops_item, markdown.ops_item),
}
"""By the name that ``--as`` takes."""
