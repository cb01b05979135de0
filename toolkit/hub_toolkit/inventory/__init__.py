"""Coverage now, at a past moment and over time, for people: what `coverage` and `inventory` tell.

- ``moments``   times as people write and read them
- ``place``     the deployment that is asked, and the connection that is meant
- ``history``   the snapshots in the bucket, as its listing names them
- ``objects``   a read-only file system of the bucket, so that DuckDB fetches what it needs
- ``reading``   questions to snapshots
- ``past``      an instance in the snapshots before and after a moment
- ``now``       an instance now, by the production code
- ``periods``   a range of time in days or hours
- ``trend``     the numbers of a range
- ``words``     English and Japanese
- ``said``, ``printed``, ``sheet``, ``page``  how these are shown
"""
