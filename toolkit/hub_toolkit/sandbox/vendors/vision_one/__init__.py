"""A simulator of Trend Vision One's public API v3.0, as far as endpoints and alerts go.

- ``app``: the WSGI application, its routes, and the control of what it holds.
- ``tenant``: what the parts share: the clock, the endpoints, the pages.
- ``endpoints``: the endpoint inventory, and the version control policies.
- ``queries``: endpoints found by name or address (``eiqs``).
- ``response``: isolating and restoring, and their tasks.
- ``workbench``: alerts and notes.
- ``inventory``: one endpoint, seen by the list call and by the detail call.
- ``filter_syntax``, ``filter_fields``: the language of the filters, and what one of endpoints may
  name.
- ``paging``: sort order, page sizes and the cursor.
- ``permissions``: what a key's role may do.
- ``replies``: the documented error bodies.

It depends on nothing of the sandbox but a clock.
"""

from hub_toolkit.sandbox.vendors.vision_one.app import VisionOne
from hub_toolkit.sandbox.vendors.vision_one.permissions import Permission

__all__ = ["Permission", "VisionOne"]
