"""The business rule for ServiceNow that the guide gives signs as the function checks."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub_responder import clock
from hub_responder.sync.genuine import genuine
from hub_responder.sync.mentioned import mentioned

GUIDE = Path(__file__).parents[2] / "docs" / "connections.md"
KEY = "0123456789abcdef0123456789abcdef"
INSTANCE = """
const crypto = require('crypto');
const sent = {headers: {}};
const GlideStringUtil = {base64Encode: (text) => Buffer.from(text).toString('base64')};
class GlideCertificateEncryption {
  generateMac(key, algorithm, data) {
    if (algorithm !== 'HmacSHA256') throw new Error(algorithm);
    return crypto.createHmac('sha256', Buffer.from(key, 'base64')).update(data).digest('base64');
  }
}
const sn_cc = {StandardCredentialsProvider: class {
  getCredentialByID() { return {getAttribute: (name) => ({password: 'KEY'})[name]}; }
}};
const sn_ws = {RESTMessageV2: class {
  setEndpoint(url) { sent.url = url; }
  setHttpMethod(method) { sent.method = method; }
  setHttpTimeout() {}
  setRequestHeader(name, value) { sent.headers[name.toLowerCase()] = value; }
  setRequestBody(body) { sent.body = body; }
  execute() { return {getStatusCode: () => 204}; }
}};
const gs = {warn: (text) => { throw new Error(text); }};
const current = {getValue: (name) => ({number: 'INC0010001'})[name]};
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="a script of ServiceNow needs JavaScript")
def test_what_the_rule_sends_is_genuine_and_names_the_ticket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (script,) = re.findall(r"```js\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert not re.search(r"\b(let|const|=>|`)", script), "older scopes take ES5 only"
    program = INSTANCE.replace("KEY", KEY) + script + "console.log(JSON.stringify(sent));"
    done = subprocess.run(
        ["node", "-e", program], capture_output=True, text=True, timeout=30, check=True
    )
    sent = json.loads(done.stdout)
    headers, body = sent["headers"], sent["body"].encode()
    at = float(headers["x-hub-responder-timestamp"])
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: at))
    assert genuine("servicenow", KEY, headers, body)
    assert not genuine("servicenow", KEY[::-1], headers, body)
    assert mentioned({"type": "servicenow"}, headers, body) == "INC0010001"
    assert sent["method"] == "post"
