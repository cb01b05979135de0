"""AWS services that the sandbox leaves to moto: the calls of every run here, the rest by moto.

Importing moto takes longer than a whole run, so it comes only when something else is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from hub_toolkit.sandbox.aws_app import identify
from hub_toolkit.sandbox.aws_json import JSON_1_1, read_request, respond_failed, respond_ok
from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.moto_store import MotoStore
from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse, read_body, respond

if TYPE_CHECKING:
    from hub_toolkit.sandbox.identifiers import Place

_SNS_XMLNS = "http://sns.amazonaws.com/doc/2010-03-31/"


class Elsewhere:
    """SNS topics, secrets and the stack's own buckets of one world; all else of AWS is moto's.

    Args:
        place: account and region.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._topics: set[str] = set()
        self._secrets: dict[str, str] = {}
        self._moto: MotoStore | None = None
        self._first: list[Callable[[MotoStore], None]] = []
        self._buckets: set[str] = set()
        self._published = 0
        self._own: dict[str, App] = {
            "sns.Publish": self._publish,
            "secretsmanager.GetSecretValue": self._secret,
        }

    def app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI: answers an AWS request."""
        target = identify(environ).target
        own = self._own.get(target)
        if target in _OBJECTS and self._bucket(environ) in self._buckets:
            own = _OBJECTS[target]
        return (own or self._all_else().app)(environ, start_response)

    def create_topic(self, name: str) -> None:
        """Create an SNS topic."""
        self._topics.add(self._place.arn("sns", name))

    def create_bucket(self, name: str, lock: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Create an S3 bucket, which takes objects and forgets them."""
        self._buckets.add(name)

    def create_stream(self, name: str) -> None:
        """Create a Kinesis stream, before anything is asked of moto."""
        self._first.append(lambda moto: moto.create_stream(name))

    def put_secret(self, name: str, value: Mapping[str, str]) -> None:
        """Create a secret that holds ``value`` as a JSON object."""
        self._secrets[name] = json.dumps(dict(value))

    def drop_secret(self, name: str) -> None:
        """Delete a secret; no error where there is none."""
        self._secrets.pop(name, None)

    def close(self) -> None:
        """Forget everything."""
        if self._moto is not None:
            self._moto.reset()

    def _all_else(self) -> MotoStore:
        if self._moto is None:
            self._moto = MotoStore(self._place.account, self._place.region)
            for create in self._first:
                create(self._moto)
            self._moto.load()
        return self._moto

    def _bucket(self, environ: Environ) -> str:
        """The bucket that a request names, in its host or its path."""
        first = str(environ["PATH_INFO"]).lstrip("/").partition("/")[0]
        host = str(environ.get("HTTP_HOST", "")).partition(".")[0]
        return host if host in self._buckets else first

    def _publish(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        form = parse_qs(read_body(environ).decode("utf-8", "replace"))
        topic = form.get("TopicArn", [""])[0]
        if not topic.startswith("arn:"):
            return _sns_error(start_response, 400, "InvalidParameter", "TopicArn is not valid")
        # A topic of a name of its own is the team's, not the template's: it is taken to be there.
        own = topic.startswith(self._place.arn("sns", f"{self._place.stack}-"))
        if own and topic not in self._topics:
            return _sns_error(start_response, 404, "NotFound", "Topic does not exist")
        self._published += 1
        body = (
            f'<PublishResponse xmlns="{_SNS_XMLNS}"><PublishResult><MessageId>'
            f"00000000-0000-4000-8000-{self._published:012d}</MessageId></PublishResult>"
            "<ResponseMetadata><RequestId>dry</RequestId></ResponseMetadata></PublishResponse>"
        )
        return respond(start_response, 200, body.encode(), "text/xml")

    def _secret(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        name = str(read_request(environ).get("SecretId", ""))
        if name not in self._secrets:
            text = "Secrets Manager can't find the specified secret."
            missing = AwsError("ResourceNotFoundException", text)
            return respond_failed(start_response, missing, JSON_1_1)
        answer = {
            "ARN": self._place.arn("secretsmanager", f"secret:{name}-AbCdEf"),
            "Name": name,
            "SecretString": self._secrets[name],
        }
        return respond_ok(start_response, answer, JSON_1_1)


def _stored(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    read_body(environ)
    return respond(start_response, 200, b"", "application/xml")


def _missing(_environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    body = b"<Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>"
    return respond(start_response, 404, body, "application/xml")


_OBJECTS: dict[str, App] = {"s3.PutObject": _stored, "s3.GetObject": _missing}


def _sns_error(
    start_response: StartResponse, status: int, code: str, message: str
) -> Iterable[bytes]:
    body = (
        f'<ErrorResponse xmlns="{_SNS_XMLNS}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>dry</RequestId></ErrorResponse>"
    )
    return respond(start_response, status, body.encode(), "text/xml")
