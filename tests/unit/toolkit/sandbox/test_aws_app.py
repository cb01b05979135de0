from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from hub_toolkit.sandbox.aws_app import AwsApp, Call, Performed, identify
from hub_toolkit.sandbox.faults import Faults
from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse, respond_json


def scope(service: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential=anything/20260101/us-east-1/{service}/aws4_request, X"


def echo(name: str, status: int = 200) -> App:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        return respond_json(start_response, status, {"by": name, "body": body.decode()})

    return app


class Endpoint:
    """An `AwsApp` over apps that tell their names."""

    def __init__(self, **services: App) -> None:
        self.faults = Faults()
        self.performed: list[Performed] = []
        app = AwsApp(
            {"sqs": echo("sqs"), "securityhub": echo("hub"), **services},
            {"ssm.CreateOpsItem": echo("opscenter")},
            other=echo("moto"),
            faults=self.faults,
            targets=lambda call: ("news",) if call.target == "sns.Publish" else (),
            performed=self.performed.append,
        )
        self.client = Client(app)

    def call(self, path: str = "/", method: str = "POST", **headers: str) -> TestResponse:
        shown = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(path, method=method, headers=shown, data="{}")

    def publish(self) -> TestResponse:
        headers = {"Authorization": scope("sns")}
        return self.client.post("/", headers=headers, data={"Action": "Publish", "Message": "hi"})


def by(response: TestResponse) -> str:
    assert response.json is not None
    return str(response.json["by"])


@pytest.mark.parametrize(
    ("headers", "service"),
    [
        ({"Authorization": scope("sqs")}, "sqs"),
        ({"X_Amz_Target": "AmazonSQS.SendMessage"}, "sqs"),
        ({"Authorization": scope("s3")}, "moto"),
        ({"X_Amz_Target": "AmazonSSM.CreateOpsItem"}, "opscenter"),
        ({"Authorization": scope("ssm"), "X_Amz_Target": "AmazonSSM.GetParameter"}, "moto"),
        ({}, "moto"),
    ],
)
def test_a_request_goes_to_the_service_that_its_signature_or_target_names(
    headers: dict[str, str], service: str
) -> None:
    assert by(Endpoint().call(**headers)) == service


def test_an_unsigned_request_to_a_queues_url_goes_to_sqs() -> None:
    response = Endpoint().client.post("/111122223333/queue", data={"Action": "SendMessage"})
    assert by(response) == "sqs"


def test_the_service_gets_the_whole_body_although_it_was_looked_at() -> None:
    response = Endpoint().client.post("/111122223333/queue", data={"Action": "SendMessage"})
    assert response.json == {"by": "sqs", "body": "Action=SendMessage"}


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("POST", "/findings/import", "BatchImportFindings"),
        ("PATCH", "/findings/batchupdate", "BatchUpdateFindings"),
        ("POST", "/findings", "GetFindings"),
    ],
)
def test_an_operation_of_security_hub_is_read_from_method_and_path(
    method: str, path: str, operation: str
) -> None:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "HTTP_AUTHORIZATION": scope("securityhub"),
    }
    assert identify(environ) == Call("securityhub", operation)


def test_a_scripted_fault_answers_once_in_the_form_that_aws_clients_understand() -> None:
    endpoint = Endpoint()
    endpoint.faults.add(
        [{"target": "securityhub.BatchUpdateFindings", "status": 429, "retry_after": 7}]
    )
    headers = {"Authorization": scope("securityhub")}
    failed = endpoint.call("/findings/batchupdate", "PATCH", **headers)
    assert (failed.status_code, failed.headers["Retry-After"]) == (429, "7")
    assert failed.headers["x-amzn-ErrorType"] == "ThrottlingException"
    assert json.loads(failed.data)["__type"] == "ThrottlingException"
    assert by(endpoint.call("/findings/batchupdate", "PATCH", **headers)) == "hub"


def test_a_fault_of_the_query_protocol_is_xml() -> None:
    endpoint = Endpoint()
    endpoint.faults.add([{"target": "sns", "status": 503}])
    failed = endpoint.publish()
    assert failed.status_code == 503
    assert b"<Code>ServiceUnavailable</Code>" in failed.data


def test_a_fault_may_name_the_connection() -> None:
    endpoint = Endpoint()
    endpoint.faults.add([{"target": "news", "status": 403}])
    assert [endpoint.publish().status_code for _ in range(2)] == [403, 200]


def test_a_faults_own_body_is_sent_as_it_is() -> None:
    endpoint = Endpoint()
    endpoint.faults.add([{"target": "sns.Publish", "status": 400, "body": {"mine": 1}}])
    assert endpoint.publish().json == {"mine": 1}


def test_every_request_is_told_with_what_became_of_it() -> None:
    endpoint = Endpoint(securityhub=echo("hub", 404))
    endpoint.faults.add([{"target": "sns.Publish", "status": 500}])
    endpoint.publish()
    endpoint.publish()
    endpoint.call("/findings", Authorization=scope("securityhub"))
    told = [(done.call.target, done.status, done.refused) for done in endpoint.performed]
    assert told == [
        ("sns.Publish", 500, True),
        ("sns.Publish", 200, False),
        ("securityhub.GetFindings", 404, True),
    ]
    assert endpoint.performed[1].body == b"Action=Publish&Message=hi"


def test_a_body_over_the_limit_is_refused() -> None:
    endpoint = Endpoint()
    response = endpoint.client.post("/", environ_overrides={"CONTENT_LENGTH": str(1 << 30)})
    assert response.status_code == 413
