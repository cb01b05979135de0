"""What a playbook is and needs, as data and as text.

- ``facts``    one playbook in one stage, as data: what ``playbook show --json`` prints
- ``reads``    the variables that expressions and templates read
- ``words``    patterns, durations and IAM statements as people read them
- ``printed``  the same on a terminal: ``playbook show`` and ``playbook list``
- ``readme``   ``playbooks/NAME/README.md``, and ``docs/playbooks.md`` that lists them
"""
