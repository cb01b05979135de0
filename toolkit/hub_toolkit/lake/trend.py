"""Trend's registrations service: where its data for Security Lake are to go.

Documented is this and no more: POST, GET and DELETE of
``https://security-lake.{region}.cloudone.trendmicro.com/api/registrations``, the headers
``Authorization: ApiKey ...`` and ``api-version: v1``, the regions, and a registration's members:
``eventClass``, ``providerAccountID``, ``bucketName``, ``prefix``, ``roleArn`` (so spelled).

Our reading: ``providerAccountID`` is the account that the source's role trusts, Trend's; it is what
Security Lake calls the provider. A guess, after the sibling services of Cloud One: GET answers a
list, or an object with one, of registrations that each have an ``id``, and DELETE names it in the
path. Where an answer is in no such form, this says so and does nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

import msgspec

from hub_responder import http, masking
from hub_responder.deadline import Deadline
from hub_responder.errors import CallError, DeniedError
from hub_toolkit.sandbox.simulators import PATH, REGISTRATIONS
from hub_toolkit.stack import DeploymentError, is_local

if TYPE_CHECKING:
    from hub_toolkit.stack import Stack

ACCOUNT = "868324285112"
"""Trend's own: the principal of its sources; the tenant's id is their external id."""
REGIONS = {
    "us-east-1": "us-1",
    "ap-southeast-2": "au-1",
    "ap-northeast-1": "jp-1",
    "eu-central-1": "de-1",
}
"""The lake's region -> Trend's."""
CLASSES = {
    "file-activity": ("trend-file", "FILE_ACTIVITY"),
    "process-activity": ("trend-process", "PROCESS_ACTIVITY"),
    "network-activity": ("trend-network", "NETWORK_ACTIVITY"),
    "registry-value-activity": ("trend-registry", "REGISTRY_VALUE_ACTIVITY"),
    "dns-activity": ("trend-dns", "DNS_ACTIVITY"),
    "account-change-audit": ("trend-account", "ACCOUNT_CHANGE"),
}
"""Trend's event class -> our source's name, and Security Lake's name of the class."""
CALL_S = 20.0
TARGET = "Trend's registrations service"
_GONE = 404
_NO_KEY = re.compile(r"[^\x21-\x7e]")


class Registration(msgspec.Struct, frozen=True):
    """What Trend says is registered; empty where it does not say."""

    id: str = ""
    event_class: str = ""
    bucket: str = ""
    prefix: str = ""
    role_arn: str = ""


class Registrations:
    """The service of the region that the stack is in.

    Args:
        key: the tenant's API key.

    Attributes:
        address: of the service.

    Raises:
        DeploymentError: here: Trend delivers to no lake in this region; in all methods: it refuses,
            cannot be reached, or answers in a form that is not known.
    """

    def __init__(self, stack: Stack, key: str) -> None:
        self.address = _address(stack)
        self._headers = {"Authorization": f"ApiKey {key}", "api-version": "v1"}

    def listed(self) -> list[Registration]:
        """All registrations of the tenant."""
        answer = self._call("GET")
        try:
            told = answer.json()
        except CallError as error:
            raise DeploymentError(str(error)) from error
        return [_read(one) for one in _listed(told)]

    def register(self, event_class: str, bucket: str, prefix: str, role_arn: str) -> Registration:
        """Let Trend deliver an event class from now on."""
        body = {
            "eventClass": event_class,
            "providerAccountID": ACCOUNT,
            "bucketName": bucket,
            "prefix": prefix,
            "roleArn": role_arn,
        }
        answer = self._call("POST", body=body)
        try:
            made = answer.json() if answer.body else {}
        except CallError:
            made = {}  # it was taken: what it answers then is not documented
        return _read({**body, **made} if isinstance(made, dict) else body)

    def delete(self, name: str) -> None:
        """Let Trend deliver no more; one that is not there is no error."""
        self._call("DELETE", f"/{quote(name, safe='')}", passed=_GONE)

    def _call(
        self, method: str, path: str = "", *, body: Any = None, passed: int = 0
    ) -> http.Response:
        try:
            answer = http.call(
                method,
                self.address + path,
                target=TARGET,
                deadline=Deadline.after(CALL_S + 5),
                headers=self._headers,
                json=body,
                timeout=CALL_S,
            )
            if answer.status != passed:
                http.raise_for_status(answer, TARGET)
        except DeniedError as error:
            raise DeploymentError(f"{error}: is the API key the tenant's, and valid?") from error
        except CallError as error:
            raise DeploymentError(str(error)) from error
        return answer


def key_in(stack: Stack, secret: str) -> str:
    """The API key in a secret: a JSON object with ``api_key``, as connections have, or the key.

    Raises:
        DeploymentError: it cannot be read, or holds no key.
    """
    answer = stack.call("secretsmanager", "get_secret_value", SecretId=secret)
    text = str(answer.get("SecretString") or "").strip()
    if text.startswith("{"):
        try:
            held = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError:
            held = {}
        text = str(held.get("api_key") or "").strip()
    if not text or _NO_KEY.search(text):
        raise DeploymentError(f'secret {secret} holds no API key: {{"api_key": "..."}} is expected')
    masking.remember(text)
    return text


def _address(stack: Stack) -> str:
    if stack.endpoint is not None and is_local(stack.endpoint):
        return f"{stack.endpoint}{PATH}/{REGISTRATIONS}/api/registrations"
    if stack.region not in REGIONS:
        raise DeploymentError(
            f"Trend delivers to no lake in {stack.region}: to {', '.join(sorted(REGIONS))}"
        )
    host = f"security-lake.{REGIONS[stack.region]}.cloudone.trendmicro.com"
    return f"https://{host}/api/registrations"


def _listed(answer: Any) -> list[Mapping[str, Any]]:
    found = answer
    if isinstance(answer, dict):
        lists = [value for value in answer.values() if isinstance(value, list)]
        found = lists[0] if len(lists) == 1 else _unknown()
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        _unknown()
    return found


def _read(held: Mapping[str, Any]) -> Registration:
    told = (held.get(name) for name in ("id", "eventClass", "bucketName", "prefix", "roleArn"))
    return Registration(*(str(one)[:1024] if one else "" for one in told))


def _unknown() -> NoReturn:
    raise DeploymentError(f"{TARGET} answers in a form that is not known")
