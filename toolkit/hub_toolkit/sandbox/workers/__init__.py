"""Lambda's execution: each function's code in processes of its own, forked from one warm process.

- ``pool``: `Pool` invokes functions: one worker per concurrent invocation, timeouts, kills
- ``process``: the zygote and its workers as this process sees them
- ``zygote``: the warm process that has imported the handlers and forks (``python -m``)
- ``worker``: what a forked worker does; ``memory``, ``wall_clock``, ``context``: what it gets
- ``environment``: the environment variables of a function
- ``report``: the lines that Lambda writes to a function's log
- ``wire``: messages over the sockets between them

What differs from AWS: a worker is not frozen between invocations, initialisation counts as no time
of the invocation and has no limit of its own of 10 s, and all workers share the machine's files.
Layers are not mounted: the playbook's folder is where ``PLAYBOOK_DIR`` says.
"""
