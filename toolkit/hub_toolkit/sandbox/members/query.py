"""AWS's query protocols over WSGI: a form comes in, XML goes out.

EC2's variant differs in how errors are wrapped and how list items are called (Smithy: awsQuery,
ec2Query). Only what the services here answer is written: texts, lists and objects.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.wsgi import TooLarge, read_body, respond

if TYPE_CHECKING:
    from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse

Form = Mapping[str, str]
Answer = Callable[["Environ", Form], dict[str, Any]]


def query_app(answer: Answer, *, ec2: bool = False) -> App:
    """A WSGI application that answers a query protocol.

    Args:
        answer: (request, its form) -> the answer's members; raises AwsError.
        ec2: EC2's variant.
    """

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            form = dict(parse_qsl(read_body(environ).decode("utf-8", "replace")))
            members = answer(environ, form)
        except TooLarge as error:
            return query_failed(
                start_response, AwsError("InvalidRequest", str(error), 413), ec2=ec2
            )
        except AwsError as error:
            return query_failed(start_response, error, ec2=ec2)
        name = f"{form.get('Action', '')}Response"
        body = xml(members, "item" if ec2 else "member")
        if not ec2:
            result = f"{form.get('Action', '')}Result"
            body = f"<{result}>{body}</{result}>"
        text = f"<{name}>{body}<requestId>{uuid.uuid4()}</requestId></{name}>"
        return respond(start_response, 200, text.encode(), "text/xml")

    return app


def listed(form: Form, prefix: str) -> list[str]:
    """The values of ``prefix.1``, ``prefix.2``, in their order."""
    numbered = [
        (int(number), value)
        for key, value in form.items()
        if key.startswith(f"{prefix}.") and (number := key.removeprefix(f"{prefix}.")).isdecimal()
    ]
    return [value for _, value in sorted(numbered)]


def filters(form: Form) -> dict[str, list[str]]:
    """EC2's ``Filter.N.Name`` and ``Filter.N.Value.M``."""
    names = {
        key.split(".")[1]: value
        for key, value in form.items()
        if key.startswith("Filter.") and key.endswith(".Name")
    }
    return {name: listed(form, f"Filter.{number}.Value") for number, name in names.items()}


def xml(value: Any, item: str) -> str:
    """A value as XML content; the entries of a list are called ``item``."""
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{xml(held, item)}</{name}>" for name, held in value.items())
    if isinstance(value, list):
        return "".join(f"<{item}>{xml(held, item)}</{item}>" for held in value)
    if isinstance(value, bool):
        return str(value).lower()
    return escape("".join(one for one in str(value) if one >= " " or one in "\t\n"))


def query_failed(start_response: StartResponse, error: AwsError, *, ec2: bool) -> list[bytes]:
    """Answer with an error."""
    told = xml({"Error": {"Code": error.code, "Message": error.message}}, "item")
    body = (
        f"<Response><Errors>{told}</Errors><RequestID>sandbox</RequestID></Response>"
        if ec2
        else f"<ErrorResponse>{told}<RequestId>sandbox</RequestId></ErrorResponse>"
    )
    return respond(start_response, error.status, body.encode(), "text/xml")
