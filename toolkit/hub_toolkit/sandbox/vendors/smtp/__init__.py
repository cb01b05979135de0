"""A mail server: what it takes is an application like any vendor's, in front of it speaks SMTP.

- ``app``       the mailbox: takes decoded messages over WSGI
- ``listener``  the server on loopback, with TLS and a login
"""

from hub_toolkit.sandbox.vendors.smtp.app import Mailbox

__all__ = ["Mailbox"]
