"""Inspector, as far as it can be told from the findings that Security Hub holds.

ListFindings (by ``findingArn`` only) and BatchGetFindingDetails. Real Inspector knows more than it
sends to Security Hub; here it knows the same, so what it adds (CISA's dates, exploits that were
observed) is never there: a guess of the least. The sandbox's own account is Inspector's delegated
administrator and sees the findings of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.aws_json import read_request, respond_failed, respond_ok
from hub_toolkit.sandbox.errors import AwsError

if TYPE_CHECKING:
    from hub_toolkit.sandbox.members.accounts import Caller
    from hub_toolkit.sandbox.wsgi import Environ, StartResponse

OPERATIONS = ("ListFindings", "BatchGetFindingDetails")
MAX_VALUES = 10
JSON = "application/json"


class Inspector:
    """The two operations over WSGI.

    Args:
        finding: returns the ASFF finding of an id, or None.
        caller: tells in which account and region a request is made.
        administrator: the account that sees the findings of all.
    """

    def __init__(
        self,
        finding: Callable[[str], Mapping[str, Any] | None],
        caller: Callable[[Environ], Caller],
        administrator: str,
    ) -> None:
        self._finding = finding
        self._caller = caller
        self._administrator = administrator

    def app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application."""
        try:
            caller, request = self._caller(environ), read_request(environ)
            if environ["PATH_INFO"] == "/findings/list":
                answer = self._list(caller, request)
            else:
                answer = self._details(caller, request)
        except AwsError as error:
            return respond_failed(start_response, error, JSON)
        return respond_ok(start_response, answer, JSON)

    def _list(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        criteria = request.get("filterCriteria")
        wanted = criteria.get("findingArn") if isinstance(criteria, dict) else None
        if not isinstance(criteria, dict) or set(criteria) != {"findingArn"}:
            raise _invalid("filterCriteria takes findingArn here, and nothing else")
        if not isinstance(wanted, list) or not 1 <= len(wanted) <= MAX_VALUES:
            raise _invalid(f"findingArn takes 1 to {MAX_VALUES} values")
        arns = [str(one.get("value")) for one in wanted if isinstance(one, dict)]
        return {"findings": [_told(one) for one in self._seen(caller, arns)]}

    def _details(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        arns = request.get("findingArns")
        if not isinstance(arns, list) or not 1 <= len(arns) <= MAX_VALUES:
            raise _invalid(f"findingArns takes 1 to {MAX_VALUES} ARNs")
        seen = self._seen(caller, [str(arn) for arn in arns])
        known = {one["Id"] for one in seen}
        return {
            "findingDetails": [
                {"findingArn": one["Id"], **_some("epssScore", _of(one, "EpssScore"))}
                for one in seen
            ],
            "errors": [
                {"findingArn": arn, "errorCode": "FINDING_DETAILS_NOT_FOUND", "errorMessage": ""}
                for arn in arns
                if arn not in known
            ],
        }

    def _seen(self, caller: Caller, arns: Iterable[str]) -> list[Mapping[str, Any]]:
        found = (self._finding(arn) for arn in arns)
        return [
            one
            for one in found
            if one is not None
            and ":inspector2:" in one["Id"]
            and caller.account in (one.get("AwsAccountId"), self._administrator)
        ]


def _told(finding: Mapping[str, Any]) -> dict[str, Any]:
    """A finding in Inspector's own shape."""
    first = _first(finding)
    packages = [
        {
            "name": str(one.get("Name", "")),
            "version": str(one.get("Version", "")),
            **_some("fixedInVersion", one.get("FixedInVersion")),
        }
        for one in first.get("VulnerablePackages", ())
    ]
    return {
        "findingArn": finding["Id"],
        "awsAccountId": finding.get("AwsAccountId", ""),
        "type": "PACKAGE_VULNERABILITY",
        "title": finding.get("Title", ""),
        "description": finding.get("Description", ""),
        "severity": finding.get("Severity", {}).get("Label", "UNTRIAGED"),
        "status": "ACTIVE",
        **_some("exploitAvailable", first.get("ExploitAvailable")),
        **_some("fixAvailable", first.get("FixAvailable")),
        **({"epss": {"score": first["EpssScore"]}} if "EpssScore" in first else {}),
        "packageVulnerabilityDetails": {
            "vulnerabilityId": str(first.get("Id", "")),
            "source": "NVD",
            "vulnerablePackages": packages,
        },
    }


def _first(finding: Mapping[str, Any]) -> Mapping[str, Any]:
    found = finding.get("Vulnerabilities")
    return found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}


def _of(finding: Mapping[str, Any], key: str) -> Any:
    return _first(finding).get(key)


def _some(key: str, value: Any) -> dict[str, Any]:
    return {} if value is None else {key: value}


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
