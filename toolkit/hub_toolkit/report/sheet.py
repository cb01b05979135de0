"""The report's lists as CSV: a line for each record that is listed."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from hub_responder.actions.fleet_report import plain
from hub_responder.clock import iso

if TYPE_CHECKING:
    from hub_toolkit.report.figures import Figures

LISTS = ("unanswered", "exceptions", "unresolved", "unseen", "suppressed", "operators")
COLUMNS = ("list", "at", "playbook", "kind", "action", "detail", "by", "findings")


def table(figures: Figures) -> bytes:
    """UTF-8 with a byte order mark, so that Excel reads Japanese; what a spreadsheet would take for
    a formula begins with an apostrophe."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for name in LISTS:
        for one in getattr(figures, name).rows:
            texts = (one.playbook, one.kind, one.uses, one.detail, one.who, " ".join(one.findings))
            writer.writerow([name, iso(one.at / 1000), *map(plain, texts)])
    return file.getvalue().encode("utf-8-sig")
