"""Parts of Jinja's trees: where they begin, which path they are, what they say of none."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes


def start(node: nodes.Node) -> int:
    """Where ``node`` begins: parts and operators know only where their sign stands."""
    first: Any = node
    while True:
        inner = next(
            (
                getattr(first, name)
                for name in ("left", "expr", "node", "expr1")
                if isinstance(getattr(first, name, None), nodes.Expr)
            ),
            None,
        )
        if inner is None or isinstance(first, nodes.Filter | nodes.Not | nodes.Neg | nodes.Pos):
            return int(first.lineno)
        first = inner


def path(node: nodes.Node | None) -> str:
    """``node`` as a dotted path, where it is one; else empty."""
    match node:
        case nodes.Name():
            return str(node.name)
        case nodes.Getattr():
            inner = path(node.node)
            return f"{inner}.{node.attr}" if inner else ""
        case nodes.Getitem(arg=nodes.Const(value=str() | int() as key)):
            inner = path(node.node)
            return f"{inner}.{key}" if inner else ""
    return ""


def sure(node: nodes.Node, *, truth: bool) -> set[str]:
    """The paths whose values are not none where ``node`` is true (or, without ``truth``, false)."""
    match node:
        case nodes.Not():
            return sure(node.node, truth=not truth)
        case nodes.And() if truth:
            return sure(node.left, truth=True) | sure(node.right, truth=True)
        case nodes.Or() if not truth:
            return sure(node.left, truth=False) | sure(node.right, truth=False)
        case nodes.Test(name="none"):
            return set() if truth else {path(node.node)} - {""}
        case nodes.Test() | nodes.Compare() if truth:
            inner = node.node if isinstance(node, nodes.Test) else node.expr
            return {path(inner)} - {""}
    return {path(node)} - {""} if truth else set()
