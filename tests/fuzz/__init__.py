"""Coverage-guided fuzzing with Atheris (libFuzzer), by `make fuzz`.

``targets`` are functions of bytes that raise nothing unless there is a bug; ``__main__`` runs each
in a process of its own and prints a table. What it finds becomes a test where it belongs.
"""
