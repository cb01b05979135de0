"""AWS clients and what their errors mean."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from hub_responder import aws
from hub_responder.errors import CallError, DeniedError, PermanentError, TransientError
from loopback import Cloud, Reply, error


def client_error(code: str, status: int = 400, message: str = "m") -> ClientError:
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "Op")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "kind", "sent"),
    [
        (client_error("ThrottlingException"), TransientError, True),
        (client_error("TooManyRequestsException", 429), TransientError, True),
        (client_error("LimitExceededException"), TransientError, True),
        (client_error("InternalException"), TransientError, True),
        (client_error("WeirdNewError", 503), TransientError, True),
        (client_error("AccessDeniedException", 403), DeniedError, False),
        (client_error("UnrecognizedClientException"), DeniedError, False),
        (client_error("InvalidAccessException", 401), DeniedError, False),
        (client_error("OpsItemLimitExceededException"), PermanentError, False),
        (client_error("InvalidInputException"), PermanentError, False),
        (ConnectTimeoutError(endpoint_url="u"), TransientError, False),
        (ReadTimeoutError(endpoint_url="u"), TransientError, True),
        (ResponseParserError("<html>"), TransientError, True),
        (NoCredentialsError(), DeniedError, False),
        (ParamValidationError(report="r"), PermanentError, False),
    ],
)
def test_each_error_means_what_follows_from_it(
    error: Exception, kind: type[CallError], sent: bool
) -> None:
    meant = aws.translate(error, "service.Op")
    assert type(meant) is kind
    assert meant.sent is sent
    assert meant.target == "service.Op"


def test_an_error_of_another_kind_is_not_swallowed() -> None:
    with pytest.raises(KeyError):
        aws.translate(KeyError("x"), "t")


def test_messages_are_bounded() -> None:
    assert len(str(aws.translate(client_error("C" * 500, message="m" * 5000), "t"))) < 320


def test_a_client_is_made_once(cloud: Cloud) -> None:
    assert aws.client("sns") is aws.client("sns")


def test_sns_is_never_called_twice_for_one_message(cloud: Cloud) -> None:
    cloud.script["Publish"] = [Reply(500)]
    with pytest.raises(ClientError):
        aws.client("sns").publish(TopicArn="arn:aws:sns:eu-central-1:1:t", Message="m")
    assert len(cloud.called("Publish")) == 1


def test_reads_are_repeated_by_botocore(cloud: Cloud) -> None:
    cloud.script["DescribeParameters"] = [error("InternalServerError", status=500), Reply(200, {})]
    aws.client("ssm").describe_parameters()
    assert len(cloud.called("DescribeParameters")) == 2


def test_an_answer_that_is_cut_short_is_not_one_that_holds_nothing(cloud: Cloud) -> None:
    cut = Reply(200, b'{"Parameters": [{"Na', {"Content-Length": "400"})
    cloud.script["DescribeParameters"] = [cut]
    with pytest.raises(aws.ERRORS) as caught:
        aws.client("ssm").describe_parameters()
    meant = aws.translate(caught.value, "ssm.DescribeParameters")
    assert type(meant) is TransientError
    assert meant.sent  # the call may have had its effect
