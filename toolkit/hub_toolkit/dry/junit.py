"""JUnit XML, as CI systems read it: a suite for each playbook, a testcase for each case."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

if TYPE_CHECKING:
    from pathlib import Path

    from hub_toolkit.dry.trial import Result

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""


def write(path: Path, results: Sequence[Result]) -> None:
    """Write the results.

    Raises:
        OSError: the file cannot be written.
    """
    root = Xml.Element("testsuites", {"name": "hub-responder playbook test", **_counts(results)})
    for name in dict.fromkeys(result.case.source.name for result in results):
        own = [result for result in results if result.case.source.name == name]
        suite = Xml.SubElement(root, "testsuite", {"name": name, **_counts(own)})
        for result in own:
            _case(suite, result)
    path.parent.mkdir(parents=True, exist_ok=True)
    Xml.indent(root)
    Xml.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _counts(results: Sequence[Result]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(not result.passed for result in results)),
        "errors": "0",
        "time": f"{sum(result.seconds for result in results):.3f}",
    }


def _case(suite: Xml.Element, result: Result) -> None:
    place = result.case.place
    case = Xml.SubElement(
        suite,
        "testcase",
        classname=_clean(result.case.source.name),
        name=_clean(result.case.name),
        file=_clean(place.file),
        line=str(place.line),
        time=f"{result.seconds:.3f}",
    )
    for failure in result.failures:
        message = f"{failure.what}: expected {failure.expected}, got {failure.got}"
        told = Xml.SubElement(case, "failure", type=_clean(failure.what), message=_clean(message))
        told.text = _clean(f"{message}\n{failure.because}".strip())


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("�", text)
