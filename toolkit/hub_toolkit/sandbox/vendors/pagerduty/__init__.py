"""A simulator of PagerDuty's Events API v2, with the alerts of one service.

- ``app``: the WSGI application, which takes events and refuses them.
- ``events``: which events are valid.

Sources: developer.pagerduty.com, "Events API v2 Overview" (answers, limits) and "Send an Alert
Event" (fields, de-duplication).
"""

from hub_toolkit.sandbox.vendors.pagerduty.app import Alert, PagerDuty

__all__ = ["Alert", "PagerDuty"]
