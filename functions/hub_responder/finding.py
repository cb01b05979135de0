"""The one type for a Security Hub finding, whichever schema it came in.

`hub_responder.asff` and `hub_responder.ocsf` decode it, `hub_responder.events` finds it in events,
`hub_responder.compact` makes it small for the ledger. Texts are bounded and free of lone
surrogates; nothing here is escaped: that is the work of whoever writes it somewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hub_responder.severity import Severity

Schema = Literal["ASFF", "OCSF"]
INSTANCE = "AwsEc2Instance"


@dataclass(frozen=True, slots=True)
class Account:
    """The AWS account that a finding is about; ``id`` has 12 digits in all but made-up findings."""

    id: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A field that was dropped or cut: its dotted path in the raw finding, and why."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """The finding's note; ``updated_at`` in epoch seconds."""

    text: str
    updated_by: str = ""
    updated_at: float | None = None


@dataclass(frozen=True, slots=True)
class Package:
    """A vulnerable package; ``fixed_in`` is empty or ``NotAvailable`` where there is no fix."""

    name: str
    version: str = ""
    fixed_in: str = ""


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One vulnerability of a finding; None means that the finding does not say.

    Attributes:
        id: as the product names it: a CVE, GHSA, ALAS, ... id.
        cve_ids: its id and related ones, as far as they are CVE ids.
        cvss: the highest base score, 0 to 10.
        epss: probability of exploitation, 0 to 1.
        fix_available: also true where only some of the packages have a fix (``PARTIAL``).
        related: ids of related vulnerabilities, whatever their kind.
        url: where its publisher describes it, or empty.
    """

    id: str = ""
    cve_ids: tuple[str, ...] = ()
    cvss: float | None = None
    epss: float | None = None
    exploit_available: bool | None = None
    fix_available: bool | None = None
    packages: tuple[Package, ...] = ()
    related: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class Malware:
    """Malware that a finding names, as the product spells it; what it does not say is empty.

    Attributes:
        name: as ``TROJ_EXAMPLE.A``. path: the file. kind: TROJAN, VIRUS, RANSOMWARE, ...
        state: OBSERVED, REMOVAL_FAILED or REMOVED.
    """

    name: str = ""
    path: str = ""
    kind: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Clue:
    """Something in a finding that leads to the EC2 instance behind its resource.

    Attributes:
        kind: instance, container_instance, task, node, group or fargate; more: so many instances
            that are named were left out.
        name: the instance's id, an ARN, the node's private DNS name, or the number left out.
        field: the path of the field that says so.
    """

    kind: str
    name: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that a finding is about.

    Attributes:
        type: in ASFF's spelling, ``AwsEc2Instance``.
        id: as the finding names it, mostly an ARN; of an EC2 instance always the ARN, so that
            ASFF and OCSF findings about one instance agree.
        instance_id: the id of an EC2 instance, else empty.
        account: who owns it (12 digits).
        details: what the finding knows of it, unchecked; keys are ASFF's or OCSF's.
    """

    type: str
    id: str
    instance_id: str = ""
    account: str = ""
    region: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The Name tag, or empty."""
        return self.tags.get("Name", "")


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        id: ASFF ``Id``, which equals OCSF ``finding_info.uid``.
        product: the product's name, as "Inspector".
        workflow: NEW, NOTIFIED, RESOLVED or SUPPRESSED.
        record_state: ACTIVE or ARCHIVED.
        compliance: PASSED, FAILED, WARNING, NOT_AVAILABLE or empty.
        updated, first_seen: epoch seconds.
        remediation_url, source_url: http or https, or empty.
        user_fields: the UserDefinedFields, by name.
        user_fields_whole: False when some of them were left out, so that writing
            ``user_fields`` back would lose what others wrote.
        metadata_uid: what the new Security Hub's calls name an OCSF finding by; empty for ASFF.
        problems: fields that were dropped or cut.
        raw: the finding as it arrived; empty after `from_compact`.
        clues: what ``raw`` said of the instances behind ``resource``; only after `from_compact`.
        matched: which of ``resources`` is the playbook's; the first unless `with_resource` chose.
    """

    id: str
    product_arn: str
    account: Account
    region: str
    severity: Severity
    resources: tuple[Resource, ...]
    product: str = ""
    title: str = ""
    description: str = ""
    vulnerabilities: tuple[Vulnerability, ...] = ()
    malware: tuple[Malware, ...] = ()
    workflow: str = "NEW"
    record_state: str = "ACTIVE"
    compliance: str = ""
    types: tuple[str, ...] = ()
    first_seen: float | None = None
    updated: float = 0.0
    remediation_url: str = ""
    remediation_text: str = ""
    source_url: str = ""
    note: Note | None = None
    user_fields: Mapping[str, str] = field(default_factory=dict)
    user_fields_whole: bool = True
    schema: Schema = "ASFF"
    metadata_uid: str = ""
    problems: tuple[Problem, ...] = ()
    clues: tuple[Clue, ...] = ()
    raw: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    matched: int = 0

    @property
    def resource(self) -> Resource:
        """The resource that matched."""
        return self.resources[self.matched]

    def with_resource(self, resource: Resource) -> Finding:
        """A copy whose ``resource`` is this one of its resources.

        Raises:
            ValueError: the finding does not have it.
        """
        return replace(self, matched=self.resources.index(resource))

    @property
    def instance_ids(self) -> tuple[str, ...]:
        """The ids of its EC2 instances, each once."""
        return tuple(dict.fromkeys(r.instance_id for r in self.resources if r.instance_id))

    @property
    def cves(self) -> tuple[str, ...]:
        """The CVE ids of its vulnerabilities, each once, in their order."""
        return tuple(dict.fromkeys(cve for v in self.vulnerabilities for cve in v.cve_ids))

    @property
    def exploit_available(self) -> bool | None:
        """Whether any vulnerability has a known exploit; None where none says."""
        return _any(v.exploit_available for v in self.vulnerabilities)

    @property
    def fix_available(self) -> bool | None:
        """Whether any vulnerability has a fix; None where none says."""
        return _any(v.fix_available for v in self.vulnerabilities)

    @property
    def max_cvss(self) -> float | None:
        """The highest CVSS base score (0 to 10) of its vulnerabilities."""
        return max((v.cvss for v in self.vulnerabilities if v.cvss is not None), default=None)

    @property
    def max_epss(self) -> float | None:
        """The highest EPSS score (0 to 1) of its vulnerabilities."""
        return max((v.epss for v in self.vulnerabilities if v.epss is not None), default=None)

    def fingerprint(self) -> str:
        """What about the finding is worth acting on again when it changes: 16 hex digits.

        Workflow, Note and UpdatedAt are left out on purpose: our own update, which sends the
        finding again, must not look like a change.
        """
        parts = (
            self.severity.value,
            self.exploit_available,
            self.fix_available,
            self.record_state,
            self.compliance,
        )
        return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:16]

    def compact(self) -> dict[str, Any]:
        """A small form for the ledger, mostly under 2 KB as JSON; see `hub_responder.compact`."""
        from hub_responder.compact import to_compact

        return to_compact(self)

    @classmethod
    def from_compact(cls, kept: Mapping[str, Any]) -> Finding:
        """The finding that `compact` made ``kept`` of, without what was cut; ``raw`` is empty.

        Raises:
            UnreadableFinding: ``kept`` is no such form.
        """
        from hub_responder.compact import from_compact

        return from_compact(kept)


def _any(answers: Iterable[bool | None]) -> bool | None:
    """True where one says yes, False where one says no, None where none says."""
    said = [answer for answer in answers if answer is not None]
    return any(said) if said else None
