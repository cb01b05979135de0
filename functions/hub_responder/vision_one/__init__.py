"""Trend Vision One: is this instance protected?

- ``regions``    the API's address
- ``filters``    TMV1-Filter expressions, from values that cannot break out of them
- ``client``     the calls, with paging and defensive reading
- ``connect``    a connection -> its client
- ``endpoint``   one endpoint of the inventory, read tolerantly
- ``inventory``  endpoints by cloud instance
- ``snapshot``   what the scheduled walk found, as it lies in S3
- ``lookalike``  endpoints without an instance id that could be the instance
- ``modules``    the protection modules, and which endpoints have them on
- ``response``   isolating an endpoint and restoring it
- ``coverage``   the verdict, with its reasons and evidence
- ``wording``    the verdict in a sentence
- ``permissions``  what steps that ask it may do
"""
