"""Imports and updates of findings through boto3: what is kept, told, and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.security_hub.hub import SecurityHub

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., dict[str, Any]]

SAMPLES = sorted((Path(__file__).parents[5].parent / "shared/samples").glob("*-asff-*.json"))
LATER = "2026-11-11T00:00:00Z"


def identifier(finding: dict[str, Any]) -> dict[str, str]:
    return {"Id": finding["Id"], "ProductArn": finding["ProductArn"]}


def test_an_import_is_kept_completed_and_told(
    hub: SecurityHub, client: Any, emitted: list[dict[str, Any]], finding: Make
) -> None:
    answer = client.batch_import_findings(Findings=[finding(), finding(Id="f-2")])
    assert (answer["SuccessCount"], answer["FailedCount"]) == (2, 0)
    kept = hub.get("f-1")
    assert kept is not None
    assert kept["Severity"] == {"Label": "CRITICAL", "Normalized": 90, "Original": "9.8"}
    assert kept["Workflow"] == {"Status": "NEW"}
    assert kept["RecordState"] == "ACTIVE"
    assert kept["ProductName"] == "Inspector"
    assert kept["ProductFields"]["aws/securityhub/ProductName"] == "Inspector"
    assert [len(event["detail"]["findings"]) for event in emitted] == [1, 1]
    event = emitted[0]
    assert event["detail-type"] == "Security Hub Findings - Imported"
    assert event["source"] == "aws.securityhub"
    assert event["account"] == "111122223333"
    assert event["resources"] == [f"{kept['ProductArn']}/f-1"]
    assert event["detail"]["findings"] == [kept]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"Title": ""}, "data.Title"),
        ({"Resources": []}, "data.Resources"),
        ({"Types": [1]}, "data.Types"),
        ({"SchemaVersion": "1"}, "data.SchemaVersion"),
        ({"AwsAccountId": "12"}, "data.AwsAccountId"),
        ({"ProductArn": "arn:aws:sns:x:y:z"}, "data.ProductArn"),
        ({"UpdatedAt": "yesterday"}, "data.UpdatedAt"),
        ({"FindingProviderFields": {"Types": ["TTPs"]}}, "'FindingProviderFields'"),
        ({"Severity": {"Label": "URGENT"}}, "data.Severity.Label"),
        ({"FindingProviderFields": {"Confidence": 101}}, "from 0 to 100"),
        ({"Description": "x" * 1025}, "data.Description"),
        ({"UserDefinedFields": {str(n): "v" for n in range(51)}}, "data.UserDefinedFields"),
        ({"Vulnerabilities": "CVE"}, "data.Vulnerabilities should be array"),
        ({"UserDefinedFields": {"a": "x" * 250_000}}, "exceeds the limit"),
    ],
)
def test_one_bad_finding_fails_alone(
    hub: SecurityHub, finding: Make, wrong: dict[str, Any], told: str
) -> None:
    answer = hub.handle(
        "BatchImportFindings", {"Findings": [finding(Id="bad", **wrong), finding(Id="good")]}
    )
    assert (answer["SuccessCount"], answer["FailedCount"]) == (1, 1)
    [failed] = answer["FailedFindings"]
    assert (failed["Id"], failed["ErrorCode"]) == ("bad", "InvalidInput")
    assert told in failed["ErrorMessage"]
    assert hub.get("bad") is None
    assert hub.get("good") is not None


def test_batches_have_limits(hub: SecurityHub, finding: Make) -> None:
    fat = finding(UserDefinedFields={"a": "x" * 200_000})
    for batch in ([], [finding()] * 101, [fat] * 40, None):
        with pytest.raises(AwsError, match="InvalidInputException"):
            hub.handle("BatchImportFindings", {"Findings": batch})


def test_only_a_later_import_updates(
    hub: SecurityHub, client: Any, emitted: list[dict[str, Any]], finding: Make
) -> None:
    client.batch_import_findings(Findings=[finding()])
    answer = client.batch_import_findings(Findings=[finding(Title="same time")])
    assert answer["SuccessCount"] == 1
    client.batch_import_findings(Findings=[finding(Title="new", UpdatedAt=LATER)])
    kept = hub.get("f-1")
    assert kept is not None
    assert kept["Title"] == "new"
    assert [event["detail"]["findings"][0]["Title"] for event in emitted] == [
        "CVE-2026-1111 - openssl",
        "new",
    ]


def test_an_import_leaves_what_customers_set(hub: SecurityHub, client: Any, finding: Make) -> None:
    client.batch_import_findings(Findings=[finding()])
    client.batch_update_findings(
        FindingIdentifiers=[identifier(finding())],
        Note={"Text": "ours", "UpdatedBy": "me"},
        Workflow={"Status": "NOTIFIED"},
        UserDefinedFields={"ticket": "SEC-1"},
        Severity={"Label": "LOW"},
    )
    again = finding(
        UpdatedAt=LATER,
        Note={"Text": "theirs", "UpdatedBy": "x", "UpdatedAt": LATER},
        Workflow={"Status": "NEW"},
        UserDefinedFields={"a": "b"},
        Confidence=7,
    )
    client.batch_import_findings(Findings=[again])
    kept = hub.get("f-1")
    assert kept is not None
    assert kept["Note"]["Text"] == "ours"
    assert kept["Workflow"] == {"Status": "NOTIFIED"}
    assert kept["UserDefinedFields"] == {"ticket": "SEC-1"}
    assert kept["Severity"]["Label"] == "LOW"
    assert (kept["UpdatedAt"], kept["Confidence"]) == (LATER, 7)


@pytest.mark.parametrize(
    ("product", "before", "workflow"),
    [
        ("securityhub", {"Compliance": {"Status": "PASSED"}}, "NEW"),
        ("securityhub", {"Compliance": {"Status": "FAILED"}}, "NOTIFIED"),
        ("securityhub", {"RecordState": "ARCHIVED"}, "NEW"),
        ("inspector", {"Compliance": {"Status": "PASSED"}}, "NOTIFIED"),
    ],
)
def test_a_control_that_fails_again_is_new_again(
    hub: SecurityHub, finding: Make, product: str, before: dict[str, Any], workflow: str
) -> None:
    arn = f"arn:aws:securityhub:ap-northeast-1::product/aws/{product}"
    first = finding(ProductArn=arn, **before)
    hub.handle("BatchImportFindings", {"Findings": [first]})
    change = {"FindingIdentifiers": [identifier(first)], "Workflow": {"Status": "NOTIFIED"}}
    hub.handle("BatchUpdateFindings", change)
    second = finding(ProductArn=arn, Compliance={"Status": "FAILED"}, UpdatedAt=LATER)
    hub.handle("BatchImportFindings", {"Findings": [second]})
    kept = hub.get("f-1")
    assert kept is not None
    assert kept["Workflow"]["Status"] == workflow


def test_an_update_changes_all_fields_but_updated_at_and_is_told_again(
    hub: SecurityHub, client: Any, emitted: list[dict[str, Any]], finding: Make
) -> None:
    client.batch_import_findings(Findings=[finding(), finding(Id="f-2")])
    emitted.clear()
    related = [{"ProductArn": finding()["ProductArn"], "Id": "f-2"}]
    answer = client.batch_update_findings(
        FindingIdentifiers=[identifier(finding()), identifier(finding(Id="f-2"))],
        Note={"Text": "未保護", "UpdatedBy": "responder"},
        Severity={"Normalized": 70},
        VerificationState="TRUE_POSITIVE",
        Confidence=90,
        Criticality=80,
        Types=["TTPs"],
        UserDefinedFields={"verdict": "UNPROTECTED"},
        Workflow={"Status": "NOTIFIED"},
        RelatedFindings=related,
    )
    assert len(answer["ProcessedFindings"]) == 2
    assert answer["UnprocessedFindings"] == []
    kept = hub.get("f-2")
    assert kept is not None
    assert kept["Note"] == {
        "Text": "未保護",
        "UpdatedBy": "responder",
        "UpdatedAt": "2026-11-18T11:06:40.000Z",
    }
    assert kept["Severity"] == {"Normalized": 70, "Label": "HIGH", "Original": "9.8"}
    assert kept["UserDefinedFields"] == {"verdict": "UNPROTECTED"}
    assert (kept["Workflow"], kept["Types"]) == ({"Status": "NOTIFIED"}, ["TTPs"])
    assert (kept["Confidence"], kept["Criticality"]) == (90, 80)
    assert (kept["VerificationState"], kept["RelatedFindings"]) == ("TRUE_POSITIVE", related)
    assert kept["UpdatedAt"] == finding()["UpdatedAt"]
    assert [event["detail-type"] for event in emitted] == ["Security Hub Findings - Imported"] * 2
    assert emitted[1]["detail"]["findings"] == [kept]


def test_findings_that_cannot_be_updated_are_told_in_a_200(
    client: Any, emitted: list[dict[str, Any]], finding: Make
) -> None:
    wide = finding(Id="wide", ProductFields={"a": "x" * 243_000})
    client.batch_import_findings(Findings=[finding(), finding(Id="twice"), wide])
    emitted.clear()
    answer = client.batch_update_findings(
        FindingIdentifiers=[
            identifier(finding(Id=name)) for name in ("f-1", "none", "twice", "twice", "wide")
        ],
        UserDefinedFields={"a": "x" * 3000},
    )
    assert [one["Id"] for one in answer["ProcessedFindings"]] == ["f-1"]
    assert [
        (one["FindingIdentifier"]["Id"], one["ErrorCode"]) for one in answer["UnprocessedFindings"]
    ] == [
        ("none", "FindingNotFound"),
        ("twice", "DuplicatedFindingIdentifier"),
        ("wide", "FindingSizeExceededLimit"),
    ]
    assert [event["detail"]["findings"][0]["Id"] for event in emitted] == ["f-1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"Note": {"Text": "x" * 513, "UpdatedBy": "me"}},
        {"Note": {"Text": "x"}},
        {"Workflow": {"Status": "DONE"}},
        {"Workflow": {}},
        {"Confidence": 101},
        {"Severity": {"Label": "URGENT"}},
        {"UserDefinedFields": {"a": 1}},
        {"UserDefinedFields": {str(n): "v" for n in range(51)}},
        {"FindingIdentifiers": []},
        {},
    ],
)
def test_an_update_with_a_wrong_value_changes_nothing(
    hub: SecurityHub, finding: Make, wrong: dict[str, Any]
) -> None:
    hub.seed(finding())
    before = hub.get("f-1")
    with pytest.raises(AwsError, match="InvalidInputException"):
        hub.handle("BatchUpdateFindings", {"FindingIdentifiers": [identifier(finding())], **wrong})
    assert hub.get("f-1") == before


def test_an_update_takes_a_hundred_findings(client: Any, finding: Make) -> None:
    many = [identifier(finding(Id=str(n))) for n in range(101)]
    with pytest.raises(client.exceptions.InvalidInputException):
        client.batch_update_findings(FindingIdentifiers=many, Workflow={"Status": "NEW"})
    answer = client.batch_update_findings(FindingIdentifiers=many[:100], Workflow={"Status": "NEW"})
    assert len(answer["UnprocessedFindings"]) == 100


def test_an_ocsf_finding_is_updated_by_its_uid_and_told_in_its_own_form(
    hub: SecurityHub, client: Any, emitted: list[dict[str, Any]]
) -> None:
    product = "arn:aws:securityhub:ap-northeast-1::productv2/aws/inspector"
    hub.seed_ocsf(
        {
            "finding_info": {
                "uid": "o-1",
                "title": "CVE-2026-1",
                "created_time": 1_794_000_000_000,
            },
            "metadata": {"product": {"uid": product, "name": "Inspector"}},
            "cloud": {"account": {"uid": "444455556666"}, "region": "us-east-1"},
            "resources": [{"type": "AWS::EC2::Instance", "uid": "i-0aa"}],
            "severity": "Critical",
            "status": "New",
        }
    )
    answer = client.batch_update_findings(
        FindingIdentifiers=[{"Id": "o-1", "ProductArn": product}],
        Note={"Text": "seen", "UpdatedBy": "me"},
        Workflow={"Status": "NOTIFIED"},
    )
    assert len(answer["ProcessedFindings"]) == 1
    kept = hub.get("o-1")
    assert kept is not None
    assert kept["Note"]["Text"] == "seen"
    assert kept["Severity"]["Label"] == "CRITICAL"
    assert kept["Resources"][0]["Type"] == "AwsEc2Instance"
    [event] = emitted
    assert event["detail-type"] == "Findings Imported V2"
    told = event["detail"]["findings"][0]
    assert (told["status"], told["comment"]) == ("In Progress", "seen")
    with pytest.raises(ValueError, match=r"finding_info\.uid"):
        hub.seed_ocsf({"metadata": {"product": {"uid": product}}})


@pytest.mark.skipif(not SAMPLES, reason="the real samples are not here")
@pytest.mark.parametrize("path", SAMPLES, ids=[path.name for path in SAMPLES])
def test_real_findings_can_be_imported(hub: SecurityHub, path: Path) -> None:
    real = json.loads(path.read_text())
    answer = hub.handle("BatchImportFindings", {"Findings": [real]})
    if not real.get("Description"):
        assert answer["FailedCount"] == 1
        return
    assert answer["FailedFindings"] == []
    kept = hub.get(real["Id"])
    assert kept is not None
    assert kept["Resources"] == real["Resources"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["Severity", "Types", "Resources", "Id", "FindingProviderFields", "Note"]),
    VALUES,
)
def test_any_value_of_a_field_is_imported_or_refused(name: str, value: Any) -> None:
    hub = SecurityHub(lambda: 0.0, lambda _event: None, "ap-northeast-1", "111122223333")
    findings = [{**BASE, name: value}, value]
    answer = hub.handle("BatchImportFindings", {"Findings": findings})
    assert answer["SuccessCount"] + answer["FailedCount"] == 2


BASE = {
    **dict.fromkeys(("Id", "GeneratorId", "Title", "Description"), "x"),
    "SchemaVersion": "2018-10-08",
    "ProductArn": "arn:aws:securityhub:ap-northeast-1::product/aws/inspector",
    "AwsAccountId": "111122223333",
    **dict.fromkeys(("CreatedAt", "UpdatedAt"), LATER),
    "Types": ["TTPs"],
    "Severity": {"Label": "LOW"},
    "Resources": [{"Type": "Other", "Id": "r"}],
}
