"""``template.yaml``, the one SAM template, written from ``playbooks/``.

- ``naming``    logical ids and names
- ``roles``     what each playbook's role may do
- ``playbook``  the resources of one playbook, at most twelve
- ``shared``    what all playbooks use: dead letters, tables, notifications, the scheduled function
- ``document``  the whole template, within CloudFormation's limits
- ``emit``      YAML in a stable form
- ``actions_doc`` what each action takes and leaves, for ``docs/``
- ``generated`` files that are written from others, and whether they drifted
"""

from hub_toolkit.synth.document import TEMPLATE, SynthError, render, resource_count

__all__ = ["TEMPLATE", "SynthError", "render", "resource_count"]
