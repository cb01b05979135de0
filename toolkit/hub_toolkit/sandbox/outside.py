"""What playbooks forward findings to: in AWS it is there already, here it is made.

Only what is in the sandbox's own account and region can be: a playbook that forwards elsewhere is
refused there, as it is in AWS without the other's permission. There are no FIFO queues here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub_responder.playbook import Playbook
    from hub_toolkit.sandbox.core import Rest
    from hub_toolkit.sandbox.identifiers import Place
    from hub_toolkit.sandbox.sqs import Queues

PARAMETER = "target"
ACTION = "forward"


def provide(
    playbooks: Iterable[Playbook], place: Place, moto: Rest, queues: Queues
) -> frozenset[str]:
    """Make the buckets, streams, topics and queues; the queues' names."""
    arns = {
        str(step.with_[PARAMETER])
        for playbook in playbooks
        for step in playbook.steps
        if step.uses == ACTION and PARAMETER in step.with_
    }
    made = set()
    for arn in sorted(arns):
        _, _, service, region, account, name = arn.split(":", 5)
        if service == "s3":
            moto.create_bucket(name.partition("/")[0])
        elif (region, account) != (place.region, place.account):
            continue
        elif service == "kinesis":
            moto.create_stream(name.removeprefix("stream/"))
        elif service == "sns":
            moto.create_topic(name)
        elif not name.endswith(".fifo"):
            queues.create(name)
            made.add(name)
    return frozenset(made)
