"""Security Lake's custom sources in one region.

From the API reference and the botocore model: CreateCustomLogSource, DeleteCustomLogSource,
ListLogSources, ListDataLakes, ListDataLakeExceptions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.markdown.characters import clean, one_line
from hub_toolkit.stack import DeploymentError, RefusedError

if TYPE_CHECKING:
    from hub_toolkit.stack import Stack

MAX_NAME = 20
"""Longer ones make the provider role's name too long ("CreateCustomLogSource", sourceName)."""
MAX_SAID = 200
_CREATED = "COMPLETED"
_ROLE = re.compile(r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+", re.ASCII)
_PERMISSIONS = {
    "create_custom_log_source": "CreateCustomLogSource, iam:PassRole of the crawler's role and what"
    " Security Lake does with your rights",
    "delete_custom_log_source": "DeleteCustomLogSource",
    "list_log_sources": "ListLogSources",
    "list_data_lakes": "ListDataLakes",
    "list_data_lake_exceptions": "ListDataLakeExceptions",
}
_CONFLICT = "ConflictException"
_PASSING = (
    _CONFLICT,
    "InternalServer",
    "Throttling",
    "TooManyRequests",
    "ServiceUnavailable",
    "Timeout",
)


class TakenError(DeploymentError):
    """There is a source of that name, and it is not ours."""


@dataclass(frozen=True, slots=True)
class Made:
    """A source that is there: where its objects go, who may write them, and its table."""

    location: str
    role_arn: str
    table_arn: str


class Trouble(msgspec.Struct, frozen=True):
    """What Security Lake says is wrong in the region: of no source in particular."""

    at: str
    exception: str
    remediation: str


class CustomSources:
    """The custom sources of the stack's account and region.

    Every method raises DeploymentError where Security Lake refuses or cannot be asked; the text
    says what to do.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def check_lake(self) -> None:
        """Make sure that there is a data lake in the region."""
        region = self._stack.region
        try:
            lakes = self._call("list_data_lakes", regions=[region]).get("dataLakes", [])
        except RefusedError as error:
            if error.code != "ResourceNotFoundException":
                raise
            lakes = []
        if not lakes:
            raise DeploymentError(
                f"there is no data lake in {region}: enable Security Lake in this account and"
                " region first (docs/security-lake.md)"
            )
        status = str(lakes[0].get("createStatus", _CREATED))
        if status != _CREATED:
            raise DeploymentError(f"the data lake in {region} is not ready: it is {status}")

    def find(self, name: str) -> Made | None:
        """The source of a name, or None."""
        sources = [{"customLogSource": {"sourceName": name}}]
        asked = {"regions": [self._stack.region], "sources": sources}
        for page in self._pages("list_log_sources", **asked):
            for held in page.get("sources", ()):
                for one in held.get("sources", ()):
                    custom = one.get("customLogSource", {})
                    if custom.get("sourceName") == name:
                        return _made(custom)
        return None

    def create(
        self,
        name: str,
        classes: Sequence[str],
        *,
        principal: str,
        external_id: str,
        crawler_role: str,
    ) -> Made:
        """Make a source.

        Args:
            classes: of events, by Security Lake's names; empty: those it has no name for.
            principal: the account that may assume the source's role, with ``external_id``.
            crawler_role: the ARN of the role of the Glue crawler.

        Raises:
            TakenError: there is one of that name.
        """
        configuration = {
            "crawlerConfiguration": {"roleArn": crawler_role},
            "providerIdentity": {"principal": principal, "externalId": external_id},
        }
        named: dict[str, Any] = {"eventClasses": [*classes]} if classes else {}
        try:
            answer = self._call(
                "create_custom_log_source", sourceName=name, configuration=configuration, **named
            )
        except RefusedError as error:
            if error.code != _CONFLICT:
                raise
            if self.find(name) is None:  # "the previous write did not have time to propagate"
                text = f"{error}: it is still at an earlier change; run the command again"
                raise RefusedError(text, error.code, error.message) from error
            raise TakenError(taken(name)) from error
        return _made(answer.get("source", {}))

    def delete(self, name: str) -> None:
        """Delete a source, if it is there; what was delivered to it stays."""
        try:
            self._call("delete_custom_log_source", sourceName=name)
        except RefusedError as error:
            if error.code != "ResourceNotFoundException":
                raise

    def troubles(self) -> list[Trouble]:
        """What Security Lake says is wrong in the region."""
        pages = self._pages("list_data_lake_exceptions", regions=[self._stack.region])
        return [
            Trouble(
                at=str(one.get("timestamp", "")),
                exception=_said(one.get("exception")),
                remediation=_said(one.get("remediation")),
            )
            for page in pages
            for one in page.get("exceptions", ())
        ]

    def _pages(self, operation: str, **request: Any) -> Iterator[Mapping[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = self._call(operation, **request, **token)
            yield page
            if not page.get("nextToken"):
                return
            token = {"nextToken": page["nextToken"]}

    def _call(self, operation: str, **request: Any) -> Any:
        once = operation == "create_custom_log_source"
        call = self._stack.call_once if once else self._stack.call
        try:
            return call("securitylake", operation, **request)
        except RefusedError as error:
            said = _said(error.message)
            text = f"{error}" + (f" ({said})" if said else "")
            if "AccessDenied" in error.code or "Unauthorized" in error.code:
                needed = _PERMISSIONS[operation]
                text += f": you need securitylake:{needed} (docs/security-lake.md)"
            raise RefusedError(text, error.code, error.message) from error


def is_definite(error: DeploymentError) -> bool:
    """Whether a refusal says that nothing was done."""
    return isinstance(error, TakenError) or (
        isinstance(error, RefusedError) and not any(one in error.code for one in _PASSING)
    )


def taken(name: str) -> str:
    """What is said of a name that is not ours."""
    return f"there is a custom source named {name} already, which this stack did not make"


def check_role(arn: str) -> str:
    """``arn``, if it is that of a role.

    Raises:
        DeploymentError: it is none.
    """
    if not _ROLE.fullmatch(arn):
        raise DeploymentError(
            f"{_said(arn)!r} is no role's ARN: arn:aws:iam::111122223333:role/NAME"
        )
    return arn


def _made(source: Mapping[str, Any]) -> Made:
    provider, attributes = source.get("provider", {}), source.get("attributes", {})
    location, role = str(provider.get("location", "")), str(provider.get("roleArn", ""))
    if not location or not role:
        raise DeploymentError(
            f"Security Lake does not tell the location and the role of"
            f" {_said(source.get('sourceName'))}: run the command again in a few minutes"
        )
    return Made(location, role, str(attributes.get("tableArn", "")))


def _said(text: object) -> str:
    return one_line(clean(str(text or "")))[:MAX_SAID]
