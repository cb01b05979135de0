"""``python -m fuzz [--seconds N] [--runs N] [TARGET ...]``: a table of what was tried and found."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from fuzz.mutate import mutate

FOUND = Path(".fuzz")
"""Where inputs are left that a target failed on."""
_DONE = re.compile(r"Done (\d+) runs in (\d+) second")
_COVERED = re.compile(r"cov: (\d+)")


def _child(name: str) -> None:
    """Fuzz one target; libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["hub_responder", "hub_toolkit"]):
        from fuzz.targets import JSON, TARGETS
    mutator = {"custom_mutator": mutate} if name in JSON else {}
    atheris.Setup(sys.argv, TARGETS[name], **mutator)
    atheris.Fuzz()


def _fuzz(name: str, seconds: int, runs: int) -> tuple[int, int, int, bool]:
    """Inputs, seconds, places of the code that were reached, and whether nothing was found."""
    from fuzz.targets import seeds

    FOUND.mkdir(exist_ok=True)
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there
    place = memory if memory.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as room:
        corpus = str(Path(room) / "corpus")
        Path(corpus).mkdir()
        for number, seed in enumerate(seeds(name)):
            (Path(corpus) / str(number)).write_bytes(seed)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "fuzz",
                f"--child={name}",
                f"-runs={runs}",
                f"-max_total_time={seconds}",
                "-timeout=20",
                "-rss_limit_mb=4096",
                "-max_len=65536",
                f"-artifact_prefix={FOUND.absolute()}/{name}-",
                corpus,
            ],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env={**os.environ, "TMPDIR": room},
        )
    told = _DONE.search(done.stderr)
    covered = _COVERED.findall(done.stderr)
    if told is None:
        print(done.stdout[-2000:], done.stderr[-3000:], file=sys.stderr)
    tried, took = (int(told[1]), int(told[2])) if told else (0, 0)
    return tried, took, int(covered[-1]) if covered else 0, done.returncode == 0


def main() -> int:
    """Fuzz all targets, or those that are named; 1: something was found."""
    for word in sys.argv[1:]:
        if word.startswith("--child="):
            sys.argv.remove(word)
            _child(word.removeprefix("--child="))
    from fuzz.targets import TARGETS

    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60, help="for each target at most")
    parser.add_argument("--runs", type=int, default=250_000, help="of each target at most")
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []])
    given = parser.parse_args()
    total, sound = 0, True
    print("| target | inputs | seconds | places reached | found |")
    print("|---|---:|---:|---:|---|")
    for name in given.targets or TARGETS:
        tried, took, covered, clean = _fuzz(name, given.seconds, given.runs)
        found = "nothing" if clean else f"see {FOUND}/{name}-*"
        print(f"| {name} | {tried:,} | {took} | {covered:,} | {found} |", flush=True)
        total, sound = total + tried, sound and clean
    print(f"{total:,} inputs")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
