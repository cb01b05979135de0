"""A simulator of a Workflow of Microsoft Teams that posts the cards it is sent.

- ``app``: the WSGI application: the trigger, which accepts or refuses a request.
- ``cards``: what Teams takes, which shows only later.

Sources: learn.microsoft.com, connector "Microsoft Teams" (trigger "When a Teams webhook request is
received", limit of 28 KB), Logic Apps' request trigger, and the Adaptive Card 1.4 schema.
"""

from hub_toolkit.sandbox.vendors.teams.app import Teams

__all__ = ["Teams"]
