"""The way of a batch of queue messages through the ledger and the playbook's steps.

- ``intake``    messages -> triggers, settle messages, what cannot be read
- ``insight``   an insight's results -> its findings
- ``grouping``  findings -> arrivals at incidents
- ``batch``     the flow of one invocation, top to bottom
- ``rounds``    a round that this run owns
- ``related``   the other findings on a round's resource
- ``steps``     the playbook's steps over all owned rounds at once
- ``notice``    the last step: says what could not be done
- ``outbox``    messages that the engine sends to queues: settle, defer, dead
"""
