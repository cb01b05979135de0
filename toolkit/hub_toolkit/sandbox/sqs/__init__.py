"""Amazon SQS in memory: standard queues, O(log n) for every operation, on the sandbox's clock.

- ``queues``: `Queues`, the queues of one account and region; what pollers and the event plane call
- ``queue``: one queue: visible, in flight, delayed
- ``message``: messages, their attributes and MD5 sums
- ``attributes``: the settings of a queue
- ``errors``: errors as AWS spells them
- ``api``: the operations of the AWS API over `Queues`; ``wsgi``: the JSON protocol

What differs from AWS: one copy of each message, so a message comes twice only after its visibility
timeout; messages do not expire (a fast clock would empty a dead-letter queue in seconds), a deleted
queue's name can be used at once, and PurgeQueue may be repeated at once. Policies, encryption and
RedriveAllowPolicy are stored, not enforced.
"""

from hub_toolkit.sandbox.sqs.errors import SqsError
from hub_toolkit.sandbox.sqs.message import Attribute, Message
from hub_toolkit.sandbox.sqs.queue import Depth
from hub_toolkit.sandbox.sqs.queues import Queues

__all__ = ["Attribute", "Depth", "Message", "Queues", "SqsError"]
