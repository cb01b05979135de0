"""Pictures of a page's elements, taken by Chromium without a window.

It is spoken to in the DevTools protocol over pipes (``--remote-debugging-pipe``; messages end with
a zero byte): nothing listens on a port. https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

HEIGHT = 6000
A4_WIDTH = 688
"""Of an A4 page within margins of 14 mm, at the 96 pixels an inch of CSS."""
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


class NoBrowser(Exception):  # noqa: N818 - reads as the fact
    """There is no Chromium, or it does not do what it is told."""


def pictures(
    page: Path,
    elements: Sequence[str],
    width: int,
    *,
    dark: bool = False,
    printed: bool = False,
) -> dict[str, bytes]:
    """PNGs of the page's elements, by their ids.

    Args:
        width: of the window, in pixels.
        dark: as who prefers dark colours sees it. printed: as paper shows it, in one piece.

    Raises:
        NoBrowser: there is no Chromium, or no such element.
    """
    with _started(width) as browser:
        browser.looks("print" if printed else "screen", "dark" if dark else "light")
        return {name: browser.picture(page, name) for name in elements}


@contextmanager
def _started(width: int) -> Iterator[_Browser]:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise NoBrowser(f"there is none of {', '.join(NAMES)}: install Chromium")
    to_read, to_write = _pipe()
    from_read, from_write = _pipe()
    with tempfile.TemporaryDirectory(
        prefix="hub-responder-browser-", ignore_cleanup_errors=True
    ) as profile:
        words = [
            *(program, "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu"),
            *("--hide-scrollbars", "--no-first-run", "--disable-extensions", "--lang=en"),
            # Frames are painted with their page, not when a process of their own gets to it.
            "--disable-features=IsolateSandboxedIframes",
            *(f"--user-data-dir={profile}", f"--window-size={width},{HEIGHT}", "about:blank"),
        ]
        # Chromium reads from file 3 and writes to file 4.
        files = [(os.POSIX_SPAWN_DUP2, to_read, 3), (os.POSIX_SPAWN_DUP2, from_write, 4)]
        quiet = [(os.POSIX_SPAWN_OPEN, one, os.devnull, os.O_WRONLY, 0) for one in (1, 2)]
        process = os.posix_spawn(program, words, os.environ, file_actions=[*files, *quiet])
        os.close(to_read)
        os.close(from_write)
        try:
            yield _Browser(to_write, from_read, width)
        finally:
            os.close(to_write)
            os.close(from_read)
            os.kill(process, signal.SIGTERM)
            os.waitpid(process, 0)


def _pipe() -> tuple[int, int]:
    """A pipe whose numbers are none that Chromium gives a meaning to."""
    ends = os.pipe()
    made = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return made[0], made[1]


class _Browser:
    """One browser with one page."""

    def __init__(self, to: int, of: int, width: int) -> None:
        self._to, self._of = to, of
        self._number = 0
        self._held = b""
        self._session = ""
        targets = self._call("Target.getTargets")["targetInfos"]
        target = next(one["targetId"] for one in targets if one["type"] == "page")
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = str(attached["sessionId"])
        self._call("Page.enable")
        # All of the page is in sight: frames that are not may stay unpainted.
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=HEIGHT,
            deviceScaleFactor=1,
            mobile=False,
        )

    def looks(self, media: str, scheme: str) -> None:
        """What pages are shown on, and which colours are preferred."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._call("Emulation.setEmulatedMedia", media=media, features=features)

    def picture(self, page: Path, element: str) -> bytes:
        """A PNG of an element.

        Raises:
            NoBrowser: the page has none of that id.
        """
        self._call("Page.navigate", url=page.resolve().as_uri())
        self._wait("Page.loadEventFired")
        root = self._call("DOM.getDocument")["root"]["nodeId"]
        found = self._call("DOM.querySelector", nodeId=root, selector=f"#{element}")["nodeId"]
        if not found:
            raise NoBrowser(f"{page} has no element {element}")
        border = self._call("DOM.getBoxModel", nodeId=found)["model"]["border"]
        left, top, right, bottom = border[0], border[1], border[4], border[5]
        clip = {"x": left, "y": top, "width": right - left, "height": bottom - top, "scale": 1}
        taken = self._call(
            "Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True
        )
        return base64.b64decode(taken["data"])

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, msgspec.json.encode(message) + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise NoBrowser(f"{method}: {answer['error'].get('message')}")
                result: dict[str, Any] = answer["result"]
                return result

    def _wait(self, event: str) -> None:
        while self._next().get("method") != event:
            pass

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._held:
            piece = os.read(self._of, 65_536)
            if not piece:
                raise NoBrowser("Chromium ended")
            self._held += piece
        text, _, self._held = self._held.partition(b"\0")
        message: dict[str, Any] = msgspec.json.decode(text)
        return message
