"""SNS, OpsCenter, Security Hub, asked with the operator's credentials: functions have a role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub_responder import aws
from hub_responder.connections.settings import SecurityHub, Sns, read
from hub_toolkit.checks.asker import Asker
from hub_toolkit.checks.told import Told, good, wrong


def sns(asker: Asker) -> Iterator[Told]:
    """The topic, and that somebody has subscribed to it."""
    settings = read(asker.connection.settings, Sns, asker.name)
    client = aws.client("sns")
    try:
        topic = settings.topic_arn or own_topic(client, asker.stack)
        if not topic:
            do = "is --stack right, and the region? Else deploy it first"
            yield wrong("access", f"there is no notifications topic of stack {asker.stack}", do)
            return
        held = client.get_topic_attributes(TopicArn=topic).get("Attributes", {})
    except aws.ERRORS as error:
        do = "is the ARN right, and may you look at it (sns:GetTopicAttributes, sns:ListTopics)?"
        yield wrong("access", str(aws.translate(error, "sns")), do)
        return
    yield good("access", f"topic {topic.rpartition(':')[2]}")
    if str(held.get("SubscriptionsConfirmed", "0")) == "0":
        said = "nobody has subscribed to the topic: what is sent reaches no one"
        do = "add it to a channel of Amazon Q Developer, or subscribe an address"
        yield Told("place", "warning", said, do)
    else:
        yield good("place", f"{held['SubscriptionsConfirmed']} subscriptions")


def own_topic(client: Any, stack: str) -> str:
    """The ARN of the stack's own topic; empty where there is none.

    Raises:
        aws.ERRORS: it cannot be asked for.
    """
    for page in client.get_paginator("list_topics").paginate():
        for topic in page.get("Topics", ()):
            if topic["TopicArn"].endswith(f":{stack}-notifications"):
                return str(topic["TopicArn"])
    return ""


def opscenter(_asker: Asker) -> Iterator[Told]:
    """That OpsItems can be read here."""
    client = aws.client("ssm")
    try:
        client.describe_ops_items(MaxResults=1)
    except aws.ERRORS as error:
        do = "may you look (ssm:DescribeOpsItems), and is OpsCenter set up in this region?"
        yield wrong("access", str(aws.translate(error, "opscenter")), do)
        return
    yield good("access", f"OpsItems of {client.meta.region_name}")


def security_hub(asker: Asker) -> Iterator[Told]:
    """That the connector is there, and connected."""
    connector = read(asker.connection.settings, SecurityHub, asker.name).connector
    try:
        held = aws.client("securityhub").get_connector_v2(ConnectorId=connector)
    except aws.ERRORS as error:
        do = "is it the id of a connector in this region, and may you look (GetConnectorV2)?"
        yield wrong("access", str(aws.translate(error, "security_hub")), do)
        return
    status = str(held.get("Health", {}).get("ConnectorStatus", "UNKNOWN"))
    if status == "CONNECTED":
        yield good("access", f"connector {held.get('Name', connector)}")
    else:
        yield Told("access", "warning", f"the connector is {status}", "look at it in the console")
