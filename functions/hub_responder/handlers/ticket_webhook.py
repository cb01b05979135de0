"""The function behind a public address that ticket systems send webhooks to.

``POST /CONNECTION``, signed with the ``webhook_secret`` of that connection. Nothing of a request is
logged, and nothing but a status is answered.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from hub_responder.deadline import Deadline
from hub_responder.sync import plan
from hub_responder.sync.request import read
from hub_responder.sync.webhook import Receiver


@lru_cache(maxsize=1)
def _receiver() -> Receiver:
    return Receiver(plan.load(Path(os.environ["SYNC_DIR"])), os.environ["STAGE"])


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """Answer a request to the function's URL.

    Raises:
        ConfigurationError: the layer with the plan is missing.
    """
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000)
    status = _receiver().receive(read(event), deadline, context.aws_request_id)
    return {"statusCode": int(status)}
