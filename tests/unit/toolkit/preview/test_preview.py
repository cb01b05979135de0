"""``hub-responder message preview``: what each target would get."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hub_responder.connections import channels
from hub_responder.tickets import registry
from hub_toolkit.preview.targets import TARGETS

from .conftest import EVENT, ROOT, Outline, Previews

UNPROTECTED = ("--verdict", "UNPROTECTED")
ALL = tuple(word for name in TARGETS for word in ("--as", name))


def test_a_message_is_shown_as_slack_would_get_it(previews: Previews) -> None:
    (told,) = previews.told(EVENT, "--as", "slack", *UNPROTECTED)
    assert (told["connection"], told["type"], told["invented"]) == ("slack-bot", "slack", False)
    (sent,) = told["sent"]
    assert (sent["method"], sent["path"]) == ("POST", "/api/chat.postMessage")
    assert sent["body"]["channel"] == "C0SANDBOX01"
    assert sent["body"]["blocks"][0]["text"]["text"] == "UNPROTECTED: CRITICAL on web-01"
    assert not told["shortened"]
    sizes = {one["what"]: (one["size"], one["limit"]) for one in told["sizes"]}
    assert sizes["header"] == (len("UNPROTECTED: CRITICAL on web-01"), 150)
    assert sizes["blocks"] == (len(sent["body"]["blocks"]), 50)


def test_tickets_get_the_tickets_text_and_channels_the_messages(previews: Previews) -> None:
    message, ticket = previews.told(EVENT, "--as", "slack", "--as", "jira", *UNPROTECTED)
    assert message["title"] == "UNPROTECTED: CRITICAL on web-01"
    assert ticket["title"] == "UNPROTECTED: CRITICAL vulnerabilities on web-01 in 111122223333"
    fields = ticket["sent"][0]["body"]["fields"]
    assert fields["summary"] == ticket["title"]
    assert fields["project"] == {"key": "SEC"}


def test_a_ticket_has_what_its_connections_settings_say(previews: Previews, tmp_path: Path) -> None:
    for name in ("playbooks", "events"):
        shutil.copytree(ROOT / name, tmp_path / name)
    path = tmp_path / "playbooks" / "connections.sandbox.yaml"
    text = path.read_text(encoding="utf-8")
    more = "    issue_type: Task\n    labels: [soc]\n"
    assert "    issue_type: Task\n" in text
    path.write_text(text.replace("    issue_type: Task\n", more, 1), encoding="utf-8")
    words = ("inspector-coverage", EVENT, "--as", "jira", "--json", *UNPROTECTED)
    code, said, errors = previews.run(*words, root=tmp_path)
    assert code == 0, errors
    fields = json.loads(said)[0]["sent"][0]["body"]["fields"]
    assert fields["priority"] == {"name": "Highest"}
    assert fields["components"] == [{"name": "Cloud"}]
    assert fields["customfield_10010"] == "111122223333"
    assert "soc" in fields["labels"]


def test_a_step_can_be_chosen_for_any_target(previews: Previews) -> None:
    (told,) = previews.told(EVENT, "--as", "github", "--step", "tell", *UNPROTECTED)
    assert told["sent"][0]["body"]["title"] == "UNPROTECTED: CRITICAL on web-01"


def test_every_target_takes_it_also_where_the_project_has_no_such_connection(
    previews: Previews,
) -> None:
    told = previews.told(EVENT, *ALL, *UNPROTECTED)
    assert [one["target"] for one in told] == list(TARGETS)
    assert all(one["sent"] and not one["error"] for one in told)
    assert all(one["size"] <= one["limit"] for each in told for one in each["sizes"])
    invented = {one["target"] for one in told if one["invented"]}
    assert "github" in invented
    assert "slack" not in invented


def test_targets_are_of_types_that_take_messages_or_tickets() -> None:
    for name, target in TARGETS.items():
        assert target.kind in channels.MODULES or target.kind in registry.MODULES, name


def test_no_credential_is_shown(previews: Previews) -> None:
    told = json.dumps(previews.told(EVENT, *ALL, *UNPROTECTED))
    assert "-sandbox-" not in told
    assert "Authorization" not in told


def test_the_verdict_is_given_as_in_a_dry_run(previews: Previews) -> None:
    (told,) = previews.told(EVENT, "--as", "slack", "--verdict", "PROTECTED")
    assert told["title"] == "PROTECTED: CRITICAL on web-01"
    code, _, errors = previews.run("inspector-coverage", EVENT, "--verdict", "FINE")
    assert code == 2
    assert "UNPROTECTED" in errors


def test_the_language_is_the_connections_or_as_given(previews: Previews) -> None:
    (told,) = previews.told(EVENT, "--as", "slack", "--lang", "ja", *UNPROTECTED)
    assert told["language"] == "ja"
    assert told["title"].startswith("【未保護】")
    code, _, errors = previews.run("inspector-coverage", EVENT, "--lang", "de")
    assert (code, errors.strip()) == (2, "--lang 'de' is no language of messages: en or ja")


def test_a_case_of_the_playbook_gives_event_coverage_and_language(previews: Previews) -> None:
    (told,) = previews.told("messages in Japanese", "--as", "teams")
    assert told["language"] == "ja"
    assert "LOW ポートが開いています" not in told["title"]
    assert "ポートが開いています" in json.dumps(told["sent"], ensure_ascii=False)


def test_what_was_shortened_is_told_and_within_the_limits(
    previews: Previews, tmp_path: Path
) -> None:
    event = json.loads((ROOT / "events" / f"{EVENT}.json").read_text(encoding="utf-8"))
    finding = event["detail"]["findings"][0]
    finding["Resources"][0]["Tags"]["Name"] = " ".join(map(str, range(85)))
    path = tmp_path / "long.json"
    path.write_text(json.dumps(event), encoding="utf-8")
    (told,) = previews.told(path, "--as", "slack", *UNPROTECTED)
    assert told["shortened"][0].startswith("blocks[0].text.text: ends in ")
    sizes = {one["what"]: one["size"] for one in told["sizes"]}
    assert sizes["header"] == 150


def test_why_nothing_would_be_sent_is_told(previews: Previews) -> None:
    protected = (EVENT, "--as", "jira", "--verdict", "PROTECTED")
    code, said, errors = previews.run("inspector-coverage", *protected)
    assert (code, said) == (1, "")
    assert errors.startswith("step ticket sent nothing: skipped, not so: coverage.verdict in")
    code, _, errors = previews.run("inspector-coverage", "inspector-medium-ec2")
    assert code == 1
    assert 'Severity.Label is "MEDIUM", wanted "CRITICAL" or "HIGH"' in errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("inspector-coverage", EVENT, "--as", "slak"), "slack"),
        (("inspector-coverag", EVENT), "inspector-coverage"),
        (("inspector-coverage", "no-such-event"), "there is no such file, and"),
        (("inspector-coverage", EVENT, "--step", "tel"), "tell"),
    ],
)
def test_a_slip_is_told_with_the_nearest_right_spelling(
    previews: Previews, words: tuple[str, ...], said: str
) -> None:
    code, printed, errors = previews.run(*words)
    assert code in (1, 2)
    assert not printed
    assert said in errors


def test_in_a_terminal_the_request_stands_with_its_sizes(previews: Previews) -> None:
    code, said, _ = previews.run("inspector-coverage", EVENT, "--as", "sns", *UNPROTECTED)
    assert code == 0
    assert "Amazon SNS (amazon-q)" in said
    assert '"textType": "client-markdown"' in said
    assert "at most" in said


def test_a_page_shows_all_targets_and_allows_nothing_but_its_style(
    previews: Previews, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    code, said, _ = previews.run("inspector-coverage", EVENT, *ALL, *UNPROTECTED, "--page", page)
    assert (code, said) == (0, "")
    outline = Outline(page.read_text(encoding="utf-8"))
    assert outline.text.count("UNPROTECTED: CRITICAL on web-01") >= 3
    policy = next(value for tag, name, value in outline.attributes if value.startswith("default"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not {"script", "img", "link", "object", "embed", "form"} & set(outline.tags)
    assert [value for _, name, value in outline.attributes if name == "sandbox"] == [""]
    assert {name for _, name, _ in outline.attributes} <= {
        *("lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "rel"),
        *("title", "scope", "start", "sandbox", "srcdoc", "height"),
    }
