"""What a run costs: import, memory, calls and processor time, measured and held to limits.

- ``cold``      import times, in fresh processes
- ``cloud``     AWS and the vendors, in this process: the sandbox's services without its functions
- ``subject``   the handler, in a process of its own; ``process`` speaks to it
- ``warm``      batches through the handler, again and again
- ``fleet``     the walk of 10,000 endpoints, and reading its snapshot
- ``storm``     1,000 findings with a fresh snapshot of the fleet
- ``table``     the rows, their limits, the table

Run it as ``make bench``; ``--write`` renews the table of docs/benchmarks.md, ``--check`` exits with
1 where a limit is exceeded.
"""
