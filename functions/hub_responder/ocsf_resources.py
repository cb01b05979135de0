"""The resources of an OCSF finding.

Their data is an object in the new Security Hub, JSON text in Security Lake; tags are a list of
name and value, or labels ``name=value`` in older versions.
"""

from __future__ import annotations

import msgspec

from hub_responder.fields import MAX_TAGS, Fields
from hub_responder.finding import INSTANCE, Resource
from hub_responder.identifiers import (
    ACCOUNT,
    MAX_ID,
    REGION,
    arn_account,
    asff_type,
    instance_arn,
    instance_id,
)
from hub_responder.values import clean, first


def read_resources(
    top: Fields, items: list[Fields], account: str, region: str
) -> tuple[Resource, ...]:
    """The usable ones of ``items``; account and region are the finding's.

    Raises:
        UnreadableFinding: none is usable.
    """
    found = [_resource(item, account, region) for item in items]
    usable = tuple(resource for resource in found if resource is not None)
    if not usable:
        raise top.report.unreadable("resources", "has no resource with a usable uid")
    return usable


def _resource(item: Fields, account: str, region: str) -> Resource | None:
    resource_id = item.text("uid", MAX_ID + 1)
    if not resource_id or len(resource_id) > MAX_ID:
        item.drop("uid", f"is missing or has over {MAX_ID:,} characters; the resource is left out")
        return None
    type_ = asff_type(item.text("type", 128) or "Other")
    owner = item.child("owner").child("account").matching("uid", ACCOUNT)
    account = first(owner, arn_account(resource_id), account)
    region = item.matching("region", REGION) or region
    details = _details(item, type_)
    instance = ""
    if type_ == INSTANCE:
        known = details.text("instance_id")
        instance = instance_id(resource_id, known)
    if instance:
        partition = item.text("cloud_partition", 32) or "aws"
        resource_id = instance_arn(partition, region, account, instance)
    return Resource(
        type=type_,
        id=resource_id,
        instance_id=instance,
        account=account,
        region=region,
        tags=_tags(item),
        details=details.node,
    )


def _details(item: Fields, type_: str) -> Fields:
    """``data`` or ``details``: an object, or JSON text of one that may be wrapped in its type."""
    for key in ("data", "details"):
        value = item.node.get(key)
        if type(value) is str:
            try:
                value = msgspec.json.decode(value.encode("utf-8", "replace"))
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                item.drop(key, "is text that is no JSON")
                continue
        found = Fields({key: value}, item.path, item.report).child(key)
        if found:
            own = found.node.get(type_)
            return Fields(own, found.at(type_), item.report) if isinstance(own, dict) else found
    return Fields({}, item.path, item.report)


def _tags(item: Fields) -> dict[str, str]:
    """``tags`` as a list of name (or key) and value, as an object, or labels ``name=value``."""
    if type(item.node.get("tags")) is dict:
        return item.pairs("tags")
    tags = {}
    for tag in item.children("tags", MAX_TAGS):
        name = tag.text("name") or tag.text("key")
        if name:
            tags[name] = tag.text("value", 1024)
    if not tags:
        for label in item.texts("labels", MAX_TAGS, 1280):
            name, _, value = label.partition("=")
            tags[clean(name, 256)] = value
    return tags
