"""Named places to deliver messages to.

- ``settings``  what each type of connection takes in connections.yaml
- ``resolve``   the name of a connection or route -> `Connection`
- ``channels``  the registry of the modules that send messages: ``slack``, ``slack_webhook``,
  ``teams``, ``sns``, ``ses``, ``smtp``, ``pagerduty``, ``webhook``; ticket systems are in
  ``hub_responder.tickets``
- ``mime``      a message as an e-mail
- ``signed``    what a webhook gets, signed
- ``permissions``  the IAM statements that they need
"""
