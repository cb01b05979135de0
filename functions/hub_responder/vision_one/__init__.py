"""Trend Vision One: is this instance protected?

- ``regions``    the API's address
- ``filters``    TMV1-Filter expressions, from values that cannot break out of them
- ``client``     the calls, with paging and defensive reading
- ``connect``    a connection -> its client
- ``endpoint``   one endpoint of the inventory, read tolerantly
- ``inventory``  endpoints by cloud instance
- ``snapshot``   what the scheduled walk found, as it lies in S3
- ``marks``      what records and instances are recognized by
- ``clues``      what is known of an instance that its record could be recognized by
- ``likeness``   what speaks for a record being the instance's, and what against
- ``matching``   the tiers: which record is the instance's
- ``hits``, ``search``  endpoints by address, and by agent
- ``computers``  what Server & Workload Protection says of the same instance
- ``tiers``      the tiers for a whole batch
- ``confirm``    what a snapshot says, asked once more
- ``asking``     a batch of questions to a tenant, and their answers
- ``modules``    the protection modules, and which endpoints have them on
- ``response``   isolating an endpoint and restoring it
- ``coverage``   the verdict, with its reasons and evidence
- ``wording``    the verdict in a sentence
- ``permissions``  what steps that ask it may do
"""
