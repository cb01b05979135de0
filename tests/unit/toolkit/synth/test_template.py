"""The template that is written from the playbooks."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub_responder.inventory import history
from hub_responder.patterns.pattern import Pattern
from hub_toolkit import synth
from hub_toolkit.synth import generated
from hub_toolkit.synth.archive import CONDITIONS
from hub_toolkit.synth.naming import logical
from hub_toolkit.synth.playbook import MAX_RESOURCES

REPOSITORY = Path(__file__).parents[4]
SHIPPED = "inspector-coverage"
PREFIX = "InspectorCoverage"


def _template(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(synth.render(root))
    return loaded


SMALL = """\
format: 1
name: NAME
summary: Writes to findings
on:
  imported: {match: {Severity: {Label: [CRITICAL]}}}
  custom_action: {id: ID, name: Note, description: Writes a note}
steps: [{uses: finding.update, with: {note: seen}}]
"""


def _more(root: Path, names: list[str]) -> None:
    """More playbooks."""
    for name in names:
        folder = root / "playbooks" / name
        folder.mkdir()
        text = SMALL.replace("NAME", name).replace("ID", name.replace("-", "X"))
        (folder / "playbook.yaml").write_text(text, encoding="utf-8")


def _statements(template: dict[str, Any], role: str) -> list[dict[str, Any]]:
    (policy,) = template["Resources"][role]["Properties"]["Policies"]
    statements: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return statements


def _granted(template: dict[str, Any], role: str) -> dict[str, list[Any]]:
    """Action -> the resources it is granted on."""
    found: dict[str, list[Any]] = {}
    for statement in _statements(template, role):
        actions = statement["Action"]
        for action in actions if isinstance(actions, list) else [actions]:
            found.setdefault(action, []).append(statement["Resource"])
    return found


def test_the_text_is_the_same_every_time(root: Path) -> None:
    assert synth.render(root) == synth.render(root)


def test_a_playbook_has_twelve_resources_at_most(root: Path) -> None:
    resources = _template(root)["Resources"]
    kinds = Counter(one["Type"] for name, one in resources.items() if name.startswith(PREFIX))
    assert kinds.total() == MAX_RESOURCES
    assert kinds == {
        "AWS::SQS::Queue": 2,
        "AWS::Logs::LogGroup": 1,
        "AWS::IAM::Role": 1,
        "AWS::Serverless::LayerVersion": 1,
        "AWS::Serverless::Function": 1,
        "AWS::Lambda::EventSourceMapping": 2,
        "AWS::Events::Rule": 3,
        "AWS::SecurityHub::ActionTarget": 1,
    }


def test_a_role_may_do_what_its_playbook_needs_and_no_more(root: Path) -> None:
    granted = _granted(_template(root), f"{PREFIX}Role")
    assert set(granted) == {
        "autoscaling:DescribeAutoScalingGroups",
        "dynamodb:BatchGetItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "ec2:DescribeInstances",
        "ecs:DescribeContainerInstances",
        "ecs:DescribeTasks",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
        "secretsmanager:GetSecretValue",
        "securityhub:BatchUpdateFindings",
        "securityhub:GetFindings",
        "securityhub:GetInsights",
        "sns:Publish",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
        "ssm:CreateOpsItem",
        "ssm:GetOpsItem",
        "ssm:UpdateOpsItem",
    }
    anywhere = [action for action, places in granted.items() if ["*"] in places]
    assert set(anywhere) == {
        "autoscaling:DescribeAutoScalingGroups",  # these two know no resources
        "ec2:DescribeInstances",
        "ssm:CreateOpsItem",  # nor does this: the item does not exist yet
    }
    snapshots = {"Fn::Sub": "${InventoryBucket.Arn}/current/*"}
    assert granted["s3:GetObject"] == [[snapshots]]
    secrets = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:"
    assert granted["secretsmanager:GetSecretValue"] == [
        [{"Fn::Sub": secrets + "hub-responder/${Stage}/vision-one-??????"}]
    ]


def test_a_role_reads_the_secret_of_a_linked_connection_too(root: Path) -> None:
    path = root / "playbooks" / "connections.yaml"
    text = path.read_text(encoding="utf-8")
    linked = "{type: vision_one, region: us, workload_security: workload}"
    text = text.replace("{type: vision_one, region: us}\n", f"{linked}\n", 1)
    text = text.replace(
        "connections:\n", "connections:\n  workload: {type: workload_security}\n", 1
    )
    path.write_text(text, encoding="utf-8")
    (places,) = _granted(_template(root), f"{PREFIX}Role")["secretsmanager:GetSecretValue"]
    named = [place["Fn::Sub"].partition("${Stage}/")[2] for place in places]
    assert named == ["vision-one-??????", "workload-??????"]


def test_a_role_reaches_only_its_own_part_of_the_ledger(root: Path) -> None:
    template = _template(root)
    for role, name in ((f"{PREFIX}Role", SHIPPED), ("UnansweredRole", "unanswered")):
        ledger = {"Fn::GetAtt": ["LedgerTable", "Arn"]}
        on_ledger = [
            one for one in _statements(template, role) if one["Resource"] in (ledger, [ledger])
        ]
        keys = [
            (one["Action"], test["dynamodb:LeadingKeys"])
            for one in on_ledger
            for test in one["Condition"].values()
        ]
        assert [held for _, held in keys[:1]] == [[f"{name}#*"]]
        paced = ("vision-one", "soc-tickets", "soc-chat") if name == SHIPPED else ()
        read = ["dynamodb:GetItem"] if name == SHIPPED else "dynamodb:Query"
        meters = [(["dynamodb:UpdateItem"], [f"pace#{one}"]) for one in paced]
        assert keys[1:] == [(read, ["pause#*"]), *meters]


def test_no_statement_stands_twice(root: Path) -> None:
    statements = [str(one) for one in _statements(_template(root), f"{PREFIX}Role")]
    assert len(statements) == len(set(statements))


def test_a_playbook_without_button_may_not_read_insights(root: Path) -> None:
    path = root / "playbooks" / SHIPPED / "playbook.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"  custom_action:\n(    .*\n)+", "", text), encoding="utf-8")
    template = _template(root)
    assert "securityhub:GetInsights" not in _granted(template, f"{PREFIX}Role")
    assert f"{PREFIX}ActionTarget" not in template["Resources"]
    assert f"{PREFIX}ActionRule" not in template["Resources"]


def test_what_only_one_stage_needs_is_granted_in_that_stage_only(root: Path) -> None:
    (root / "playbooks" / "connections.live.yaml").write_text(
        "connections:\n  soc-chat: {type: slack, channel: C0123456789}\n", encoding="utf-8"
    )
    template = _template(root)
    (name,) = template["Conditions"].keys() - CONDITIONS.keys()
    assert (name, template["Conditions"][name]) == (
        "LiveStage",
        {"Fn::Equals": [{"Ref": "Stage"}, "live"]},
    )
    chosen = [one["Fn::If"] for one in _statements(template, f"{PREFIX}Role") if "Fn::If" in one]
    assert [one[0] for one in chosen] == ["LiveStage"]  # both kinds of soc-chat have a pace
    assert any("soc-chat-??????" in str(one[1]) for one in chosen)
    assert all(one[2] == {"Ref": "AWS::NoValue"} for one in chosen)


def test_the_sandbox_is_no_stage_of_the_template(root: Path) -> None:
    assert (root / "playbooks" / "connections.sandbox.yaml").is_file()
    template = _template(root)
    assert template["Conditions"] == CONDITIONS
    assert "slack-bot" not in str(template)


def test_queues_carry_the_numbers_that_the_engine_relies_on(root: Path) -> None:
    template = _template(root)
    resources, timeout = template["Resources"], template["Globals"]["Function"]["Timeout"]
    for kind, batch, window in (("Imports", 50, 5), ("Clicks", 10, 0)):
        queue = resources[f"{PREFIX}{kind}Queue"]["Properties"]
        source = resources[f"{PREFIX}{kind}Source"]["Properties"]
        assert queue["VisibilityTimeout"] == 95 > timeout == 60
        assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
        assert queue["SqsManagedSseEnabled"] is True
        assert (source["BatchSize"], source["MaximumBatchingWindowInSeconds"]) == (batch, window)
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    concurrency = resources[f"{PREFIX}ImportsSource"]["Properties"]["ScalingConfig"]
    assert concurrency["MaximumConcurrency"] >= 2
    assert "ScalingConfig" not in resources[f"{PREFIX}ClicksSource"]["Properties"]


def test_every_rule_has_a_queue_that_lets_it_in_and_a_dead_letter_queue(root: Path) -> None:
    resources = _template(root)["Resources"]
    policy = resources["QueuePolicy"]["Properties"]
    let_in = [one["Ref"] for one in policy["Queues"]]
    (source,) = policy["PolicyDocument"]["Statement"][0]["Condition"]["ArnLike"].values()
    rules = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::Events::Rule"]
    for rule in rules:
        (target,) = rule["Targets"]
        assert target["Arn"]["Fn::GetAtt"][0] in let_in
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}}
        assert rule["Name"]["Fn::Sub"].startswith("${AWS::StackName}-")
    assert source["Fn::Sub"].endswith(":rule/${AWS::StackName}-*")
    assert "DeadLetterQueue" in let_in


def test_tables_are_kept_encrypted_restorable_and_forget_in_time(root: Path) -> None:
    resources = _template(root)["Resources"]
    for name in ("LedgerTable", "AuditTable"):
        properties = resources[name]["Properties"]
        assert resources[name]["DeletionPolicy"] == "Retain"
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["TimeToLiveSpecification"] == {
            "AttributeName": "expires",
            "Enabled": True,
        }
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        assert properties["SSESpecification"]["SSEEnabled"]


def test_no_role_changes_or_removes_what_is_in_the_audit_table(root: Path) -> None:
    roles = [
        one for one in _template(root)["Resources"].values() if one["Type"] == "AWS::IAM::Role"
    ]
    table = {"Fn::GetAtt": ["AuditTable", "Arn"]}
    allowed: set[str] = set()
    for one in roles:
        for policy in one["Properties"].get("Policies", ()):
            for statement in policy["PolicyDocument"]["Statement"]:
                places, actions = statement.get("Resource"), statement.get("Action")
                places = places if isinstance(places, list) else [places]
                if table in places:
                    allowed |= {actions} if isinstance(actions, str) else set(actions)
    assert allowed == {"dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"}


def test_what_touches_the_trail_is_seen_and_an_alarm(root: Path) -> None:
    resources = _template(root)["Resources"]
    view = resources["AuditTable"]["Properties"]["StreamSpecification"]["StreamViewType"]
    assert view == "NEW_AND_OLD_IMAGES"
    filters = resources["GuardSource"]["Properties"]["FilterCriteria"]["Filters"]
    patterns = [Pattern.compile(one["Pattern"]) for one in filters]
    theirs = {"userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"}}
    seen = {
        name: any(one.matches_event(event) for one in patterns)
        for name, event in {
            "modified": {"eventName": "MODIFY"},
            "removed": {"eventName": "REMOVE"},
            "expired": {"eventName": "REMOVE", **theirs},
            "inserted": {"eventName": "INSERT"},
        }.items()
    }
    assert seen == {"modified": True, "removed": True, "expired": False, "inserted": False}
    dimensions = resources["TamperedAlarm"]["Properties"]["Dimensions"]
    service = resources["GuardFunction"]["Properties"]["Environment"]["Variables"]
    assert dimensions[0]["Value"] == service["POWERTOOLS_SERVICE_NAME"]


def test_the_environment_is_what_handlers_read(root: Path) -> None:
    template = _template(root)
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    own = template["Resources"][f"{PREFIX}Function"]["Properties"]["Environment"]["Variables"]
    assert set(shared) | set(own) == {
        "PLAYBOOK_DIR",
        "STAGE",
        "LEDGER_TABLE",
        "AUDIT_TABLE",
        "IMPORTS_QUEUE_URL",
        "CLICKS_QUEUE_URL",
        "RULES",
        "DLQ_URL",
        "NOTIFICATIONS_TOPIC_ARN",
        "INVENTORY_BUCKET",
        "POWERTOOLS_SERVICE_NAME",
        "POWERTOOLS_METRICS_NAMESPACE",
        "LOG_LEVEL",
    }


def test_intrinsics_are_in_the_long_form_and_every_reference_resolves(root: Path) -> None:
    text = synth.render(root)
    assert not re.search(r"!(Ref|Sub|GetAtt)\b", text)
    template = yaml.safe_load(text)
    known = {*template["Resources"], *template["Parameters"]}
    named = set(re.findall(r"'Ref': '(?!AWS::)([^']+)'", str(template)))
    named |= set(re.findall(r"'Fn::GetAtt': \['([^']+)'", str(template)))
    assert named <= known


def test_every_parameter_is_used(root: Path) -> None:
    text = synth.render(root)
    for name in yaml.safe_load(text)["Parameters"]:
        assert f"Ref: {name}\n" in text or f"${{{name}}}" in text


def test_a_warning_comes_at_400_resources_and_a_refusal_at_480(root: Path) -> None:
    shared = synth.resource_count(_template(root)) - MAX_RESOURCES
    fit = (400 - shared) // MAX_RESOURCES
    _more(root, [f"more{number}" for number in range(fit)])
    count = shared + (fit + 1) * MAX_RESOURCES
    with pytest.warns(UserWarning, match=f"the stack has {count} resources; 480 are refused"):
        synth.render(root)
    _more(root, [f"more{number}" for number in range(fit, fit + 7)])
    with pytest.raises(synth.SynthError, match=r"would have \d{3} resources; 480 are allowed"):
        synth.render(root)


def test_35_playbooks_fit_one_stack(root: Path) -> None:
    shipped = len(list((root / "playbooks").glob("*/playbook.yaml")))
    _more(root, [f"more{number}" for number in range(35 - shipped)])
    with pytest.warns(UserWarning, match="480 are refused"):
        synth.render(root)


def test_playbooks_whose_resources_would_be_called_the_same_are_refused(root: Path) -> None:
    _more(root, ["a-1b", "a1b"])
    with pytest.raises(synth.SynthError, match="playbook a1b and another would both have"):
        synth.render(root)


def test_drift_is_shown_as_a_diff_until_it_is_written(root: Path) -> None:
    requirements = ["functions/requirements.txt", "functions/requirements-parquet.txt"]
    written = ["template.yaml", *requirements, "docs/actions.md"]
    assert generated.write(root)[:5] == [*written, "docs/playbooks.md"]
    assert generated.drift(root) == ""
    assert generated.write(root) == []
    template = root / "template.yaml"
    text = template.read_text(encoding="utf-8")
    template.write_text(text.replace("Timeout: 60", "Timeout: 61"), encoding="utf-8")
    shown = generated.drift(root)
    assert "-    Timeout: 61\n+    Timeout: 60\n" in shown
    (root / "functions" / "requirements.txt").unlink()
    assert "+boto3==" in generated.drift(root)


def test_the_committed_files_are_what_the_playbooks_say() -> None:
    assert generated.drift(REPOSITORY) == ""


def _assert_safe(made: dict[str, Any], name: str) -> dict[str, Any]:
    """A bucket that outlives the stack and is nobody else's; its properties."""
    assert made[name]["DeletionPolicy"] == made[name]["UpdateReplacePolicy"] == "Retain"
    bucket: dict[str, Any] = made[name]["Properties"]
    assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    assert bucket["BucketEncryption"]
    (deny,) = made[f"{name}Policy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (deny["Effect"], deny["Action"], len(deny["Resource"])) == ("Deny", "s3:*", 2)
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 400)
    return bucket


