"""The archived audit trail, read from outside.

- ``holdings``  its objects: in a deployment's bucket, or in a folder that is a copy of it
- ``keys``      the public keys that signed it
- ``verdicts``  what can be said of a period
- ``verify``    whether each period is what was sealed
- ``printed``   verdicts for people
"""
