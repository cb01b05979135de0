"""An operator's pauses of a deployment: stop the effects of a playbook or of all, and go on.

- ``pausing``  writes and ends pauses, and wakes what waited
- ``shown``    what is paused, for people
"""
