"""The targets of fuzzing take their seeds, so that they cannot rot between runs of `make fuzz`."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.mutate import mutate
from fuzz.targets import TARGETS, seeds


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_target_takes_its_seeds_and_what_is_made_of_them(name: str) -> None:
    given_ = list(seeds(name))
    assert given_
    for number, seed in enumerate(given_):
        TARGETS[name](seed)
        TARGETS[name](mutate(seed, 65_536, number))
        TARGETS[name](seed[: len(seed) // 2])
    TARGETS[name](b"")


@given(st.binary(max_size=200), st.integers(0, 2**32), st.integers(0, 300))
@settings(max_examples=100, derandomize=True)
def test_a_mutation_keeps_to_its_size(data: bytes, seed: int, most: int) -> None:
    assert len(mutate(data, most, seed)) <= most
