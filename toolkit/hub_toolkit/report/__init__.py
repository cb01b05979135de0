"""The report of the audit trail: what was done in a time, and whether the trail proves it.

- ``figures``   what is counted, from the archive's events
- ``questions`` the SQL that counts it
- ``controls``  which fields answer which control of a framework
- ``words``, ``said``, ``page``, ``sheet``   how it is shown
"""
