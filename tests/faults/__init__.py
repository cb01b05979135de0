"""Faults at every effect and dependency of every shipped playbook, in the sandbox: ``make faults``.

`stimuli` makes what starts each playbook from the playbook's own cases, `ends` says what must be
so afterwards, whatever went wrong, and `trials` runs one after the other in one sandbox.
"""
