"""The types of connections, and what each takes in ``connections.yaml``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from hub_responder.connections import settings

if TYPE_CHECKING:
    from collections.abc import Mapping

_Https = Annotated[str, msgspec.Meta(pattern=r"^https://[A-Za-z0-9.-]+(:\d{1,5})?/?$")]


class VisionOne(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Trend Vision One; secret ``{"token": "..."}``.

    ``region`` is the console's; ``base_url`` takes the place of the region's address.
    ``workload_security`` names the connection to the same tenant's Server & Workload Protection.
    ``isolation`` allows `endpoint.isolate` and `endpoint.restore`. ``requests_per_minute`` is what
    all functions together may ask of it.
    """

    region: Literal["us", "jp", "eu", "au", "in", "sg", "mea", "uk", "ca", "za", "usgov"] = "us"
    base_url: _Https | None = None
    workload_security: str = ""
    isolation: bool = False
    requests_per_minute: settings.PerMinute = 300


class WorkloadSecurity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Trend's Server & Workload Protection; secret ``{"api_key": "..."}``.

    ``region`` is where the tenant's data is; ``base_url``, without ``/api``, takes the place of the
    region's address. ``key`` says whose the API key is: ``cloud_one``, or ``console`` where it was
    made in its own console. ``requests_per_minute`` is what all functions together may ask of it.
    """

    region: Literal["us-1", "au-1", "ca-1", "de-1", "in-1", "jp-1", "sg-1", "gb-1"] = "us-1"
    base_url: _Https | None = None
    key: Literal["cloud_one", "console"] = "cloud_one"
    requests_per_minute: settings.PerMinute = 300


class Webhook(settings.HttpChannel, frozen=True, forbid_unknown_fields=True):
    """A program of your own, for messages and `call`; secret ``{"signing_key", "url"?}``.

    ``url`` stands here, or in the secret where it is one.
    """

    url: Annotated[str, msgspec.Meta(pattern=r"^https://[^\s@]+$", max_length=2048)] | None = None


TYPES: Mapping[str, type[msgspec.Struct]] = {
    **settings.TYPES,
    "vision_one": VisionOne,
    "webhook": Webhook,
    "workload_security": WorkloadSecurity,
}
