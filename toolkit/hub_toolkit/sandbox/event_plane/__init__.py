"""EventBridge of the sandbox: events go through rules to SQS queues.

- ``conditions``: what one value of an event must be like.
- ``numbers``: how EventBridge compares numbers.
- ``pattern``: a whole event pattern, compiled once; its refusals.
- ``flat_event``: an event as the values at its paths, made once and held against many patterns.
- ``bus``: rules, targets, delivery and the API.
"""
