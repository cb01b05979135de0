"""AWS and the vendors for one handler: the sandbox's services behind a loopback address.

Without the sandbox's functions and rules: what the handler causes starts nothing else, and messages
stay in their queue until they are asked for.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import msgspec

from hub_responder.playbook import Wait, load
from hub_toolkit.sandbox import compiled, deploy, estate
from hub_toolkit.sandbox.clock import Clock
from hub_toolkit.sandbox.core import Core
from hub_toolkit.sandbox.identifiers import Place
from hub_toolkit.sandbox.kills import Kills
from hub_toolkit.sandbox.listener import Listener
from hub_toolkit.sandbox.moto_store import MotoStore
from hub_toolkit.sandbox.pollers import to_record
from hub_toolkit.sandbox.security_hub.events import Action, Envelopes
from hub_toolkit.sandbox.server import ACCOUNT, REGION, STACK, TEMPLATE
from hub_toolkit.sandbox.shipped import CODE
from hub_toolkit.sandbox.template import plan as read_plan
from hub_toolkit.sandbox.template import read_template
from hub_toolkit.sandbox.workers.environment import Host, variables
from hub_toolkit.sandbox.wsgi import Environ, StartResponse, respond_error

PLAYBOOK = "inspector-coverage"
STAGE = "sandbox"
SAMPLE = "events/inspector-critical-ec2-unprotected.json"
ACTION = Action(
    f"arn:aws:securityhub:{REGION}:{ACCOUNT}:action/custom/CheckCoverage", "Check V1 coverage", ""
)
