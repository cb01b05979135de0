"""What a message becomes in a target, before anything is deployed.

The playbook runs dry over an event. The document that its step would send is given to the very
channel or ticket system of each target, over the sandbox's simulators, and what leaves the
responder there is what is shown: as data, or as a page that looks like the target.

- ``targets``    what there is to look at, one entry each
- ``example``    the connection that a target is looked at through
- ``arrival``    the event and what holds around it: a file, or a case of the playbook
- ``taken``      the dry run, and what it would send to each target
- ``measures``   sizes against a target's limits, and what was shortened
- ``drawn``      payload -> what the target shows, as HTML; one module for each kind of target
- ``page``       the page
- ``pictures``   the pictures in the documentation; ``browser`` and ``png`` take and pack them
- ``printed``    the same for a terminal, and as JSON
"""
