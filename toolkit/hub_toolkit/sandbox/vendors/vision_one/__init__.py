"""A simulator of Trend Vision One's public API v3.0, as far as the endpoint inventory goes.

- ``app``: the WSGI application, its routes, and the control of what it holds.
- ``inventory``: one endpoint, seen by the list call and by the detail call.
- ``filter_syntax``, ``filter_fields``: the ``TMV1-Filter`` language and what it may name.
- ``paging``: sort order, page sizes and the cursor.
- ``replies``: the documented error bodies.

It depends on nothing of the sandbox but a clock.
"""

from hub_toolkit.sandbox.vendors.vision_one.app import VisionOne

__all__ = ["VisionOne"]
