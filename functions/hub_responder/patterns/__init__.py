"""EventBridge's event patterns: whether a rule passes an event.

- ``pattern``: a whole event pattern, compiled once; its refusals.
- ``conditions``: what one value of an event must be like.
- ``numbers``: how EventBridge compares numbers.
- ``flat_event``: an event as the values at its paths, made once and held against many patterns.
"""
