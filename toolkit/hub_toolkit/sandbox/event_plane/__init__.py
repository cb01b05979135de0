"""EventBridge of the sandbox: events go through rules to SQS queues.

- ``bus``: events come in and go to the targets of the rules that they match.
- ``rules``: rules with their targets; what matches is `hub_responder.patterns`.
- ``api``: the operations. ``explain``: why an event does not match.
"""
