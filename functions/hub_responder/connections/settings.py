"""What each type of connection takes in connections.yaml, beside ``type``. Nothing secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from hub_responder.errors import ConfigurationError


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every message channel takes.

    ``language`` is its messages'; empty: the deployment's. ``fallback`` names the connection that
    gets what this one refuses, or has not taken when the playbook gives up; empty: none.
    """

    language: Literal["", "en", "ja"] = ""
    fallback: str = ""


class HttpChannel(Channel, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every channel takes whose address is called.

    ``private``: it may be at a private address (the function needs VPC configuration then);
    link-local and metadata addresses never. ``ca``: certificates in PEM form; only what they signed
    is trusted, in place of the public authorities.
    """

    private: bool = False
    ca: Annotated[str, msgspec.Meta(max_length=65_536)] = ""


class Slack(HttpChannel, frozen=True, forbid_unknown_fields=True):
    """A Slack channel, through a bot with ``chat:write``; secret ``{"token": "xoxb-..."}``.

    ``channel`` is the channel's id (C0123456789), or a template that gives one of ``allow``;
    ``base_url`` lets a proxy or simulator take over.
    """

    channel: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    allow: tuple[str, ...] = ()
    base_url: str = "https://slack.com/api"


class SlackWebhook(HttpChannel, frozen=True, forbid_unknown_fields=True):
    """A Slack incoming webhook; secret ``{"webhook_url": "https://hooks.slack.com/services/..."}``.

    It knows no threads.
    """


class Teams(HttpChannel, frozen=True, forbid_unknown_fields=True):
    """A Workflow that posts to a channel of Microsoft Teams; secret ``{"webhook_url": "..."}``.

    It knows no threads, and does not tell whether it delivered.
    """


class PagerDuty(HttpChannel, frozen=True, forbid_unknown_fields=True):
    """A service of PagerDuty, through an integration of type "Events API v2"; secret
    ``{"routing_key": "..."}``, which that integration shows.

    ``region`` is where the account's data is; ``base_url`` takes the place of the region's address.
    Every message about an incident joins its one alert, which is resolved when it is closed.
    """

    region: Literal["us", "eu"] = "us"
    base_url: Annotated[str, msgspec.Meta(pattern=r"^(https?://.+)?$")] = ""


class Sns(Channel, frozen=True, forbid_unknown_fields=True):
    """An SNS topic that Amazon Q Developer in chat applications carries to Slack or Teams.

    Without ``topic_arn`` it is the deployment's own notifications topic.
    """

    topic_arn: Annotated[str, msgspec.Meta(pattern=r"^(arn:aws[a-z-]*:sns:.+)?$")] = ""


_ADDRESS = (
    r"(?!.*(\.\.|\.@))[A-Za-z0-9_][A-Za-z0-9._%+=&'~-]{0,63}"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}"
)
Address = Annotated[str, msgspec.Meta(max_length=254, pattern=f"^{_ADDRESS}$(?!\\n)")]
"""A bare address, as ``soc@example.com``: nothing in it could begin another header."""
OptionalAddress = Annotated[str, msgspec.Meta(max_length=254, pattern=f"^({_ADDRESS})?$(?!\\n)")]
Recipients = Annotated[tuple[Address, ...], msgspec.Meta(min_length=1, max_length=50)]
"""SES takes 50 ("Service quotas in Amazon SES")."""


class Ses(Channel, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """E-mail through Amazon SES (API v2), without a secret.

    ``sender`` is an address that SES has verified, itself or through its domain; ``to`` are at most
    50 recipients; ``reply_to`` gets the answers, empty: the sender. ``region`` is where SES is
    used; empty: the stack's. ``configuration_set`` names one of SES's: what bounces is told then.
    """

    sender: Address
    to: Recipients
    reply_to: OptionalAddress = ""
    region: Annotated[str, msgspec.Meta(pattern=r"^([a-z]{2}(-[a-z]+)+-\d{1,2})?$")] = ""
    configuration_set: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,64}$")] = ""


class Smtp(HttpChannel, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """E-mail through an SMTP server; secret ``{"username": "...", "password": "..."}``.

    ``host`` is the server's name; ``port`` is 587, and 465 with ``security: tls``, where none is
    named. ``security``: ``starttls`` begins TLS after connecting, ``tls`` at once; without TLS
    nothing is sent. ``sender`` is an address that the server lets the user have; ``to`` are at most
    50 recipients; ``reply_to`` gets the answers, empty: the sender.
    """

    host: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.:-]{1,253}$")]
    sender: Address
    to: Recipients
    reply_to: OptionalAddress = ""
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    security: Literal["starttls", "tls"] = "starttls"


Label = Literal["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"]
Short = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=3650 * 86_400.0)]
_Few = Annotated[tuple[Short, ...], msgspec.Meta(max_length=50)]


class Tracker(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every ticket system takes.

    ``language`` is its tickets'; empty: the deployment's. ``priorities`` gives the priority by
    severity, spelled as the system does; without one it is the system's default. ``labels`` are
    added to our own. ``reopen_within``: a ticket that was done is reopened so long after it was
    closed; later a new one is opened.
    """

    language: Literal["", "en", "ja"] = ""
    priorities: Mapping[Label, Short] = msgspec.field(default_factory=dict)
    labels: _Few = ()
    reopen_within: Seconds = 14 * 86_400.0


class Planner(Tracker, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What ticket systems take that plan work.

    ``due`` is how long work may take, by severity, counted from when the finding was first seen.
    ``assignee`` is a person as the system names one; empty: the system's default.
    """

    due: Mapping[Label, Seconds] = msgspec.field(default_factory=dict)
    assignee: Annotated[str, msgspec.Meta(max_length=255)] = ""


class Desk(Planner, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What ticket systems take whose forms and words are each organisation's own.

    ``fields`` are further fields by their id: values, or templates over the incident. ``declined``
    are what the system calls the end of a ticket that is not to be worked off (risk accepted).
    """

    fields: Mapping[Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,79}$")], Any] = (
        msgspec.field(default_factory=dict)
    )
    declined: _Few = ()


DECLINED = (
    "Won't Do",
    "Won't Fix",
    "Declined",
    "Risk Accepted",
    "False Positive",
    "対応しない",
    "対応不要",
    "修正しない",
    "却下",
    "リスク受容",
    "誤検知",
)
"""Resolutions of Jira, in English and Japanese, that say that nothing is to be done. Jira knows no
category of resolutions. A duplicate is none: what it doubles is still to be done."""
_JiraField = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(?!(project|issuetype|summary|description|labels|priority|duedate|components"
        r"|assignee)$)[a-z][A-Za-z0-9_]{0,79}$"
    ),
]


class AnyJira(Desk, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A project of Jira, wherever it runs."""

    url: Annotated[str, msgspec.Meta(pattern=r"^https?://")]
    project: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,254}$")]
    allow: tuple[str, ...] = ()
    issue_type: Short = "Task"
    components: _Few = ()
    fields: Mapping[_JiraField, Any] = msgspec.field(default_factory=dict)
    declined: _Few = DECLINED


class Jira(AnyJira, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A Jira Cloud project; secret ``{"email": "...", "api_token": "..."}``.

    ``url`` is the site's (https://example.atlassian.net), ``project`` the project's key, or a
    template that gives one of ``allow``; ``issue_type`` is the name of one of its types.
    ``components`` are names of the project's. ``assignee`` is
    an accountId. ``fields`` are by id (customfield_10010), valued as Jira's REST API takes them.
    ``declined`` are names of resolutions. ``webhook``: Jira tells at once what changes; the secret
    has ``webhook_secret`` then.
    """

    webhook: bool = False


class JiraDataCenter(AnyJira, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A project of Jira Data Center; secret ``{"token": "..."}``, a personal access token.

    As of Jira Cloud, but ``assignee`` is a user's name. ``private`` and ``ca`` as of a channel.
    """

    private: bool = False
    ca: Annotated[str, msgspec.Meta(max_length=65_536)] = ""


class OpsCenter(Tracker, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """AWS Systems Manager OpsCenter in this account and region; no secret.

    ``priorities`` are 1 to 5, in quotes.
    """

    priorities: Mapping[Label, Literal["1", "2", "3", "4", "5"]] = msgspec.field(
        default_factory=dict
    )


class SecurityHub(Tracker, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Security Hub's own tickets in Jira Cloud or ServiceNow, for findings in OCSF; no secret.

    ``connector`` is the id of a connector of the new Security Hub in this account and region. The
    ticket's text, priority and labels are Security Hub's.
    """

    connector: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9:/_.+=,@-]{1,512}$")]


GITHUB_API = "https://api.github.com"


class GitHub(Planner, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The issues of a repository on GitHub; secret ``{"token": "github_pat_..."}``.

    ``repository`` is ``owner/name``; ``base_url`` is the API's, of GitHub Enterprise Server
    ``https://HOST/api/v3``. ``private`` and ``ca`` as of a channel. ``priorities`` become labels,
    ``due`` the first line of the text. ``assignee`` is a login. ``webhook`` as of Jira.
    """

    assignee: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,63})?$(?!\n)")] = (
        ""
    )
    repository: Annotated[
        str,
        msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$"),
    ]
    base_url: Annotated[str, msgspec.Meta(pattern=r"^https?://")] = GITHUB_API
    private: bool = False
    ca: Annotated[str, msgspec.Meta(max_length=65_536)] = ""
    webhook: bool = False


_Pair = Annotated[str, msgspec.Meta(pattern=r"^[1-9]/[1-9]$")]
_SysId = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{32})?$")]
_Column = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(?!(sys_id|number|state|priority|correlation_id|short_description|description"
        r"|work_notes|comments)$)[a-z][a-z0-9_]{0,79}$"
    ),
]


class ServiceNow(Desk, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of ServiceNow; the secret follows ``auth``.

    ``url`` is the instance's (https://example.service-now.com). ``table`` is ``incident`` or
    ``sn_si_incident``. ``auth``: ``basic`` (secret ``{"username", "password"}``), ``oauth`` (client
    credentials, ``{"client_id", "client_secret"}``) or ``api_key`` (``{"api_key"}``).
    ``priorities`` gives impact and urgency by severity (``HIGH: 1/2``), from which ServiceNow
    computes the priority. ``close_code`` is how we close; empty: *Solution provided*, and
    *Threat mitigated* for security incidents. ``declined`` are close codes. ``assignment_group``
    and ``assignee`` are sys_ids. ``fields`` are columns, valued as the database has them.
    ``category`` is one of the table's. ``private`` and ``ca`` as of a channel. ``webhook`` as of
    Jira.
    """

    url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s@?#]+$")]
    table: Literal["incident", "sn_si_incident"] = "incident"
    auth: Literal["basic", "oauth", "api_key"] = "basic"
    priorities: Mapping[Label, _Pair] = msgspec.field(
        default_factory=lambda: {
            "CRITICAL": "1/1",
            "HIGH": "1/2",
            "MEDIUM": "2/2",
            "LOW": "2/3",
            "INFORMATIONAL": "3/3",
        }
    )
    close_code: Annotated[str, msgspec.Meta(max_length=40)] = ""
    declined: _Few = (
        "Not Solved (Too Costly)",
        "False positive",
        "Invalid vulnerability",
        "Risk accepted",
        "リスク受容",
        "誤検知",
    )
    assignment_group: _SysId = ""
    assignee: _SysId = ""
    category: Annotated[str, msgspec.Meta(max_length=40)] = ""
    fields: Mapping[_Column, Any] = msgspec.field(default_factory=dict)
    private: bool = False
    ca: Annotated[str, msgspec.Meta(max_length=65_536)] = ""
    webhook: bool = False


PerMinute = Annotated[int, msgspec.Meta(ge=10, le=10_000)]
"""Requests in any 60 seconds, of all functions together."""


class VisionOne(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Trend Vision One; secret ``{"token": "..."}``.

    ``region`` is the console's; ``base_url`` takes the place of the region's address.
    ``workload_security`` names the connection to the same tenant's Server & Workload Protection;
    empty: none. ``isolation`` allows `endpoint.isolate` and `endpoint.restore`.
    ``requests_per_minute`` is what all functions together may ask of it.
    """

    region: str = "us"
    base_url: Annotated[str, msgspec.Meta(pattern=r"^(https?://.+)?$")] = ""
    workload_security: str = ""
    isolation: bool = False
    requests_per_minute: PerMinute = 300


class WorkloadSecurity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Trend's Server & Workload Protection; secret ``{"api_key": "..."}``.

    ``region`` is where the tenant's data is; ``base_url``, without ``/api``, takes the place of the
    region's address. ``key`` says whose the API key is: ``cloud_one`` (``Authorization: ApiKey``)
    or ``console``, made in its own console (``api-secret-key``). ``requests_per_minute`` is what
    all functions together may ask of it.
    """

    region: str = "us-1"
    base_url: Annotated[str, msgspec.Meta(pattern=r"^(https?://.+)?$")] = ""
    key: Literal["cloud_one", "console"] = "cloud_one"
    requests_per_minute: PerMinute = 300


class Webhook(HttpChannel, frozen=True, forbid_unknown_fields=True):
    """A program of your own, for messages and `call`; secret ``{"signing_key", "url"?}``.

    ``url`` stands here, or in the secret where it is one.
    """

    url: Annotated[str, msgspec.Meta(pattern=r"^(https?://.+)?$", max_length=2048)] = ""


TYPES: dict[str, type[msgspec.Struct]] = {
    "slack": Slack,
    "slack_webhook": SlackWebhook,
    "teams": Teams,
    "pagerduty": PagerDuty,
    "sns": Sns,
    "ses": Ses,
    "smtp": Smtp,
    "jira": Jira,
    "jira_data_center": JiraDataCenter,
    "opscenter": OpsCenter,
    "security_hub": SecurityHub,
    "github": GitHub,
    "servicenow": ServiceNow,
    "vision_one": VisionOne,
    "webhook": Webhook,
    "workload_security": WorkloadSecurity,
}
WITH_SECRET = frozenset(
    {
        "jira_data_center",
        "slack",
        "slack_webhook",
        "teams",
        "smtp",
        "github",
        "servicenow",
        "jira",
        "pagerduty",
        "vision_one",
        "webhook",
        "workload_security",
    }
)
TRACKERS = tuple(kind for kind, struct in TYPES.items() if issubclass(struct, Tracker))
"""The types that take tickets."""
CHANNELS = tuple(kind for kind, struct in TYPES.items() if issubclass(struct, Channel))
"""The types that take messages."""
PACED = frozenset({"vision_one", "workload_security"})
"""Types with ``requests_per_minute``."""
LINKS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "vision_one": {"workload_security": ("workload_security",)},
    **{kind: {"fallback": CHANNELS} for kind in CHANNELS},
}
"""Type -> its settings that name another connection -> that one's types. Whatever reaches the first
reaches the second too."""
PLACES: Mapping[str, str] = {
    "jira": "project",
    "jira_data_center": "project",
    "slack": "channel",
}
"""Type -> the setting that may be a template, which then gives one of ``allow``."""

S = TypeVar("S", bound=msgspec.Struct)


def read(settings: Mapping[str, Any], kind: type[S], connection: str) -> S:
    """``settings`` as their type's struct.

    Raises:
        ConfigurationError: one is missing, unknown or of the wrong shape.
    """
    try:
        return msgspec.convert({k: v for k, v in settings.items() if k != "type"}, kind)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"connection {connection}: {error}") from error
