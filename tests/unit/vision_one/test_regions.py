"""Which address is called."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from hub_responder.errors import ConfigurationError
from hub_responder.vision_one.regions import BASE_URLS, base_url


def test_japan_has_a_domain_of_its_own_and_the_us_no_label() -> None:
    assert base_url("jp") == "https://api.xdr.trendmicro.co.jp"
    assert base_url("us") == "https://api.xdr.trendmicro.com"
    assert base_url("eu") == "https://api.eu.xdr.trendmicro.com"


def test_the_token_goes_to_the_vendor_over_tls_only() -> None:
    for url in BASE_URLS.values():
        parts = urlsplit(url)
        assert (parts.scheme, parts.path, parts.query) == ("https", "", "")
        assert parts.netloc.endswith((".xdr.trendmicro.com", ".xdr.trendmicro.co.jp"))


def test_a_given_address_wins_without_its_slash() -> None:
    assert base_url("jp", "https://api.example.com/") == "https://api.example.com"
    assert base_url("nowhere", "https://api.example.com") == "https://api.example.com"


@pytest.mark.parametrize("region", ["", "US", "mars"])
def test_an_unknown_region_is_told_what_there_is(region: str) -> None:
    with pytest.raises(ConfigurationError, match=r"us, jp.*base_url"):
        base_url(region)
