"""What a function's process finds in its environment: the template's variables and Lambda's own.

Lambda's are those of "Defined runtime environment variables" in the Lambda developer guide, as far
as they mean something here; the endpoint is what makes every AWS client talk to the sandbox.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

RUNTIME = "AWS_Lambda_python3.13"
"""The runtime that the template names."""

FROM_HOST = ("PATH", "LANG")
VERSION = "$LATEST"


@dataclass(frozen=True, slots=True)
class Host:
    """Where functions run.

    Attributes:
        endpoint: the sandbox, as ``http://127.0.0.1:4566``.
        region, account: AWS's names for the place.
    """

    endpoint: str
    region: str
    account: str

    def function_arn(self, name: str) -> str:
        """The ARN of a function."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{name}"


def access_key(function: str) -> str:
    """The access key of a function's process: as long as AWS's, and its own."""
    return f"ASIA{hashlib.sha256(function.encode()).hexdigest()[:16].upper()}"


def log_group(function: str) -> str:
    """The log group that Lambda writes to."""
    return f"/aws/lambda/{function}"


def variables(
    host: Host,
    *,
    name: str,
    handler: str,
    memory_mb: int,
    directory: str,
    log_stream: str,
    template: Mapping[str, str],
) -> dict[str, str]:
    """Every environment variable of the function ``name``.

    Args:
        host: where it runs.
        name, handler, memory_mb: of the function.
        directory: where its code lies.
        log_stream: the log stream of this worker.
        template: the variables that the template sets; none of Lambda's own can be among them.
    """
    return {
        **{key: os.environ[key] for key in FROM_HOST if key in os.environ},
        **_platform(),
        **template,
        "AWS_REGION": host.region,
        "AWS_DEFAULT_REGION": host.region,
        "AWS_ACCESS_KEY_ID": access_key(name),
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_SESSION_TOKEN": "sandbox",
        "AWS_ENDPOINT_URL": host.endpoint,
        "AWS_EXECUTION_ENV": RUNTIME,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": VERSION,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group(name),
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "LAMBDA_TASK_ROOT": directory,
        "_HANDLER": handler,
        "TZ": "UTC",
    }


def _platform() -> dict[str, str]:
    if sys.platform == "darwin":
        # Looking up proxies in the system's settings crashes in a forked process.
        return {"no_proxy": "*"}
    return {}
