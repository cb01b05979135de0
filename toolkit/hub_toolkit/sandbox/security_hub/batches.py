"""The two operations that write findings: whole batches, failures told one by one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.security_hub import asff
from hub_toolkit.sandbox.security_hub.findings import Unprocessed
from hub_toolkit.sandbox.security_hub.model import known_part

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub_toolkit.sandbox.security_hub.findings import Findings, Key, Record

MAX_BATCH = 100
MAX_BATCH_BYTES = 6 * 1024 * 1024
MAX_NOTE = 512
MAX_USER_FIELDS = 50
MAX_RELATED = 10
MAX_TYPES = 50

_CHANGES = (
    *("Note", "Severity", "VerificationState", "Confidence", "Criticality", "Types"),
    *("UserDefinedFields", "Workflow", "RelatedFindings"),
)


def import_batch(
    findings: Findings, request: dict[str, Any], imported: Callable[[dict[str, Any]], object]
) -> dict[str, Any]:
    """BatchImportFindings.

    Args:
        findings: where they go.
        request: the operation's input.
        imported: told of every finding that was created or changed. A finding that is not later
            than the one kept counts as imported and changes nothing (user guide).

    Raises:
        AwsError: the batch itself is not valid.
    """
    batch = request.get("Findings")
    if not isinstance(batch, list) or not 1 <= len(batch) <= MAX_BATCH:
        raise _invalid(f"Findings: 1 to {MAX_BATCH} findings are needed")
    sizes = [asff.size(finding) for finding in batch]
    if sum(sizes) > MAX_BATCH_BYTES:
        raise _invalid(f"Findings: the batch is over {MAX_BATCH_BYTES} bytes")
    failed = []
    for finding, size in zip(batch, sizes, strict=True):
        problem = _problem(finding, size)
        if problem:
            name = finding.get("Id") if isinstance(finding, dict) else None
            failed.append(
                {"Id": str(name or "")[:512], "ErrorCode": "InvalidInput", "ErrorMessage": problem}
            )
            continue
        kept = findings.import_one(known_part(finding))
        if kept is not None:
            imported(kept)
    return {
        "FailedCount": len(failed),
        "SuccessCount": len(batch) - len(failed),
        "FailedFindings": failed,
    }


def _problem(finding: Any, size: int) -> str:
    if size > asff.MAX_FINDING_BYTES:
        return f"Finding size {size} bytes exceeds the limit of {asff.MAX_FINDING_BYTES} bytes."
    problems = asff.problems(finding)
    if not problems:
        return ""
    return f"Finding does not adhere to Amazon Finding Format. {', '.join(problems)}."


def update_batch(
    findings: Findings,
    request: dict[str, Any],
    now: str,
    updated: Callable[[Record], object],
) -> dict[str, Any]:
    """BatchUpdateFindings.

    One value of each field for all the findings. What is wrong with a value refuses the request,
    what is wrong with one finding is told in ``UnprocessedFindings`` with a code of the API
    reference. That a finding named twice is not changed at all, and that a request which changes
    nothing is refused, are guesses.

    Args:
        findings: where they are.
        request: the operation's input, of the right shape.
        now: ISO 8601 time of the note.
        updated: told of every record that was changed.

    Raises:
        AwsError: the request is not valid.
    """
    identifiers = request["FindingIdentifiers"]
    if not 1 <= len(identifiers) <= MAX_BATCH:
        raise _invalid(f"FindingIdentifiers: 1 to {MAX_BATCH} identifiers are needed")
    change = _change(request, now)
    processed, unprocessed = [], []
    times: Counter[Key] = Counter((one["ProductArn"], one["Id"]) for one in identifiers)
    for key, count in times.items():
        failure = _refusal(count) or _apply(findings, key, change, updated)
        identifier = {"ProductArn": key[0], "Id": key[1]}
        if failure is None:
            processed.append(identifier)
        else:
            code, message = failure
            unprocessed.append(
                {"FindingIdentifier": identifier, "ErrorCode": code, "ErrorMessage": message}
            )
    return {"ProcessedFindings": processed, "UnprocessedFindings": unprocessed}


def _refusal(count: int) -> tuple[str, str] | None:
    if count == 1:
        return None
    return (
        "DuplicatedFindingIdentifier",
        "The request included two or more findings with the same FindingIdentifier.",
    )


def _apply(
    findings: Findings, key: Key, change: dict[str, Any], updated: Callable[[Record], object]
) -> tuple[str, str] | None:
    try:
        record = findings.update(key, change)
    except Unprocessed as error:
        return error.code, str(error)
    updated(record)
    return None


def _change(request: dict[str, Any], now: str) -> dict[str, Any]:
    change = {name: request[name] for name in _CHANGES if name in request}
    if not change:
        raise _invalid("at least one field to update is needed")
    if "Note" in change:
        if len(change["Note"]["Text"]) > MAX_NOTE:
            raise _invalid(f"Note.Text: at most {MAX_NOTE} characters")
        change["Note"] = {**change["Note"], "UpdatedAt": now}
    for name, most in (
        ("UserDefinedFields", MAX_USER_FIELDS),
        ("RelatedFindings", MAX_RELATED),
        ("Types", MAX_TYPES),
    ):
        if len(change.get(name, ())) > most:
            raise _invalid(f"{name}: at most {most}")
    if "Workflow" in change and "Status" not in change["Workflow"]:
        raise _invalid("Workflow.Status is needed")
    return change


def _invalid(reason: str) -> AwsError:
    return AwsError("InvalidInputException", f"Invalid parameter: {reason}")
