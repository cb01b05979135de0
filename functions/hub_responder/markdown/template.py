"""A playbook's message template + the incident -> `Document`.

Templates are sandboxed Jinja2 that writes Markdown. Each value that a template puts out becomes one
character while the Markdown is parsed and goes in afterwards, as a text node: whatever
a finding says, it cannot become markup. The Markdown of one template is parsed once per distinct
text, which values are no part of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, Undefined, nodes, pass_context
from jinja2.runtime import Context

from hub_responder.errors import ConfigurationError, ExpressionError, HubResponderError
from hub_responder.expressions import Sandbox
from hub_responder.markdown.characters import clean, shorten
from hub_responder.markdown.document import Document
from hub_responder.markdown.fill import Filler
from hub_responder.markdown.filters import FILTERS
from hub_responder.markdown.parse import MAX_SLOTS, SLOT, parse, slot

MAX_VALUE = 20_000
"""UTF-16 units of one value; every target takes less."""
MAX_ALL = 200_000
"""UTF-16 units of all values of a message; what comes later is left out."""
MAX_MARKDOWN = 100_000
MAX_LOOPS = 2
"""Loops in each other; three over the findings of a storm would never end."""
_SINK = " values"  # the space keeps templates from naming it
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.md\.j2")
_REFUSED = (
    nodes.Macro,
    nodes.CallBlock,
    nodes.FilterBlock,
    nodes.AssignBlock,
    nodes.Include,
    nodes.Import,
    nodes.FromImport,
    nodes.Extends,
    nodes.Block,
)


class _Sink:
    """Collects the values of one rendering."""

    __slots__ = ("left", "values")

    def __init__(self) -> None:
        self.values: list[str] = []
        self.left = MAX_ALL

    def take(self, value: Any) -> str:
        if len(self.values) >= MAX_SLOTS:
            raise ExpressionError(f"a message cannot hold more than {MAX_SLOTS} values")
        text = shorten(as_text(value), min(MAX_VALUE, self.left))
        self.left -= len(text)
        self.values.append(text)
        return slot(len(self.values) - 1)


def as_text(value: Any) -> str:
    """``value`` as people read it, without characters that hide or reorder text.

    Raises:
        ExpressionError: it is neither text nor a number, a date, true, false or nothing.
    """
    if isinstance(value, Undefined):
        str(value)  # raises, naming what is not defined
    if isinstance(value, str):
        return clean(str(value))
    if value is None:
        return "—"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, int | datetime):
        return str(value)
    raise ExpressionError(f"a message cannot show a {type(value).__name__}; name a part of it")


@pass_context
def _finalize(context: Context, value: Any) -> str:
    sink: _Sink = context.parent[_SINK]
    return sink.take(value)


@lru_cache(maxsize=1)
def environment() -> Sandbox:
    """The environment of message templates: no loader, no globals, undefined names are errors."""
    made = Sandbox(
        undefined=StrictUndefined,
        autoescape=False,
        cache_size=0,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.globals.clear()
    made.filters.update(FILTERS)
    return made


def path_of(directory: Path, name: str, language: str) -> Path:
    """The file of template ``name``: its ``language`` variant, else English, else the bare name.

    ``message.md.j2`` in Japanese is ``templates/message.ja.md.j2``.

    Raises:
        ConfigurationError: the name is no template's, or there is no such file.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is no template name; it ends in .md.j2, without folders"
        )
    stem = name.removesuffix(".md.j2")
    folder = directory / "templates"
    for variant in (f"{stem}.{language}.md.j2", f"{stem}.en.md.j2", name):
        if (folder / variant).is_file():
            return folder / variant
    raise ConfigurationError(f"there is no template {name} in {folder}")


@lru_cache(maxsize=64)
def _load(directory: Path, name: str, language: str) -> Template:
    path = path_of(directory, name, language)
    try:
        return compile_template(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"template {path} cannot be read") from error
    except ExpressionError as error:
        raise ExpressionError(f"{path.name}: {error}") from error


@lru_cache(maxsize=64)
def compile_template(source: str) -> Template:
    """The compiled template of ``source``; a text is compiled once (12 ms for one of 60 lines).

    Raises:
        ExpressionError: it does not parse, or uses macros, blocks, includes or the characters that
            stand for values: what these put out would no longer be told from markup.
    """
    if SLOT.search(source):
        raise ExpressionError("a template cannot hold Tangut (U+17000 to U+17FFF)")
    try:
        tree = environment().parse(source)
        refused = next(tree.find_all(_REFUSED), None)
        if refused is not None:
            kind = type(refused).__name__
            raise ExpressionError(f"line {refused.lineno}: message templates have no {kind}")
        _check_loops(tree, 0)
        return environment().from_string(tree)
    except RecursionError:
        raise ExpressionError("the template is nested too deeply") from None
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        raise ExpressionError(f"{f'line {line}: ' if line else ''}{error}") from error


def _check_loops(node: nodes.Node, around: int) -> None:
    """Refuse loops whose work nobody can foresee."""
    if isinstance(node, nodes.For):
        around += 1
        if around > MAX_LOOPS or node.recursive:
            raise ExpressionError(
                f"line {node.lineno}: loops are nested {MAX_LOOPS} deep at most, and not recursive"
            )
    for child in node.iter_child_nodes():
        _check_loops(child, around)


def render(
    playbook_dir: Path, template_name: str, language: str, scope: Mapping[str, Any]
) -> Document:
    """The message that the template says about ``scope``.

    Raises:
        ConfigurationError: there is no such template.
        ExpressionError: the template cannot be evaluated, or names something undefined.
    """
    return render_template(_load(playbook_dir, template_name, language), scope, language)


def _bounded(pieces: Iterator[str]) -> str:
    found: list[str] = []
    left = MAX_MARKDOWN
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise ExpressionError(f"the message has over {MAX_MARKDOWN:,} characters of Markdown")
        found.append(piece)
    return "".join(found)


def render_template(template: Template, scope: Mapping[str, Any], language: str = "en") -> Document:
    """The message that a compiled template says about ``scope``; errors as `render`."""
    sink = _Sink()
    try:
        markdown = _bounded(template.generate({**scope, _SINK: sink}))
    except HubResponderError:
        raise
    except Exception as error:  # whatever an operand's operator or a filter raises
        raise ExpressionError(f"the message cannot be made: {error}") from error
    return Filler(sink.values, language).document(parse(markdown))
