"""What people decide in a ticket comes back to the findings that it is about.

- ``walk``      looks at all tickets, in turn
- ``webhook``   looks at the one that its system says has changed: ``request``, ``genuine`` (with
  ``keys``) and ``mentioned`` tell which
- ``follow``    what both do with a ticket; ``decision`` is what its findings get
- ``plan``      whose tickets; ``store`` the ledger
"""
