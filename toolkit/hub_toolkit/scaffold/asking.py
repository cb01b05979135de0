"""Asks on the terminal what a new playbook is about; an empty answer takes what is in brackets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from hub_toolkit.playbooks.problems import unknown
from hub_toolkit.scaffold import choices as words
from hub_toolkit.scaffold.choices import Choices
from hub_toolkit.scaffold.surroundings import NEEDS, completed

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hub_toolkit.scaffold.surroundings import Surroundings

_ANY = "any"


def ask(usual: Choices, around: Surroundings) -> Choices:
    """What is answered; ``usual`` is what is in brackets."""
    triggers = _several("What starts it", usual.triggers, words.TRIGGERS)
    products: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    severity = words.SEVERITIES[0]
    if words.IMPORTS & set(triggers):
        typer.echo(f"Products: {', '.join(words.PRODUCTS)}, or another; `{_ANY}` for all.")
        products = _several("Whose findings", usual.products)
        severity = _one("The least severe", usual.severity, words.SEVERITIES)
        types = _several("About which types of resources", usual.resource_types)
    cron = (
        _one("When (minutes hours day month weekday year)", words.CRON)
        if ("schedule" in triggers)
        else ""
    )
    insight = _one("ARN of the insight whose findings it gets", _ANY) if cron else ""
    insight = "" if insight == _ANY else insight
    fit = words.usual_steps(triggers, types, insight)
    steps = _several("What it does", fit, tuple(words.STEPS))
    chosen = replace(
        usual,
        triggers=triggers,
        products=products,
        severity=severity,
        resource_types=types,
        cron=cron,
        insight=insight,
        steps=steps,
    )
    chosen = completed(chosen, around)
    for attribute, step in NEEDS.items():
        suitable = around.connections.get(step, ())
        if chosen.has(step) and len(suitable) > 1:
            name = _one(f"Connection for {step}", getattr(chosen, attribute), suitable)
            named: dict[str, Any] = {attribute: name}
            chosen = replace(chosen, **named)
    if chosen.has("click"):
        chosen = replace(chosen, button=_one("The button's name", chosen.button))
    owner = _one("Who answers for it", around.owner)
    return replace(
        chosen,
        owner="" if owner == around.owner else owner,
        summary=_one("In one line", chosen.summary),
    )


def _one(question: str, usual: str, allowed: Collection[str] = ()) -> str:
    return _answered(question, [usual] if usual else [], allowed, several=False)[0]


def _several(question: str, usual: Sequence[str], allowed: Collection[str] = ()) -> tuple[str, ...]:
    found = _answered(question, usual or [_ANY], allowed, several=True)
    return () if found == (_ANY,) else found


def _answered(
    question: str, usual: Sequence[str], allowed: Collection[str], *, several: bool
) -> tuple[str, ...]:
    """The answer, asked again until it is one of ``allowed``, if any are given."""
    hint = f" ({', '.join(allowed)})" if allowed else ""
    while True:
        text: str = typer.prompt(f"{question}{hint}", default=", ".join(usual) or None)
        answers = text.split(",") if several else [text]
        found = tuple(dict.fromkeys(one.strip() for one in answers if one.strip()))
        strange = [one for one in found if allowed and one not in allowed]
        if found and not strange:
            return found
        for one in strange:
            typer.echo(unknown("answer", one, allowed))
