"""Every part of a text is found at the character where it begins."""

from __future__ import annotations

import pytest
from jinja2 import nodes

from hub_responder.expressions import environment
from hub_responder.markdown.template import environment as message_environment
from hub_toolkit.playbooks.parsing import Unparsable, expression, normal, template

TEXT = (
    "# {{ a.b }} {#- a comment with {{ a.b }} -#}\r\n"
    "  {% if a.b and a.b.b == 'a.b' -%}\n"
    "{% raw %}{{ a.b }}{% endraw %}\n"
    "  {%- for a in b if a %}{{ a|upper }}{{- 'a' ~ 'a' }}{% endfor %}\r"
    "{% endif %}\n\n{{ 12 + 12 }}"
)


def _spelled(node: nodes.Node) -> str:
    """What stands where ``node`` is said to be."""
    match node:
        case nodes.Name() | nodes.Filter():
            return str(node.name)
        case nodes.Getattr():
            return f".{node.attr}"
        case nodes.Const():
            return repr(node.value)
    return ""


def test_each_node_of_a_template_stands_where_its_text_is() -> None:
    seen = 0
    last = -1
    for node in template(TEXT, message_environment()).find_all(
        (nodes.Name, nodes.Const, nodes.Getattr, nodes.Filter)
    ):
        assert normal(TEXT)[node.lineno :].startswith(_spelled(node))
        if isinstance(node, nodes.Const):
            assert node.lineno > last, "an equal text before it was taken"
            last = node.lineno
        seen += 1
    assert seen == 17


def test_equal_words_of_an_expression_have_places_of_their_own() -> None:
    tree = expression("a.b.b == a.b and a == 'a'", environment())
    places = sorted(node.lineno for node in tree.find_all((nodes.Name, nodes.Getattr)))
    assert places == [0, 1, 3, 9, 10, 17]
    lists = expression("[[a], [[b]]]", environment()).find_all(nodes.List)
    assert sorted(node.lineno for node in lists) == [1, 6, 7]  # the outer one is the tree itself


@pytest.mark.parametrize(
    ("text", "offset", "said"),
    [
        ("a b", 2, "the expression ends before this"),
        ("a = b", 2, "the expression ends before this: to compare, write =="),
        ("a && b", 2, "unexpected char '&': write `and`"),
        ("a\n  or !b", 7, "unexpected char '!': write `not`, or != to compare"),
        ("a ? b : c", 2, "unexpected char '?': write `a if b else c`"),
        ("(a", 1, "unexpected end, expected ')'"),
        ("a +", 2, "unexpected 'end'"),
        ("a == 'b", 5, 'unexpected char "\'"'),
        ("", 0, "unexpected 'end'"),
    ],
)
def test_what_does_not_parse_is_said_at_its_place(text: str, offset: int, said: str) -> None:
    with pytest.raises(Unparsable) as caught:
        expression(text, environment())
    assert (caught.value.remark.offset, caught.value.remark.text) == (offset, said)
