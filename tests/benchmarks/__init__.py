"""What a run costs: import, memory, calls and processor time, measured and held to limits.

- ``cold``      import times, in fresh processes
- ``cloud``     AWS and the vendors, in this process: the sandbox's services without its functions
- ``subject``   the handler, in a process of its own; ``process`` speaks to it
- ``warm``      batches through the handler, again and again
- ``fleet``     the walk of 10,000 endpoints, and reading its snapshot
- ``records``   what the audit trail takes of it
- ``bursts``    findings that come in bursts, until nothing is left to be done
- ``storm``     1,000 findings with a fresh snapshot of the fleet
- ``told``      what a scan's findings cause: requests to other systems
- ``deluge``    10,000 findings at once in the whole sandbox, with a click meanwhile
- ``table``     the rows, their limits, the table

Run it as ``make bench``, or one part of it with ``python -m benchmarks --only deluge``;
``--write`` renews the table of docs/benchmarks.md, ``--check`` exits with 1 where a limit is
exceeded.
"""
