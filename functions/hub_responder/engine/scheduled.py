"""What a scheduled run is about where no insight names findings: the account itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub_responder.finding import Account, Finding, Resource
from hub_responder.severity import Severity

if TYPE_CHECKING:
    from hub_responder.events import Trigger
    from hub_responder.playbook import Playbook


def subject(trigger: Trigger, playbook: Playbook) -> Finding:
    """A finding of our own about the account in which the schedule runs.

    It exists for the run only: Security Hub does not know it, so nothing can be written to it.
    """
    resource = Resource(
        type="AwsAccount",
        id=f"AWS::::Account:{trigger.account}",
        account=trigger.account,
        region=trigger.region,
    )
    return Finding(
        id=f"hub-responder:schedule:{trigger.event_id}",
        # The ledger keeps no empty fields, and a finding has a product.
        product_arn=f"arn:aws:securityhub:{trigger.region}:{trigger.account}:product/"
        f"{trigger.account}/default",
        account=Account(trigger.account),
        region=trigger.region,
        severity=Severity.INFORMATIONAL,
        resources=(resource,),
        product="hub-responder",
        title=playbook.summary,
        updated=trigger.at,
    )
