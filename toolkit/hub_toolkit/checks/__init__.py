"""Whether connections work, before a finding comes.

Each connection is asked, from here and with the operator's credentials, by the code that ships: its
settings, its secret, its address, a read that changes nothing and proves credentials and place, and
where it is wished a test message or ticket.

- ``told``      what a check comes to: good, a warning, failed, or not to be proved
- ``asker``     one connection and how it is asked
- ``secret``    the secret is there and has the right keys; values are never shown
- ``address``   the address is allowed, has a name and a trusted certificate
- ``reads``     the harmless reads, by type: ``slack``, ``jira``, ``github``, ``trend``, ``amazon``,
  ``mail``
- ``trying``    a test message or ticket, through the channel's own code
- ``run``       all of it for one connection
- ``printed``   a table for people
"""
