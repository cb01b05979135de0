"""EventBridge's event patterns: whether a rule passes an event."""
