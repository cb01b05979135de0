"""Named places to deliver messages to.

- ``settings``  what each type of connection takes in connections.yaml
- ``resolve``   the name of a connection or route -> `Connection`
- ``slack``, ``sns``  the messages' way out; ticket systems are in ``hub_responder.tickets``
"""
