"""The scheduled walk: the fleet as it is now, and as it was.

- ``plan``     what is to be walked, as it was compiled for the stage
- ``run``      one round over all of it
- ``walk``     one tenant's endpoints, modules and computers -> `hub_responder.vision_one.snapshot`
- ``states``   which modules of an endpoint are on
- ``history``  a row for each instance
- ``parquet``  rows -> a file that DuckDB and Athena read
"""
