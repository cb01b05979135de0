"""Base URLs by region. A key works only in its own region.

Source: trendmicro/vision-one-mcp-server ``getRegionURL`` for us, jp, eu, au, in, sg, mea; several
independent clients agree on the others. The list is a convenience: a connection can give any URL.
"""

from __future__ import annotations

from hub_responder.errors import ConfigurationError

BASE_URLS = {
    "us": "https://api.xdr.trendmicro.com",
    "jp": "https://api.xdr.trendmicro.co.jp",
    "eu": "https://api.eu.xdr.trendmicro.com",
    "au": "https://api.au.xdr.trendmicro.com",
    "in": "https://api.in.xdr.trendmicro.com",
    "sg": "https://api.sg.xdr.trendmicro.com",
    "mea": "https://api.mea.xdr.trendmicro.com",
    "uk": "https://api.uk.xdr.trendmicro.com",
    "ca": "https://api.ca.xdr.trendmicro.com",
    "za": "https://api.za.xdr.trendmicro.com",
    "usgov": "https://api.usgov.xdr.trendmicro.com",
}


def base_url(region: str, url: str = "") -> str:
    """``url`` where one is given, else the region's, without a slash at its end.

    Raises:
        ConfigurationError: the region is not known.
    """
    if url:
        return url.rstrip("/")
    if region not in BASE_URLS:
        known = ", ".join(BASE_URLS)
        raise ConfigurationError(
            f"no Vision One region {region!r}; there is {known}; or give base_url"
        )
    return BASE_URLS[region]
