"""A new playbook: what ``hub-responder playbook new`` writes.

- ``choices``       what was chosen: trigger, subject, steps; and what the format makes of it
- ``surroundings``  what the project has already: connections, names, custom actions
- ``sample``        an event with invented values that starts the playbook
- ``cases``         its test cases: one that acts, one that does not
- ``write``         the folder, from ``templates/``

The templates write templates, so theirs are other brackets: ``<< value >>`` and ``<% block %>``.
"""
