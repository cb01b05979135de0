"""The Lambda of a playbook: a batch of its imports or its clicks queue."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub_responder import actions, aws, clock, observability, playbook
from hub_responder.audit import Audit
from hub_responder.deadline import Deadline
from hub_responder.engine import intake
from hub_responder.engine.batch import Batch
from hub_responder.engine.outbox import Outbox
from hub_responder.errors import ConfigurationError
from hub_responder.ledger import pauses, versions
from hub_responder.ledger.store import Ledger
from hub_responder.ledger.transaction import Transactions
from hub_responder.runtime import Runtime

if TYPE_CHECKING:
    from hub_responder.actions.base import Action
    from hub_responder.ledger.pauses import Pause

LEASE_MARGIN_S = 5.0
"""A claim outlives the run by this: nobody takes over what may still be at work."""


_NEEDED = (
    "PLAYBOOK_DIR",
    "LEDGER_TABLE",
    "AUDIT_TABLE",
    "IMPORTS_QUEUE_URL",
    "CLICKS_QUEUE_URL",
    "DLQ_URL",
    "STAGE",
)


@lru_cache(maxsize=1)
def _playbook(directory: Path) -> playbook.Playbook:
    return playbook.load(directory)


_cleared = False
"""This process has seen that not all playbooks are paused. From then on a pause of all is in the
playbook's own item too, which each transaction checks; one that was deployed later has none."""


def _all_paused() -> Pause | None:
    global _cleared  # noqa: PLW0603 - of the process, as what it caches
    if _cleared:
        return None
    pause = pauses.of_everything(aws.client("dynamodb"), os.environ["LEDGER_TABLE"])
    _cleared = pause is None
    return pause


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle an SQS batch; answers which messages must come again.

    Raises:
        ConfigurationError: as `handle`.
    """
    return handle(event, context)


def handle(
    event: dict[str, Any], context: Any, around: Callable[[Action], Action] | None = None
) -> dict[str, Any]:
    """As `handler`.

    Args:
        around: makes of each action the one that runs; a dry run gives answers so.

    Raises:
        ConfigurationError: the function or its layer is not as the template makes it. All messages
            come again, and are in the DLQ after a few times: nothing is decided half-way.
    """
    environ = os.environ
    missing = [name for name in _NEEDED if not environ.get(name)]
    if missing:
        raise ConfigurationError(
            f"environment variables {', '.join(missing)} are not set: deploy the template again"
        )
    directory = Path(environ["PLAYBOOK_DIR"])
    loads = _playbook.cache_info().misses
    played = _playbook(directory)
    begins = _playbook.cache_info().misses > loads
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000)
    me = context.aws_request_id
    clicks_url = environ["CLICKS_QUEUE_URL"]
    messages = [
        intake.message(record, clicks_url.rsplit("/", 1)[-1]) for record in event["Records"]
    ]
    observability.begin(me, played.name, len(messages))

    audit = Audit(environ["AUDIT_TABLE"], played, me)
    dynamodb = aws.client("dynamodb")
    ledger = Ledger(
        dynamodb,
        environ["LEDGER_TABLE"],
        Transactions(
            dynamodb, audit, deadline, ledger=environ["LEDGER_TABLE"], everything=_all_paused
        ),
        audit,
        me=me,
        lease=clock.now() + deadline.left() + LEASE_MARGIN_S,
        wait=played.wait,
    )
    outbox = Outbox(
        aws.client("sqs"),
        playbook=played.name,
        imports=environ["IMPORTS_QUEUE_URL"],
        clicks=clicks_url,
        dead=environ["DLQ_URL"],
    )
    runtime = Runtime(
        played, directory, deadline, clock.now(), environ["STAGE"], actions.finder(directory)
    )
    if around is not None:
        find = runtime.action
        runtime = replace(runtime, action=lambda name: around(find(name)))
    if begins and around is None:
        versions.note(played, ledger, audit)
    clicks = any(message.clicks for message in messages)
    failed = Batch(runtime, ledger, audit, outbox, clicks=clicks).handle(messages)
    observability.end(len(messages), len(failed))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
