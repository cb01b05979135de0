"""Amazon Security Lake as far as custom sources need it: one data lake, in the sandbox's region.

Shapes, patterns and errors follow the API reference of CreateCustomLogSource,
DeleteCustomLogSource, ListLogSources, ListDataLakes and ListDataLakeExceptions. A source's name has
at most 20 characters and is there once; its role is named
``AmazonSecurityLake-Provider-NAME-REGION`` and trusts the given principal with the given external
id and lets it write to the source's location; an account has at most 50 sources ("Collecting data
from custom sources").

Guesses: that such a role can put objects and do nothing else; that what was put there stays when
the source is deleted; which error answers a name or an event class that is not allowed, a source
over the limit (``BadRequestException``), a second source of a name (``ConflictException``) and a
region without a lake (``ResourceNotFoundException``); the names in ARNs of Glue. There is no
crawler: what partitions hold is not looked at.
"""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from hub_toolkit.sandbox.aws_json import read_request, respond_failed, respond_ok
from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.wsgi import respond

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub_toolkit.sandbox.members.accounts import Accounts
    from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse

MAX_NAME = 20
MAX_SOURCES = 50
CUSTOM = "/v1/datalake/logsources/custom"
LIST = "/v1/datalake/logsources/list"
LAKES = "/v1/datalakes"
EXCEPTIONS = "/v1/datalake/exceptions"
CLASSES = frozenset(
    {
        "ACCESS_ACTIVITY",
        "FILE_ACTIVITY",
        "KERNEL_ACTIVITY",
        "KERNEL_EXTENSION",
        "MEMORY_ACTIVITY",
        "MODULE_ACTIVITY",
        "PROCESS_ACTIVITY",
        "REGISTRY_KEY_ACTIVITY",
        "REGISTRY_VALUE_ACTIVITY",
        "RESOURCE_ACTIVITY",
        "SCHEDULED_JOB_ACTIVITY",
        "SECURITY_FINDING",
        "ACCOUNT_CHANGE",
        "AUTHENTICATION",
        "AUTHORIZATION",
        "ENTITY_MANAGEMENT_AUDIT",
        "DHCP_ACTIVITY",
        "NETWORK_ACTIVITY",
        "DNS_ACTIVITY",
        "FTP_ACTIVITY",
        "HTTP_ACTIVITY",
        "RDP_ACTIVITY",
        "SMB_ACTIVITY",
        "SSH_ACTIVITY",
        "CONFIG_STATE",
        "INVENTORY_INFO",
        "EMAIL_ACTIVITY",
        "API_ACTIVITY",
        "CLOUD_API",
    }
)
"""The event classes that the API reference of CreateCustomLogSource names."""
S3_OPERATIONS = ("s3.PutObject", "s3.GetObject", "s3.HeadObject")
_JSON = "application/json"
_NAME = re.compile(r"[\w\-:.]{1,64}", re.ASCII)
_PRINCIPAL = re.compile(r"[0-9]{12}|[a-z0-9.\-]*\.(amazonaws|amazon)\.com")
_EXTERNAL = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_ROLE = re.compile(r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")


class SecurityLake:
    """The data lake of one account and region. Safe for threads.

    Args:
        account, region: whose. accounts: where its roles can be assumed.

    Attributes:
        bucket: the lake's own. enabled: whether there is a lake here.
        exceptions: what ListDataLakeExceptions tells.
    """

    def __init__(self, account: str, region: str, accounts: Accounts) -> None:
        self._account, self._region = account, region
        self._accounts = accounts
        self._sources: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self.bucket = f"aws-security-data-lake-{region}-sandbox"
        self.enabled = True
        self.exceptions: list[dict[str, Any]] = []

    def app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The API over WSGI."""
        try:
            with self._lock:
                answer = self._answer(environ)
        except AwsError as error:
            return respond_failed(start_response, error, _JSON)
        return respond_ok(start_response, answer, _JSON)

    def around(self, s3: App) -> App:
        """``s3`` for those who assumed a provider's role: they put objects below its location."""

        def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            role = self._accounts.assumed(environ)
            below = {one["provider"]["roleArn"]: name for name, one in self._sources.items()}
            path = unquote(str(environ["PATH_INFO"]))
            if role in below:
                own = f"/{self.bucket}/ext/{below[role]}/"
                if environ["REQUEST_METHOD"] != "PUT" or not path.startswith(own):
                    xml = (
                        b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
                    )
                    return respond(start_response, 403, xml, "application/xml")
            return s3(environ, start_response)

        return app

    def _answer(self, environ: Environ) -> dict[str, Any]:
        method, path = str(environ["REQUEST_METHOD"]), str(environ["PATH_INFO"])
        asked = parse_qs(str(environ.get("QUERY_STRING", "")))
        if (method, path) == ("GET", LAKES):
            return {"dataLakes": self._lakes(asked.get("regions", [self._region]))}
        if not self.enabled:
            raise AwsError("ResourceNotFoundException", "Security Lake is not enabled here.", 404)
        if (method, path) == ("POST", CUSTOM):
            return {"source": self._create(read_request(environ))}
        if method == "DELETE" and path.startswith(f"{CUSTOM}/"):
            return self._delete(unquote(path.removeprefix(f"{CUSTOM}/")))
        if (method, path) == ("POST", LIST):
            return {"sources": self._listed(read_request(environ))}
        if (method, path) == ("POST", EXCEPTIONS):
            return {"exceptions": list(self.exceptions)}
        raise AwsError(
            "UnknownOperationException", f"The sandbox has no {method} {path} here.", 404
        )

    def _lakes(self, regions: Iterable[str]) -> list[dict[str, Any]]:
        if not self.enabled or self._region not in regions:
            return []
        where = f"{self._region}:{self._account}"
        return [
            {
                "createStatus": "COMPLETED",
                "dataLakeArn": f"arn:aws:securitylake:{where}:data-lake/default",
                "region": self._region,
                "s3BucketArn": f"arn:aws:s3:::{self.bucket}",
            }
        ]

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        name = str(request.get("sourceName", ""))
        configuration = request.get("configuration", {})
        identity = configuration.get("providerIdentity", {})
        principal, external = (str(identity.get(key, "")) for key in ("principal", "externalId"))
        crawler = str(configuration.get("crawlerConfiguration", {}).get("roleArn", ""))
        _check(_NAME.fullmatch(name), f"sourceName {name[:64]!r} is not allowed")
        _check(len(name) <= MAX_NAME, f"sourceName {name!r} has more than {MAX_NAME} characters")
        _check(_PRINCIPAL.fullmatch(principal), "providerIdentity.principal is not allowed")
        _check(_EXTERNAL.fullmatch(external), "providerIdentity.externalId is not allowed")
        _check(_ROLE.fullmatch(crawler), "crawlerConfiguration.roleArn is no role's ARN")
        classes = request.get("eventClasses", [])
        _check(set(classes) <= CLASSES, f"eventClasses {classes} are not supported")
        if name in self._sources:
            told = f"A custom source named {name} exists already."
            raise AwsError("ConflictException", told, 409, resourceName=name)
        _check(len(self._sources) < MAX_SOURCES, f"There are {MAX_SOURCES} custom sources already")
        self._sources[name] = made = self._made(name)
        if principal == self._account:
            self._accounts.trusted[made["provider"]["roleArn"]] = external
        return made

    def _made(self, name: str) -> dict[str, Any]:
        glue = f"arn:aws:glue:{self._region}:{self._account}"
        region = self._region.replace("-", "_")
        database = f"amazon_security_lake_glue_db_{region}"
        table = f"amazon_security_lake_table_{region}_ext_{re.sub(r'[^a-z0-9]', '_', name.lower())}"
        role = f"AmazonSecurityLake-Provider-{name}-{self._region}"
        return {
            "attributes": {
                "crawlerArn": f"{glue}:crawler/{name}",
                "databaseArn": f"{glue}:database/{database}",
                "tableArn": f"{glue}:table/{database}/{table}",
            },
            "provider": {
                "location": f"s3://{self.bucket}/ext/{name}/",
                "roleArn": f"arn:aws:iam::{self._account}:role/{role}",
            },
            "sourceName": name,
        }

    def _delete(self, name: str) -> dict[str, Any]:
        made = self._sources.pop(name, None)
        if made is None:
            told = f"There is no custom source named {name[:64]}."
            raise AwsError("ResourceNotFoundException", told, 404, resourceName=name[:64])
        self._accounts.trusted.pop(made["provider"]["roleArn"], None)
        return {}

    def _listed(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        asked = [
            one.get("customLogSource", {}).get("sourceName") for one in request.get("sources", ())
        ]
        found = [one for name, one in self._sources.items() if not asked or name in asked]
        if not found:
            return []
        sources = [{"customLogSource": json.loads(json.dumps(one))} for one in found]
        return [{"account": self._account, "region": self._region, "sources": sources}]


def _check(holds: object, told: str) -> None:
    if not holds:
        raise AwsError("BadRequestException", told)
