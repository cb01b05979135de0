"""What an error says without the secrets that were read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_responder import masking, secrets
from hub_responder.errors import ConfigurationError, PermanentError
from loopback import Cloud

SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=80)


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    masking._KNOWN.clear()
    yield
    masking._KNOWN.clear()


@given(SECRETS, st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=200, derandomize=True)
def test_no_error_holds_a_secret_that_is_known(secret: str, before: str, after: str) -> None:
    masking._KNOWN.clear()
    masking.remember(secret)
    error = PermanentError(f"{before}{secret}{after}{secret}", target="them")
    if secret not in before + masking.MASK + after:
        assert secret not in str(error)


@given(SECRETS, st.integers(0, 40))
@settings(max_examples=100, derandomize=True)
def test_of_a_secret_that_was_cut_less_than_half_is_left(secret: str, lost: int) -> None:
    masking._KNOWN.clear()
    masking.remember(secret)
    cut = secret[: max(masking.MIN, len(secret) // 2, len(secret) - lost)]
    assert masking.masked(f"= {cut}") == f"= {masking.MASK}"


def test_what_another_system_echoes_is_masked_once_the_secret_was_read(cloud: Cloud) -> None:
    said = "them: 400 (bad token tok-0123456789 of me@example.com)"
    assert str(ConfigurationError(said)) == said
    cloud.secrets["hub-responder/test/them"] = {
        "token": "tok-0123456789",
        "email": "me@example.com",
    }
    secrets.get("test", "them")
    assert str(ConfigurationError(said)) == "them: 400 (bad token [secret] of me@example.com)"


def test_a_short_secret_is_not_looked_for_in_words() -> None:
    masking.remember("not")
    assert masking.masked("it is not there") == "it is not there"


def test_what_is_remembered_has_an_end() -> None:
    for number in range(3000):
        masking.remember(f"{number:08}-secret")
    assert len(masking._KNOWN) == 1000
    assert masking.masked("00002999-secret") == masking.MASK
