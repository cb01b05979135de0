"""Pages that are written from the playbooks: each one's README.md, and the page that lists them.

They say what holds in every stage: ``playbook show NAME --stage STAGE`` tells the rest.
"""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from hub_toolkit.about import facts, words
from hub_toolkit.playbooks.load import FOLDER, load_project

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hub_toolkit.about.facts import Facts, StepFacts

README = "README.md"
INDEX = "docs/playbooks.md"
MARK = "<!-- Written by `hub-responder synth` from playbook.yaml."
_MARK_LINE = f"{MARK} Delete this line to write the page yourself. -->"
_INDEX_MARK = "<!-- Written by `hub-responder synth` from playbooks/. Do not edit. -->"
_WIDTH = 100


def texts(root: Path) -> dict[str, str]:
    """What each page must hold, by its path in the project.

    A README that somebody wrote by hand (it has no `MARK`) is left to them.

    Raises:
        PlaybookErrors: a playbook is wrong.
    """
    project = load_project(root, "")
    found = [facts.of(source, project, "") for source in project.sources]
    pages = {INDEX: index(found)}
    for source, one in zip(project.sources, found, strict=True):
        path = source.directory / README
        if not path.is_file() or path.read_bytes().startswith(MARK.encode()):
            pages[path.relative_to(root).as_posix()] = readme(one)
    return pages


def index(playbooks: Iterable[Facts]) -> str:
    """``docs/playbooks.md``."""
    rows = [
        f"| [{one.name}](../{FOLDER}/{one.name}/{README}) | {_cell(one.summary)} "
        f"| {', '.join(trigger.kind for trigger in one.triggers)} "
        f"| {', '.join(f'`{step.uses}`' for step in one.steps)} | {_cell(one.owner)} |"
        for one in playbooks
    ]
    return "\n".join(
        [
            _INDEX_MARK,
            "# Playbooks",
            "",
            "`hub-responder playbook show NAME` tells more: rules, permissions, limits.",
            "",
            "| playbook | what it answers | starts by | steps | owner |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def readme(one: Facts) -> str:
    """The page of one playbook."""
    parts = [
        f"{_MARK_LINE}\n# {one.name}",
        fill(one.summary, _WIDTH),
        "\n".join(_who(one)),
        "## When it runs\n\n" + "\n".join(_when(one)),
        "## What it does\n\n" + "\n".join(_what(one)),
        "## What it needs\n\n" + "\n".join(_needs(one)),
        "## Try it, test it, deploy it\n\n" + _commands(one),
    ]
    if one.cases:
        listed = "\n".join(f"- {name}" for name in one.cases)
        parts.append(f"Its cases:\n\n{listed}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _who(one: Facts) -> Iterator[str]:
    if one.owner:
        yield f"- Owner: {one.owner}"
    if one.why:
        yield f"- Why: {one.why}"
    if one.runbook:
        yield f"- Runbook: <{one.runbook}>"


def _when(one: Facts) -> Iterator[str]:
    for trigger in one.triggers:
        yield f"- {trigger.title}"
        for line in trigger.on:
            yield f"  - {_code_before_colon(line)}"
    yield ""
    if one.only_if or one.always_if:
        yield "A finding is handled if all of these hold:"
        yield ""
        yield from (f"- `{text}`" for text in one.only_if)
        yield ""
    if one.always_if:
        yield "and, whatever they say, if any of these does:"
        yield ""
        yield from (f"- `{text}`" for text in one.always_if)
        yield ""
    if one.group_by:
        subject = ", ".join(f"`{text}`" for text in one.group_by)
        yield fill(
            f"Findings with equal {subject} are one incident: one ticket, one thread.", _WIDTH
        )
    else:
        yield "All findings of a run are one incident: one ticket, one thread."


def _what(one: Facts) -> Iterator[str]:
    for number, step in enumerate(one.steps, 1):
        yield fill(f"{number}. {_step(step)}", _WIDTH, subsequent_indent="   ")


def _step(step: StepFacts) -> str:
    to = f" ({step.to})" if step.to else ""
    condition = f" Only if `{step.if_}`." if step.if_ else ""
    template = f" Text: `templates/{step.template}`." if step.template else ""
    ends = {
        "continue": " If it fails, the others go on.",
        "stop": " If it fails, the steps after it are left out.",
    }
    return f"**{step.id}**, `{step.uses}`{to}: {step.does}{condition}{template}" + ends.get(
        step.on_error, ""
    )


def _needs(one: Facts) -> Iterator[str]:
    """In the default connections; a stage's own may reach others."""
    for connection in one.connections:
        secret = f", secret `{connection.secret}`" if connection.secret else ", no secret"
        places = [f"`{place}`" for place in connection.allow]
        at = f", at one of {', '.join(places)} by `{connection.place}`" if places else ""
        yield f"- connection `{connection.name}` of type {connection.type}{secret}{at}"
    for route in one.routes:
        yield f"- route `{route.name}`, which chooses by `{route.by}`"
    granted = sorted({word for one in one.statements for word in one["Action"]} - _ENGINE)
    yield f"- permissions beyond the engine's own: {words.joined([f'`{g}`' for g in granted])}"
    yield f"- {words.counted(len(one.resources), 'resource')} in the stack"


_ENGINE = frozenset(
    {
        "dynamodb:BatchGetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
    }
)


def _commands(one: Facts) -> str:
    return f"""\
```
hub-responder playbook check             # what is wrong, and where
hub-responder playbook test {one.name}
hub-responder playbook show {one.name}   # rules, role, limits
hub-responder synth                      # its resources into template.yaml
make deploy
```"""


def _code_before_colon(line: str) -> str:
    """``Severity.Label: HIGH`` with its field as code."""
    field, colon, rest = line.partition(": ")
    return f"`{field}`: {rest}" if colon and " " not in field else line


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
