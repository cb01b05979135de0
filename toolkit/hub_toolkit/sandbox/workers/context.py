"""The context object that a handler gets as its second argument.

Attributes as in "Using the Lambda context object" of the Lambda developer guide, for Python.
"""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(slots=True)
class Context:
    """One invocation.

    Attributes:
        end: when it times out, on the monotonic clock.
    """

    aws_request_id: str
    function_name: str
    function_version: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    log_group_name: str
    log_stream_name: str
    end: float
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the timeout; never negative."""
        return max(0, int((self.end - time.monotonic()) * 1000))
