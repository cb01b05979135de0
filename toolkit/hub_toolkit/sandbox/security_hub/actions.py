"""Custom actions ("action targets") of a hub."""

from __future__ import annotations

import re
import threading
from dataclasses import replace

from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.security_hub.events import Action

MAX_NAME = 20
MAX_ACTIONS = 50
_ID = re.compile(r"[A-Za-z0-9]{1,20}")


class Actions:
    """The actions, by ARN. Safe to use from many threads.

    Limits of the API reference: a name of up to 20 characters, an id of up to 20 letters and
    digits, 50 actions in an account.
    """

    def __init__(self, region: str, account: str) -> None:
        self._prefix = f"arn:aws:securityhub:{region}:{account}:action/custom/"
        self._lock = threading.Lock()
        self._actions: dict[str, Action] = {}

    def create(self, name: str, description: str, action_id: str) -> Action:
        """Add an action.

        Raises:
            AwsError: a limit is passed, or the id is taken.
        """
        _check_name(name)
        if not _ID.fullmatch(action_id):
            raise AwsError(
                "InvalidInputException", "Invalid parameter Id: 1 to 20 letters and digits"
            )
        arn = self._prefix + action_id
        with self._lock:
            if arn in self._actions:
                raise AwsError("ResourceConflictException", f"{arn} already exists", 409)
            if len(self._actions) >= MAX_ACTIONS:
                raise AwsError(
                    "LimitExceededException", f"At most {MAX_ACTIONS} custom actions", 429
                )
            self._actions[arn] = Action(arn, name, description)
            return self._actions[arn]

    def get(self, arn_or_id: str) -> Action:
        """An action by ARN or by id.

        Raises:
            AwsError: there is none.
        """
        arn = arn_or_id if arn_or_id.startswith("arn:") else self._prefix + arn_or_id
        action = self._actions.get(arn)
        if action is None:
            raise AwsError("ResourceNotFoundException", f"No action target {arn_or_id}", 404)
        return action

    def list(self) -> list[Action]:
        """All, in the order of their creation."""
        return [*self._actions.values()]

    def update(self, arn: str, name: str | None, description: str | None) -> None:
        """Change what is given.

        Raises:
            AwsError: there is no such action, or the name is too long.
        """
        if name is not None:
            _check_name(name)
        with self._lock:
            action = self.get(arn)
            self._actions[arn] = replace(
                action, name=name or action.name, description=description or action.description
            )

    def delete(self, arn: str) -> None:
        """Remove an action.

        Raises:
            AwsError: there is none.
        """
        with self._lock:
            self.get(arn)
            del self._actions[arn]


def _check_name(name: str) -> None:
    if len(name) > MAX_NAME:
        raise AwsError(
            "InvalidInputException", f"Invalid parameter Name: at most {MAX_NAME} characters"
        )