def _with_variable(made: dict[str, Any], variable: str) -> set[str]:
    """The functions that have an environment variable."""
    return {
        name
        for name, one in made.items()
        if variable in one["Properties"].get("Environment", {}).get("Variables", {})
    }


def test_a_bucket_for_reports_is_there_only_where_a_playbook_writes_any(root: Path) -> None:
    made = yaml.safe_load(synth.render(root))["Resources"]
    bucket = _assert_safe(made, "ReportsBucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert _with_variable(made, "REPORTS_BUCKET") == {"UnprotectedReportFunction"}
    shutil.rmtree(root / "playbooks" / "unprotected-report")
    assert "ReportsBucket" not in synth.render(root)


CHECKING = ("check-coverage", "guardduty-instance", "inspector-coverage", "unprotected-report")


def test_a_bucket_for_the_inventory_is_there_only_where_a_playbook_asks(root: Path) -> None:
    made = yaml.safe_load(synth.render(root))["Resources"]
    bucket = _assert_safe(made, "InventoryBucket")
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["Prefix"] == "history/"  # what is current is never old
    functions = {logical(name, "Function") for name in (*CHECKING, "inventory")}
    assert _with_variable(made, "INVENTORY_BUCKET") == functions
    for name in CHECKING:
        shutil.rmtree(root / "playbooks" / name)
    assert "Inventory" not in synth.render(root)


def test_the_fleet_is_walked_by_a_function_that_may_read_and_write_its_own(root: Path) -> None:
    settings = root / "playbooks" / "settings.yaml"
    settings.write_text("member_role: look\n", encoding="utf-8")
    template = _template(root)
    function = template["Resources"]["InventoryFunction"]["Properties"]
    assert function["Handler"] == "hub_responder.handlers.inventory.handler"
    assert function["Events"]["Schedule"]["Properties"] == {"Schedule": "rate(15 minutes)"}
    assert function["Layers"] == [{"Ref": "InventoryLayer"}, {"Ref": "ParquetLayer"}]
    assert function["Environment"]["Variables"]["INVENTORY_DIR"] == "/opt"
    granted = _granted(template, "InventoryRole")
    bucket = "${InventoryBucket.Arn}"
    assert granted.pop("s3:GetObject") == [[{"Fn::Sub": f"{bucket}/current/*"}]]
    assert granted.pop("s3:PutObject") == [
        [{"Fn::Sub": f"{bucket}/current/*"}, {"Fn::Sub": f"{bucket}/history/*"}]
    ]
    (secrets,) = granted.pop("secretsmanager:GetSecretValue")
    assert [str(one).partition("${Stage}/")[2][:-2] for one in secrets] == ["vision-one-??????"]
    assert granted.pop("sts:AssumeRole") == [
        [{"Fn::Sub": "arn:${AWS::Partition}:iam::*:role/look"}]
    ]
    queues = granted.pop("sqs:SendMessage")
    assert [{"Fn::GetAtt": [f"{PREFIX}ImportsQueue", "Arn"]}] in queues
    assert granted.pop("sqs:GetQueueUrl") == queues
    table = {"Fn::GetAtt": ["LedgerTable", "Arn"]}
    assert granted.pop("dynamodb:BatchGetItem") == [[table]] * len(queues)
    assert set(granted) == {
        "dynamodb:UpdateItem",
        "ec2:DescribeInstances",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
    keys = [
        test["dynamodb:LeadingKeys"]
        for one in _statements(template, "InventoryRole")
        for test in one.get("Condition", {}).values()
    ]
    assert sorted(keys) == [["guardduty-instance#*"], ["inspector-coverage#*"], ["pace#vision-one"]]


def test_the_alarm_goes_by_the_metric_that_the_function_writes(root: Path) -> None:
    made = _template(root)["Resources"]
    alarm = made["InventoryAlarm"]["Properties"]
    variables = made["InventoryFunction"]["Properties"]["Environment"]["Variables"]
    dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
    assert dimensions == {
        "service": variables["POWERTOOLS_SERVICE_NAME"],
        "playbook": "inventory",
    }
    assert (alarm["MetricName"], alarm["Namespace"]) == ("InventoryAge", "HubResponder")
    assert (alarm["Statistic"], alarm["Period"]) == ("Minimum", 3600)
    timeout = made["InventoryFunction"]["Properties"]["Timeout"]
    assert timeout < alarm["Threshold"] < 900  # a good run is younger, the one after a bad is not
    assert alarm["TreatMissingData"] == "breaching"


def test_athena_finds_the_history_by_its_day(root: Path) -> None:
    made = _template(root)["Resources"]
    table = made["InventoryTable"]["Properties"]["TableInput"]
    storage = table["StorageDescriptor"]
    assert [one["Name"] for one in storage["Columns"]] == list(history.COLUMNS)
    kinds = {one["Name"]: one["Type"] for one in storage["Columns"]}
    assert (kinds["taken_at"], kinds["reasons"]) == ("timestamp", "array<string>")
    assert table["PartitionKeys"] == [{"Name": "day", "Type": "string"}]
    location = table["Parameters"]["storage.location.template"]["Fn::Sub"]
    written = history.key("vision-one", 0).partition("/vision-one")[0]
    assert location.replace("${!day}", "1970-01-01") == f"s3://${{InventoryBucket}}/{written}/"
    assert storage["Location"]["Fn::Sub"] == "s3://${InventoryBucket}/history/"
    assert table["Parameters"]["projection.day.range"] == "NOW-400DAYS,NOW"


def test_what_only_one_stage_walks_is_granted_in_that_stage_only(root: Path) -> None:
    (root / "playbooks" / "connections.live.yaml").write_text(
        "connections:\n  vision-one: {type: vision_one, workload_security: swp}\n"
        "  swp: {type: workload_security}\n",
        encoding="utf-8",
    )
    chosen = [
        one["Fn::If"] for one in _statements(_template(root), "InventoryRole") if "Fn::If" in one
    ]
    assert {one[0] for one in chosen} == {"LiveStage"}
    assert any("swp-??????" in str(one[1]) for one in chosen)
