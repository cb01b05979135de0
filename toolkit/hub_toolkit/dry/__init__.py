"""The responder run dry: in this process, with everything it sends kept and nothing sent.

The playbook's own rules, queues, handler, ledger and audit trail run as in AWS, over the sandbox's
services. AWS clients and the HTTP session are answered without a socket, and the clock stands
until what waits is due, so that waits and deferrals pass at once.

- ``clock``      time that stands still until it is moved
- ``elsewhere``  the few AWS calls that neither the sandbox's services nor, at first, moto answer
- ``wires``      AWS clients, HTTP, environment and clock of this process, led to a world
- ``traffic``    every request that left the responder, and what it means
- ``world``      one deployment: its rules, queues, tables, functions and vendors
- ``variants``   playbooks compiled once for each language and set of params

``playbook test``:

- ``cases``      the cases of a playbook, read and checked
- ``stimuli``    a case's event, finding and trigger as EventBridge events
- ``givens``     what a case gives: an estate, tags, time
- ``coverages``  a verdict that a case gives, as an estate
- ``leads``      what AWS must know so that tasks and groups lead to instances
- ``claims``     what a case expects, and what it takes to hold
- ``trial``      one case run and judged
- ``report``, ``junit``  what people and CI see of it

``replay``:

- ``replay``     an event against playbooks: rules, conditions, steps, messages, calls
- ``shown``      what people see of that
- ``deployment`` dead letters and queues of a deployment at an endpoint
- ``sending``    an event once more, for real
"""
