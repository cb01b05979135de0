"""Sources in Amazon Security Lake, made and removed by operators' commands.

- ``custom``    Security Lake's API
- ``kept``      a source, what the ledger keeps of it, and the order in which both are written
- ``own``       the sources that the archive is copied to
- ``trend``     Trend's registrations service
- ``delivered`` the sources that Trend delivers to
- ``shown``     all of it on a terminal
"""
