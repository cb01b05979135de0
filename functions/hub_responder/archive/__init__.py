"""The audit trail at rest: hour by hour as Parquet in S3, each hour sealed by a signed digest.

- ``layout``   where a period's objects lie
- ``items``    the audit table, read hour by hour
- ``ocsf``     a record as an event of the Open Cybersecurity Schema Framework
- ``digest``   what is signed, and its envelope
- ``sealing``  one period, from the table to its digest
- ``catalog``  what the archive holds already
- ``lake``     the sources in Security Lake that are registered
- ``delivery`` their copies of the archive's events
"""
