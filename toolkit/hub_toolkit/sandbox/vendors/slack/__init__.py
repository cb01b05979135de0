"""A simulator of Slack: its Web API and incoming webhooks.

- ``app``: the WSGI application.
- ``blocks``: what Block Kit takes, and how Slack words what it does not take.

Source: docs.slack.dev, methods and messaging. The Web API answers 200 with ``{"ok": false,
"error": ...}`` when it refuses, but for 429. Texts of ``response_metadata`` follow what users
report.
"""

from hub_toolkit.sandbox.vendors.slack.app import Slack

__all__ = ["Slack"]
