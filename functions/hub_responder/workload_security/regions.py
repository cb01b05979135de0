"""Base URLs by region; the paths below them begin with ``/api``.

Source: aws-ia/cfn-abi-trend-cloudone and the reference of the Workload Security API. The list is a
convenience: a connection can give any URL.
"""

from __future__ import annotations

from hub_responder.errors import ConfigurationError

REGIONS = ("us-1", "au-1", "ca-1", "de-1", "in-1", "jp-1", "sg-1", "gb-1")


def base_url(region: str, url: str = "") -> str:
    """``url`` where one is given, else the region's, without a slash at its end.

    Raises:
        ConfigurationError: the region is not known.
    """
    if url:
        return url.rstrip("/")
    if region not in REGIONS:
        raise ConfigurationError(
            f"no region {region!r} of Server & Workload Protection; there is {', '.join(REGIONS)};"
            " or give base_url"
        )
    return f"https://workload.{region}.cloudone.trendmicro.com"
