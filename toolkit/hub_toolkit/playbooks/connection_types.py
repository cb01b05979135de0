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
    """

    region: Literal["us", "jp", "eu", "au", "in", "sg", "mea", "uk", "ca", "za", "usgov"] = "us"
    base_url: _Https | None = None


class Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program of your own, called by `call`; secret ``{"signing_key": "...", "url"?: "..."}``.

    ``url`` stands here, or in the secret where it is one. ``private``: it may be at a private
    address (the function needs VPC configuration then); link-local and metadata addresses never.
    """

    url: Annotated[str, msgspec.Meta(pattern=r"^https://[^\s@]+$", max_length=2048)] | None = None
    private: bool = False


TYPES: Mapping[str, type[msgspec.Struct]] = {
    **settings.TYPES,
    "vision_one": VisionOne,
    "webhook": Webhook,
}
