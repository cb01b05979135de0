"""Writes the folder of a new playbook; nothing that is there is written over."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from hub_toolkit.about import facts, readme
from hub_toolkit.playbooks.load import load_project
from hub_toolkit.playbooks.problems import PlaybookErrors
from hub_toolkit.scaffold import cases, sample
from hub_toolkit.scaffold.surroundings import default_connection

if TYPE_CHECKING:
    from pathlib import Path

    from hub_toolkit.scaffold.choices import Choices

_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9 ().?'/+_-]*[A-Za-z0-9).?])?")
"""Text that needs no quotes anywhere in YAML, unless it is one of `_WORDS`."""
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def texts(choices: Choices) -> dict[str, str]:
    """What each file of the folder holds, by its path in the folder; the README comes after."""
    event, event_v2 = (f"{_slug(choices)}-finding{form}.json" for form in ("", "-v2"))
    unusual = choices.vision_one and choices.vision_one != default_connection("coverage")
    environment = _environment()
    values = {
        "chosen": choices,
        "cases": list(cases.of(choices, event, event_v2)),
        "connection": f"connection: {choices.vision_one}, " if unusual else "",
        "note": "{{ coverage.summary }}"
        if choices.has("coverage")
        else "Handled by {{ playbook.name }}",
    }
    found = {"playbook.yaml": environment.get_template("playbook.yaml.jinja").render(values)}
    for step, stem in (("ticket", "ticket"), ("notify", "message")):
        for language in ("en", "ja") if choices.has(step) else ():
            about = "account" if choices.bare else stem
            template = environment.get_template(f"{about}.{language}.md.jinja")
            found[f"templates/{stem}.{language}.md.j2"] = template.render(values)
    events = {}
    if choices.triggers != ("imported_v2",):
        events[event] = sample.event(choices)
    if choices.has("imported_v2"):
        events[event_v2] = sample.event_v2(choices)
    for name, held in events.items():
        found[f"tests/{name}"] = json.dumps(held, indent=2, ensure_ascii=False) + "\n"
    return found


def write(choices: Choices, root: Path) -> list[Path]:
    """Write ``root/playbooks/NAME``; the files, the playbook first.

    The README is left to ``synth`` where another playbook of the project is wrong.

    Raises:
        FileExistsError: the folder is there already; nothing was written.
    """
    folder = root / "playbooks" / choices.name
    folder.mkdir()
    written = []
    for name, content in texts(choices).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="\n")
        written.append(path)
    try:
        project = load_project(root, "")
    except PlaybookErrors:
        return written
    (source,) = (one for one in project.sources if one.name == choices.name)
    path = folder / readme.README
    path.write_text(readme.readme(facts.of(source, project, "")), encoding="utf-8", newline="\n")
    return [*written, path]


def yaml(value: Any) -> str:
    """``value`` in YAML's flow style, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{yaml(k)}: {yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(yaml, value)) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def text(value: str) -> str:
    """``value`` as the rest of a line in YAML, where a comma means nothing."""
    bare = value.replace(",", "")
    return value if yaml(bare) == bare and value[-1:] != "," else yaml(value)


def _slug(choices: Choices) -> str:
    """A word for the event's file."""
    word = choices.products[0] if choices.products else "example"
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") or "example"


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("hub_toolkit.scaffold"),
        autoescape=False,  # noqa: S701 - it writes YAML and Markdown, and quotes values itself
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    made.filters.update(yaml=yaml, text=text)
    return made
