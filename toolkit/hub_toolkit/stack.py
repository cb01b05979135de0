"""A deployed stack, in AWS or in a sandbox, as the command line asks it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LOCAL_KEY = "sandbox"
"""A key for what is on this machine; it has no meaning."""
LOCAL_REGION = "us-east-1"
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=25,
    retries={"mode": "standard", "total_max_attempts": 3},
    user_agent_extra="hub-responder",
)
_ONCE = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))


class DeploymentError(Exception):
    """The deployment cannot be asked, or has not what is asked for; the text says what."""


class RefusedError(DeploymentError):
    """AWS refused a call; ``code`` is its name for why, ``message`` its text."""

    def __init__(self, text: str, code: str, message: str) -> None:
        super().__init__(text)
        self.code = code
        self.message = message


class Stack:
    """One stack.

    Args:
        endpoint: of AWS or of a sandbox; None: what the environment says.
        stack: the stack's name.

    Attributes:
        stack, endpoint: as given. region: where it is.
    """

    def __init__(self, endpoint: str | None, stack: str) -> None:
        self.stack = stack
        self.endpoint = endpoint
        self._session = _session(endpoint)
        self._clients: dict[tuple[str, bool], Any] = {}
        self.region = str(self._client("sqs").meta.region_name)

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()

    def _client(self, service: str, *, once: bool = False) -> Any:
        if (service, once) not in self._clients:
            try:
                made: Any = self._session.client(  # type: ignore[call-overload]
                    service, endpoint_url=self.endpoint, config=_ONCE if once else _CONFIG
                )
            except (BotoCoreError, ValueError) as error:
                raise DeploymentError(f"no deployment can be asked: {error}") from error
            self._clients[service, once] = made
        return self._clients[service, once]

    def call(self, service: str, operation: str, **request: Any) -> Any:
        """The answer of an AWS call, which is made up to three times.

        Raises:
            RefusedError: it is refused.
            DeploymentError: the endpoint cannot be reached.
        """
        return self._called(service, operation, request, once=False)

    def call_once(self, service: str, operation: str, **request: Any) -> Any:
        """The answer of an AWS call that a second try would meet as a conflict; as `call`."""
        return self._called(service, operation, request, once=True)

    def _called(self, service: str, operation: str, request: dict[str, Any], *, once: bool) -> Any:
        try:
            return getattr(self._client(service, once=once), operation)(**request)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if "NonExistentQueue" in code or "QueueDoesNotExist" in code:
                name = request.get("QueueName") or request.get("QueueUrl", "")
                text = f"there is no queue {name}: is --stack right, and the region?"
                raise DeploymentError(text) from error
            message = str(error.response["Error"].get("Message", "")) if code else ""
            text = f"{service} refused {operation}: {code}"
            raise RefusedError(text, code, message) from error
        except BotoCoreError as error:
            where = self.endpoint or "AWS"
            text = f"{service} at {where} cannot be asked ({type(error).__name__})"
            raise DeploymentError(text) from error

    def playbooks(self) -> list[str]:
        """The names of the deployed playbooks, as their queues tell them.

        A stack whose name begins with this one's and a dash shows with the rest of its name before.

        Raises:
            DeploymentError: it cannot be asked for.
        """
        form = re.compile(rf"{re.escape(self.stack)}-(.+)-imports")
        request: dict[str, Any] = {"QueueNamePrefix": f"{self.stack}-", "MaxResults": 1000}
        found: list[str] = []
        while True:
            answer = self.call("sqs", "list_queues", **request)
            names = (url.rpartition("/")[2] for url in answer.get("QueueUrls", []))
            found += [named[1] for name in names if (named := form.fullmatch(name))]
            if not answer.get("NextToken"):
                return found
            request["NextToken"] = answer["NextToken"]

    def table(self, logical_id: str) -> str:
        """The name of one of the stack's tables, as ``AuditTable``.

        Raises:
            DeploymentError: there is none, or it cannot be asked for.
        """
        form = re.compile(rf"{re.escape(self.stack)}-{logical_id}(-[A-Z0-9]+)?")
        request: dict[str, Any] = {}
        while True:
            answer = self.call("dynamodb", "list_tables", **request)
            for name in answer["TableNames"]:
                if form.fullmatch(name):
                    return str(name)
            if "LastEvaluatedTableName" not in answer:
                text = f"there is no {logical_id} of stack {self.stack}: is --stack right?"
                raise DeploymentError(text)
            request["ExclusiveStartTableName"] = answer["LastEvaluatedTableName"]

    def bucket(self, logical_id: str) -> str:
        """The name of one of the stack's buckets, as ``InventoryBucket``.

        CloudFormation puts both names into lower case. A bucket that outlived an earlier stack of
        the same name is older than this stack's.

        Raises:
            DeploymentError: there is none, or it cannot be asked for.
        """
        form = re.compile(rf"{re.escape(f'{self.stack}-{logical_id}'.lower())}(-[a-z0-9]+)?")
        found = [
            bucket
            for bucket in self.call("s3", "list_buckets")["Buckets"]
            if form.fullmatch(bucket["Name"])
        ]
        if not found:
            text = f"there is no {logical_id} of stack {self.stack}: is --stack right?"
            raise DeploymentError(text)
        return str(max(found, key=lambda bucket: bucket["CreationDate"])["Name"])


def is_local(endpoint: str | None) -> bool:
    """Whether ``endpoint`` is on this machine: a sandbox, which takes any key."""
    return endpoint is not None and urlsplit(endpoint).hostname in _LOOPBACK


def _session(endpoint: str | None) -> boto3.session.Session:
    """Nobody needs a key for a sandbox."""
    if not is_local(endpoint):
        return boto3.session.Session()
    return boto3.session.Session(
        aws_access_key_id=LOCAL_KEY,
        aws_secret_access_key=LOCAL_KEY,
        region_name=LOCAL_REGION,
    )


def name_of(stack: str | None, stage: str) -> str:
    """The stack's name: as given, else the one that ``make deploy`` gives to ``stage``."""
    if stack:
        return stack
    return "hub-responder" if stage == "sandbox" else f"hub-responder-{stage}"
