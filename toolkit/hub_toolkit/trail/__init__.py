"""What a deployment did, read from its audit trail and from Security Hub.

- ``records``       the audit records since a time
- ``activity``      them by playbook: what came, what was done, what never matched
- ``reviewed``      every playbook with its owner, reason, age, activity, and what to look at
- ``observed``      what playbooks in observe mode would have done
- ``suppressions``  findings that are suppressed, with owner, reason and end
- ``history``       since when a playbook is there, from git
- ``printed``       tables for people
"""
