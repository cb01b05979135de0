"""Acts on AWS Security Hub findings. The map, in the order a finding travels:

- ``handlers``     thin Lambda entry points
- ``events``       EventBridge event -> `Trigger`; ``finding`` and ``ocsf`` -> `Finding`
- ``playbook``     the compiled playbook that a Lambda carries in its layer
- ``expressions``  the sandboxed language of ``if``, ``group_by`` and ``with``
- ``incident``     findings about one subject
- ``ledger``       what happened already: claims, joins, rounds (DynamoDB)
- ``audit``        the records that prove it
- ``engine``       the way of a batch through all of these
- ``actions``      what a step can do; ``vision_one``, ``workload_security``,
  ``connections``, ``tickets`` do the talking
- ``inventory``    the scheduled walk: the fleet as it is, and as it was
- ``sync``         what people decide in tickets reaches the findings: a scheduled walk, webhooks
- ``archive``      the trail, sealed hour by hour, and its copies for Security Lake
- ``reconcile``    findings that no rule saw; ``patterns`` is how EventBridge matches
- ``api_calls``    who changes what the stack is made of, as CloudTrail tells it
- ``planned``      what the scheduled functions carry in their layers
- ``member``, ``lookup``, ``instances``, ``systems_manager``, ``fleet``, ``insights``  look-ups for
  them
- ``behind``  the instances behind containers, tasks, nodes and groups
- ``calendars``    named times, for conditions
- ``markdown``     messages, written once and rendered natively for each target
- ``columns``  many structs of one type in little room
- ``pace``     how often others are asked
- ``http``, ``aws``, ``secrets``, ``masking``, ``clock``, ``deadline``, ``retry``  the edges
"""
