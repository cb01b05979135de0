"""A test message, or a test ticket that is closed again, through the code that playbooks use."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hub_responder import clock
from hub_responder.actions.base import Work
from hub_responder.connections import channels
from hub_responder.connections.resolve import at
from hub_responder.errors import HubResponderError
from hub_responder.finding import Resource
from hub_responder.incident import Incident
from hub_responder.markdown.document import Document, Heading, Paragraph, Text, Value
from hub_responder.playbook import Playbook, Triggers
from hub_responder.runtime import Runtime
from hub_responder.severity import Severity
from hub_responder.tickets import registry
from hub_responder.tickets.ticket import Draft
from hub_toolkit.checks.places import places
from hub_toolkit.checks.told import Told, good, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub_responder.connections.resolve import Connection
    from hub_toolkit.checks.asker import Asker

_TITLES = {
    "en": "TEST of hub-responder: please ignore",
    "ja": "【テスト】hub-responder: 対応不要です",
}
_TEXTS = {
    "en": "Somebody checks whether the connection {name} works. Nothing has happened, and nothing "
    "is to be done.",
    "ja": "接続「{name}」の動作確認です。何も起きていません。対応は必要ありません。",
}
_CLOSED = {"en": "The test is over.", "ja": "テストは終わりました。"}
_ACCEPT = channels.ONLY_ACCEPT | {"smtp", "sns"}
"""Those that take a message for delivery by others."""


def check(asker: Asker, language: str) -> list[Told]:
    """Send one test message to each place, or open and close one ticket; nothing for others."""
    kind = asker.connection.type
    if kind not in channels.MODULES and kind not in registry.MODULES:
        return []
    told: list[Told] = []
    for connection in _placed(asker.connection):
        test = _Test(asker, connection, language)
        try:
            # What was told before an error counts.
            told.extend(test.ticket() if kind in registry.MODULES else test.message())
        except HubResponderError as error:
            said = f"the test was not taken{_at(connection)}: {error}"
            told.append(wrong("test", said, "correct what it says, and try again"))
    return told


def _placed(connection: Connection) -> list[Connection]:
    from hub_responder.connections.resolve import has_template

    if not has_template(connection):
        return [connection]
    return [at(connection, place) for place in places(connection)]


def _at(connection: Connection) -> str:
    return f" at {connection.place}" if connection.place else ""


@dataclass(frozen=True, slots=True)
class _Test:
    """One test at one place."""

    asker: Asker
    connection: Connection
    language: str

    def message(self) -> Iterator[Told]:
        """Send it.

        Raises:
            HubResponderError: it was not taken.
        """
        work, runtime = self._work(), self._runtime()
        channel = channels.find(self.connection)
        ref = channel.send(self.connection, self._document(), work, runtime, {})
        where = _at(self.connection)
        if self.connection.type in _ACCEPT:
            said = f"accepted{where}; whether it was delivered is not told"
            yield Told("test", "good", said, "look whether it arrived")
        else:
            yield good("test", f"delivered{where}")
        if (resolving := channels.resolving(self.connection)) is not None:
            resolving.resolve(self.connection, self._ended(), work, runtime, ref)
            yield good("test", "resolved")

    def ticket(self) -> Iterator[Told]:
        """Open it, and close it again.

        Raises:
            HubResponderError: it was not opened.
        """
        work, runtime = self._work(), self._runtime()
        system = registry.find(self.connection, runtime)
        document = self._document()
        opened = system.open(Draft(document, work.key, resource=work.incident.resource.id))
        yield good("test", f"opened {opened.id}{_at(self.connection)}")
        mark = f"test-{work.key[:12]}"
        try:
            same = registry.find(self.connection, runtime, opened.id)
            same.close(opened.id, self._ended(), mark, in_doubt=False)
        except HubResponderError as error:
            said = f"{opened.id} could not be closed: {error}"
            yield wrong("test", said, f"close it by hand: {opened.url}")
        else:
            yield good("test", f"closed {opened.id}")

    def _ended(self) -> Document:
        return Document((Paragraph((Text(_CLOSED[self.language]),)),), self.language)

    def _document(self) -> Document:
        text = _TEXTS[self.language]
        before, after = text.split("{name}")
        said = (Text(before), Value(self.connection.name), Text(after))
        return Document(
            (Heading(1, (Text(_TITLES[self.language]),)), Paragraph(said)), self.language
        )

    def _runtime(self) -> Runtime:
        played = Playbook(
            name="connections-check",
            summary="A test",
            steps=(),
            on=Triggers(),
            version="test",
            language="ja" if self.language == "ja" else "en",
            connections={name: dict(one) for name, one in self.asker.connections.items()},
        )
        asker = self.asker
        return Runtime(played, Path(), asker.deadline, clock.now(), asker.stage)

    def _work(self) -> Work:
        """About nothing; the key is new, so that no two tests are one."""
        key = secrets.token_hex(20)
        region = self.asker.region
        resource = Resource(type="Other", id="hub-responder-test", region=region)
        incident = Incident(
            key=f"connections-check#{key}",
            group=("test",),
            gen=1,
            round=1,
            findings=(),
            count=0,
            new=0,
            resource=resource,
            severity=Severity("INFORMATIONAL"),
            change="opened",
        )
        return Work(incident, None, key, scope={"incident": incident})
