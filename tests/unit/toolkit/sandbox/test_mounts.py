from __future__ import annotations

from collections.abc import Iterable

from werkzeug.test import Client

from hub_toolkit.sandbox.mounts import Mounts
from hub_toolkit.sandbox.wsgi import Environ, StartResponse, respond_json


def where(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    place = {"script": environ["SCRIPT_NAME"], "path": environ["PATH_INFO"]}
    return respond_json(start_response, 200, place)


def test_an_application_sees_the_path_below_its_name() -> None:
    answer = Client(Mounts({"jira": where}, "connection")).get("/jira/rest/api/3/issue")
    assert answer.json == {"script": "/jira", "path": "/rest/api/3/issue"}


def test_an_unknown_name_is_told_with_those_that_exist() -> None:
    answer = Client(Mounts({"jira": where}, "connection")).get("/slack/api")
    assert answer.status_code == 404
    assert answer.json == {"error": "there is no connection 'slack' here; there are: jira"}
