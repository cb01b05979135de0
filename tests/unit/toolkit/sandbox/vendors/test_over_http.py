"""The simulators behind the sandbox's server and below its paths, asked by a real client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from hub_toolkit.sandbox.listener import Listener
from hub_toolkit.sandbox.mounts import Mounts
from hub_toolkit.sandbox.vendors.jira import Jira
from hub_toolkit.sandbox.vendors.slack import Slack
from hub_toolkit.sandbox.vendors.vision_one import VisionOne

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDPOINTS = "v3.0/endpointSecurity/endpoints"
BEARER = {"Authorization": "Bearer t0ken"}


def now() -> float:
    return 1_795_000_000.0


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    vision_one = VisionOne(now, token="t0ken")
    vision_one.replace_endpoints(
        [{"agentGuid": f"g{number:02}", "endpointName": f"東京{number:02}"} for number in range(25)]
    )
    jira = Jira(now, email="e", api_token="t")
    slack = Slack(now, token="t0ken")
    apps = {"vision_one": vision_one.app, "jira-sec": jira.app, "slack-bot": slack.app}
    listener = Listener(threads=2)
    listener.start(Mounts(apps, "vendor"))
    try:
        yield listener.endpoint
    finally:
        listener.stop()


def call(method: str, url: str, **options: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, timeout=10, **options)


def test_next_links_lead_back_through_the_path_of_the_mount(base: str) -> None:
    url: str | None = f"{base}/vision_one/{ENDPOINTS}?top=10"
    seen: list[str] = []
    while url:
        assert url.startswith(f"{base}/vision_one/")
        page = call("GET", url, headers=BEARER).json()
        seen += [item["endpointName"] for item in page["items"]]
        url = page.get("nextLink")
    assert len(set(seen)) == 25


def test_a_filter_travels_as_utf8_in_a_header(base: str) -> None:
    headers = {**BEARER, "TMV1-Filter": "endpointName eq '東京07'".encode()}
    page = call("GET", f"{base}/vision_one/{ENDPOINTS}", headers=headers).json()
    assert [item["agentGuid"] for item in page["items"]] == ["g07"]


def test_an_empty_filter_header_is_refused(base: str) -> None:
    headers = {**BEARER, "TMV1-Filter": ""}
    assert call("GET", f"{base}/vision_one/{ENDPOINTS}", headers=headers).status_code == 400


def test_an_issue_links_to_a_page_that_opens(base: str) -> None:
    fields = {"project": {"key": "SEC"}, "issuetype": {"name": "Task"}, "summary": "受付サーバー"}
    url = f"{base}/jira-sec/rest/api/3/issue"
    created = call("POST", url, json={"fields": fields}, auth=("e", "t")).json()
    assert created["self"].startswith(f"{base}/jira-sec/")
    page = call("GET", f"{base}/jira-sec/browse/{created['key']}")
    assert "受付サーバー" in page.text


def test_slack_takes_chunked_json(base: str) -> None:
    body = iter([b'{"channel": "C0SANDBOX01", ', b'"text": "hello"}'])
    headers = {**BEARER, "Content-Type": "application/json; charset=utf-8"}
    url = f"{base}/slack-bot/api/chat.postMessage"
    assert call("POST", url, data=body, headers=headers).json()["ok"]
