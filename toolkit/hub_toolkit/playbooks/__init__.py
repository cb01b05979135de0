"""Playbooks as people write them: read, checked as a whole, compiled for Lambda.

Reading
- ``document``     YAML 1.2 with positions; no aliases, no tags, no duplicate keys, bounded
- ``spots``        where in a file each character of a text stands
- ``problems``     what is wrong, where, and the nearest right spelling
- ``fields``       typed reading of a mapping; ``structs``: against a msgspec struct
- ``values``       durations, names; ``params``: the parameters of a playbook
- ``connections``  connections and routes; ``settings``, ``calendars``, ``tables``; ``overlay``:
  a stage's files laid over
- ``steps``        steps against the actions that they use; ``templates``: their messages
- ``format``       ``playbook.yaml`` as a whole; ``schedules``: its clock
- ``load``         everything below ``playbooks/``, all errors at once

What a match can match
- ``patterns``     EventBridge patterns: what is allowed; ``rules``: what triggers become
- ``matching``     whether a match can ever match; ``asff``, ``ocsf``: the fields of findings

What expressions and templates say, before they run
- ``kinds``        what a value can be, from the annotations of the code
- ``vocabulary``   the names that there are; ``names``: at one point; ``scope``: and a text there
- ``parsing``      trees that know where each part begins; ``walk``: the statements of templates
- ``infer``        what each part gives; ``reading``, ``calling``, ``comparing``: what is wrong
- ``demands``      what a text must give where it stands

What comes of it
- ``examine``      `hub-responder playbook check`; ``advice``: its warnings; ``roots``: folders
- ``json_schema``  what editors know of the format
- ``compile``      a loaded playbook -> ``playbook.json`` and ``templates/``
"""
