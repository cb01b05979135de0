"""Playbooks as people write them: read, checked as a whole, compiled for Lambda.

- ``document``     YAML 1.2 with positions; no aliases, no tags, no duplicate keys, bounded
- ``problems``     what is wrong, where, and the nearest right spelling
- ``fields``       typed reading of a mapping
- ``values``       durations, names, parameters
- ``patterns``     EventBridge patterns: what is allowed, guards, the rules of a playbook
- ``connections``  connections, routes and settings, with a stage's laid over
- ``scope``        which names an expression or template may use
- ``steps``        steps against the actions that they use
- ``format``       ``playbook.yaml`` as a whole
- ``load``         everything below ``playbooks/``, all errors at once
- ``compile``      a loaded playbook -> ``playbook.json`` and ``templates/``
"""
