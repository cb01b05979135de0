"""Which findings a playbook takes: its accounts, then ``always_if``, then ``only_if``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub_responder.expressions import condition

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_responder.playbook import Playbook


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether a finding is taken.

    Attributes:
        why_not: the condition that was not so; empty where it is taken.
        values: each condition that was evaluated, as it is written, and its value.
    """

    why_not: str = ""
    values: Mapping[str, bool] = field(default_factory=dict)

    @property
    def takes(self) -> bool:
        """The finding goes on to its incident."""
        return not self.why_not


def choose(finding: Finding, scope: Mapping[str, Any], playbook: Playbook) -> Choice:
    """What the playbook's conditions say of ``finding``, whose resource that matched is chosen.

    Raises:
        ExpressionError: a condition cannot be evaluated.
        CallError: a look-up of one failed.
    """
    account = finding.account.id
    if playbook.accounts and account not in playbook.accounts:
        return Choice(f"account {account} is not in scope")
    scope = {**scope, "finding": finding}
    values: dict[str, bool] = {}
    for expression in playbook.always_if:
        values[expression] = condition(expression, scope)
        if values[expression]:
            return Choice(values=values)
    for expression in playbook.only_if:
        values[expression] = condition(expression, scope)
        if not values[expression]:
            return Choice(f"not so: {expression}", values)
    return Choice(values=values)
