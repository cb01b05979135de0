"""The reads that change nothing and prove credentials and place, by type of connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from hub_responder.errors import (
    CallError,
    ConfigurationError,
    DeniedError,
    TransientError,
)
from hub_toolkit.checks import amazon, github, jira, mail, servicenow, slack, trend
from hub_toolkit.checks.told import Told, unproved, wrong

if TYPE_CHECKING:
    from hub_toolkit.checks.asker import Asker

READS: Mapping[str, Callable[[Asker], Iterator[Told]]] = {
    "slack": slack.check,
    "jira": jira.check,
    "jira_data_center": jira.check_data_center,
    "github": github.check,
    "servicenow": servicenow.check,
    "vision_one": trend.vision_one,
    "workload_security": trend.workload_security,
    "sns": amazon.sns,
    "opscenter": amazon.opscenter,
    "security_hub": amazon.security_hub,
    "ses": mail.ses,
    "smtp": mail.smtp,
}


def check(asker: Asker) -> list[Told]:
    """What the reads of the connection's type tell."""
    read = READS.get(asker.connection.type)
    if read is None:
        return [unproved("access", f"{asker.connection.type} knows no harmless read")]
    told: list[Told] = []
    try:
        told.extend(read(asker))  # what was told before an error counts
    except DeniedError as error:
        told.append(wrong("access", str(error), "is the secret right, and what may it do?"))
    except TransientError as error:
        told.append(wrong("access", str(error), "try again; where it stays so, look at its status"))
    except ConfigurationError as error:
        told.append(wrong("access", str(error), "correct the connection or its secret"))
    except CallError as error:
        told.append(wrong("access", str(error), "is the address that of the right system?"))
    return told
