"""What the simulators share."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.routing import Rule
from werkzeug.test import Client, EnvironBuilder
from werkzeug.wrappers import Request, Response

from hub_toolkit.sandbox.vendors.base import (
    MAX_BODY_BYTES,
    MAX_DEPTH,
    BodyError,
    Simulator,
    json_response,
    read_object,
)


class Echo(Simulator):
    """Answers with the body that it got."""

    def __init__(self) -> None:
        super().__init__([Rule("/echo", methods=["POST"], endpoint=self._echo)])

    def _echo(self, request: Request) -> Response:
        return json_response(read_object(request))


def request(body: bytes) -> Request:
    return Request(EnvironBuilder(method="POST", data=body).get_environ())


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b'{"a": NaN}', b'{"a": Infinity}', b"\xff", b'"text"']
)
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BodyError):
        read_object(request(body))


def test_a_body_may_nest_so_deep_and_no_deeper() -> None:
    assert read_object(request(nested(MAX_DEPTH - 1)))
    for levels in (MAX_DEPTH, 5_000, 100_000):
        with pytest.raises(BodyError):
            read_object(request(nested(levels)))


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_body_error(body: bytes) -> None:
    try:
        found: Any = read_object(request(body))
    except BodyError:
        return
    assert isinstance(found, dict)


def test_routes_and_sizes_have_their_statuses() -> None:
    client = Client(Echo().app)
    assert client.post("/echo", data=b'{"a": 1}').get_json() == {"a": 1}
    assert client.post("/else", data=b"{}").status_code == 404
    assert client.get("/echo").status_code == 405
    assert client.post("/echo", data=b" " * (MAX_BODY_BYTES + 1)).status_code == 413
