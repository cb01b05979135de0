"""The tags of any resource by its ARN, through the Resource Groups Tagging API.

GetResources tells of resources that have tags or had some, so a resource that it does not name has
none (https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_responder import aws, clock, member
from hub_responder.errors import CallError, ConfigurationError, PermanentError, TransientError
from hub_responder.values import clean

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.finding import Resource

CACHE_S = 120.0
"""A tag that was changed is seen after two minutes."""
FAILED_S = 10.0
"""A look-up that failed is not made again for the rest of the batch."""
AT_ONCE = 100
"""ARNs that one call takes (ResourceARNList)."""
MAX_KEPT = 5000
MAX_TAGS = 50
_NOT_TOLD = (":role/", ":user/", ":group/")
"""IAM's resources whose tags this API does not know (its list of supported services)."""

Place = tuple[str, str]
"""Account and region."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """An error that can be raised again and again."""

    kind: type[CallError] | type[ConfigurationError]
    message: str
    target: str
    retry_after: float | None = None

    @classmethod
    def of(cls, error: CallError | ConfigurationError) -> _Failure:
        target = error.target if isinstance(error, CallError) else ""
        wait = error.retry_after if isinstance(error, TransientError) else None
        return cls(type(error), str(error), target, wait)

    def error(self) -> CallError | ConfigurationError:
        if issubclass(self.kind, ConfigurationError):
            return self.kind(self.message)
        if issubclass(self.kind, TransientError):
            return self.kind(self.message, target=self.target, retry_after=self.retry_after)
        return self.kind(self.message, target=self.target)


_KNOWN: dict[str, tuple[float, Mapping[str, str]]] = {}
_FAILED: dict[Place, tuple[float, _Failure]] = {}


def tags(resource: Resource, role: str, deadline: Deadline) -> Mapping[str, str]:
    """The tags of ``resource``; empty where it has none.

    Args:
        role: the name of the role to assume in member accounts; empty: there is none.

    Raises:
        CallError: it cannot be told: a call failed, the id is no ARN, or the API does not know
            tags of such a resource.
        ConfigurationError: it is in another account, and no role is set.
    """
    arn = _arn(resource)
    found = _known(arn)
    if found is not None:
        return found
    place = (resource.account, _region(resource))
    failure = _failed(place)
    if failure is None:
        failure = _ask(place, [arn], role, deadline)
    if failure is not None:
        raise failure.error()
    return _KNOWN[arn][1]


def prepare(resources: Iterable[Resource], role: str, deadline: Deadline) -> None:
    """Look up the tags of many resources at once, so that `tags` of each needs no call.

    Nothing is raised: `tags` of those that failed does.
    """
    wanted: dict[Place, dict[str, None]] = {}
    for resource in resources:
        if _refusal(resource) or _known(resource.id) is not None:
            continue
        wanted.setdefault((resource.account, _region(resource)), {})[resource.id] = None
    for place, arns in wanted.items():
        ordered = list(arns)
        for start in range(0, len(ordered), AT_ONCE):
            if _failed(place) is None:
                _ask(place, ordered[start : start + AT_ONCE], role, deadline)


def forget() -> None:
    """Drop all that is known."""
    _KNOWN.clear()
    _FAILED.clear()


def _known(arn: str) -> Mapping[str, str] | None:
    at, found = _KNOWN.get(arn, (0.0, {}))
    return found if 0 <= clock.now() - at < CACHE_S else None


def _failed(place: Place) -> _Failure | None:
    held = _FAILED.get(place)
    return held[1] if held is not None and 0 <= clock.now() - held[0] < FAILED_S else None


def _refusal(resource: Resource) -> str:
    """Why the tags of a resource cannot be asked for, or empty."""
    if not resource.id.startswith("arn:"):
        return f"tags of {clean(resource.id, 80)!r} cannot be looked up: it is no ARN"
    if resource.id.split(":")[2:3] == ["iam"] and any(part in resource.id for part in _NOT_TOLD):
        return f"the tagging API does not know tags of {clean(resource.id, 120)!r}"
    return ""


def _arn(resource: Resource) -> str:
    refused = _refusal(resource)
    if refused:
        raise PermanentError(refused, target="tag.GetResources")
    return resource.id


def _region(resource: Resource) -> str:
    """Where it is told of: global resources (an ARN without a region) in us-east-1.

    S3 has no regions in its ARNs either, but its buckets stand in one.
    """
    parts = resource.id.split(":", 4)
    if len(parts) > 3 and not parts[3] and parts[2] != "s3":  # noqa: PLR2004 - arn:partition:service:region
        return "us-east-1"
    return resource.region


def _ask(place: Place, arns: Sequence[str], role: str, deadline: Deadline) -> _Failure | None:
    """Ask for ``arns``, which are of one account and region; what failed, if it did."""
    account, region = place
    target = f"tag.GetResources in {account[:64]} {region}"
    now = clock.now()
    try:
        found = _resources(place, arns, role, deadline, target)
    except aws.ERRORS as error:
        failure = _Failure.of(aws.translate(error, target))
    except (CallError, ConfigurationError) as error:
        failure = _Failure.of(error)
    else:
        if len(_KNOWN) > MAX_KEPT:
            _KNOWN.clear()
        _KNOWN.update({arn: (now, found.get(arn, {})) for arn in arns})
        return None
    if not _about_one(failure):
        _FAILED[place] = (now, failure)
    return failure


def _about_one(failure: _Failure) -> bool:
    """An ARN that the API refuses says nothing about its neighbours."""
    return failure.kind is PermanentError


def _resources(
    place: Place, arns: Sequence[str], role: str, deadline: Deadline, target: str
) -> dict[str, dict[str, str]]:
    account, region = place
    client = member.client(
        "resourcegroupstaggingapi", account, region, role=role, deadline=deadline
    )
    found: dict[str, dict[str, str]] = {}
    request: dict[str, Any] = {"ResourceARNList": list(arns)}
    while True:
        deadline.timeout(10.0, target=target)
        answer = client.get_resources(**request)
        for item in answer.get("ResourceTagMappingList", ()):
            held = item.get("Tags", ())[:MAX_TAGS]
            found[item["ResourceARN"]] = {
                clean(tag["Key"], 128): clean(tag["Value"], 256) for tag in held
            }
        request["PaginationToken"] = answer.get("PaginationToken") or ""
        if not request["PaginationToken"]:
            return found
