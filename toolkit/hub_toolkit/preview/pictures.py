"""The pictures in the documentation: ``make pictures``, which needs Chromium.

Run as ``python -m hub_toolkit.preview.pictures FOLDER PLAYBOOK REPORT`` in the project's folder;
the report is the page that a run ends with.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub_toolkit.dry.cases import Coverage, Given
from hub_toolkit.playbooks.load import load_project
from hub_toolkit.playbooks.problems import Place
from hub_toolkit.preview.arrival import of_event
from hub_toolkit.preview.browser import A4_WIDTH, pictures
from hub_toolkit.preview.page import render
from hub_toolkit.preview.png import smaller
from hub_toolkit.preview.taken import take
from hub_toolkit.preview.targets import TARGETS
from hub_toolkit.trip.inputs import read_all

SHOWN = {
    "en": ("click-three-cves-unprotected.json", ("slack", "teams", "email", "jira")),
    "ja": ("inspector-japanese.json", ("slack", "teams", "email", "jira")),
}
"""By language: the event, and the targets."""
WIDTH = 640
REPORT: Mapping[str, Any] = {
    "report": {"width": 1040},
    "report-dark": {"width": 1040, "dark": True},
    "report-a4": {"width": A4_WIDTH, "printed": True},
}
"""Name of a picture of the audit report: how it is looked at."""


def report(folder: Path, page: Path) -> list[Path]:
    """Write the pictures of `REPORT`.

    Raises:
        NoBrowser: there is no Chromium.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, look in REPORT.items():
        path = folder / f"{name}.png"
        path.write_bytes(smaller(pictures(page, ["report"], **look)["report"]))
        written.append(path)
    return written


def make(folder: Path, playbook: str, root: Path = Path()) -> list[Path]:
    """Write the pictures of `SHOWN`, as the playbook tells them, as ``TARGET-LANGUAGE.png``.

    Raises:
        NoBrowser: there is no Chromium.
    """
    project = load_project(root.resolve(), "sandbox")
    source = next(one for one in project.sources if one.name == playbook)
    unprotected = Given(coverage={"": Coverage("UNPROTECTED", (), Place("pictures"))})
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for language, (event, names) in SHOWN.items():
        (file,), _ = read_all([root / "events" / event])
        taken = take(
            source,
            project,
            of_event(file.event, unprotected),
            {name: TARGETS[name] for name in names},
            stage="sandbox",
            language=language,
        )
        with tempfile.TemporaryDirectory() as made:
            page = Path(made) / "page.html"
            page.write_text(render(taken, playbook, event), encoding="utf-8")
            for name, png in pictures(page, names, WIDTH).items():
                path = folder / f"{name}-{language}.png"
                path.write_bytes(smaller(png))
                written.append(path)
    return written


if __name__ == "__main__":
    folder, playbook, page = sys.argv[1:]
    for path in [*make(Path(folder), playbook), *report(Path(folder), Path(page))]:
        print(f"{path}: {path.stat().st_size:,} bytes")
