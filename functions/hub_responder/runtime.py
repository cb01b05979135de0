"""What actions get to work with: made once per invocation, cheap, nothing global."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub_responder import actions
from hub_responder.retry import Patience

if TYPE_CHECKING:
    from pathlib import Path

    from hub_responder.actions.base import Action
    from hub_responder.deadline import Deadline
    from hub_responder.playbook import Playbook


@dataclass(frozen=True, slots=True)
class Runtime:
    """The playbook that runs, its folder, how much time is left, and when it was triggered.

    Attributes:
        playbook: the compiled playbook, with its connections and routes.
        directory: where it and its ``templates/`` lie.
        deadline: bounds every call.
        now: the trigger's time (epoch seconds), so that a replay decides alike.
        stage: the deployment's stage; secrets are named ``hub-responder/STAGE/CONNECTION``.
        action: finds an action by the name that steps use.
        patience: what all deliveries of this run together wait for their turns.
    """

    playbook: Playbook
    directory: Path
    deadline: Deadline
    now: float
    stage: str
    action: Callable[[str], Action] = actions.get
    patience: Patience = field(default_factory=Patience)
