"""README.md of each playbook and docs/playbooks.md."""

from __future__ import annotations

from pathlib import Path

from hub_toolkit.about import readme
from hub_toolkit.synth import generated

README = "playbooks/tell-them/README.md"


def test_a_readme_tells_when_what_and_with_what(root: Path) -> None:
    text = readme.texts(root)[README]
    for line in (
        "# tell-them",
        "- Owner: us",
        "- Why: So that they know",
        "- Runbook: <https://wiki.example/tell>",
        "  - `Severity.Label`: CRITICAL or prefix HI",
        "- `finding.severity >= 'MEDIUM'`",
        "- `tag('priority') == 'urgent'`",
        "- route `chat`, which chooses by `finding.account.id`",
        "- connection `slack-a` of type slack, secret `hub-responder/STAGE/slack-a`",
        "hub-responder playbook test tell-them",
        "- it tells",
        "- it tells more",
    ):
        assert line in text.splitlines()
    assert "Only if `coverage.verdict == 'UNPROTECTED'`" in text
    assert "`ssm:CreateOpsItem`" in text


def test_the_list_links_to_each_readme_and_keeps_its_cells_apart(root: Path) -> None:
    page = readme.texts(root)["docs/playbooks.md"]
    (row,) = (line for line in page.splitlines() if line.startswith("| ["))
    assert row.startswith("| [tell-them](../playbooks/tell-them/README.md) | ")
    assert r"instances \| and buckets" in row
    assert row.endswith("| imported, custom_action | `vision_one.check_coverage`, "
                        "`ticket.open`, `notify` | us |")  # fmt: skip


def test_a_readme_that_somebody_wrote_is_theirs(root: Path) -> None:
    (root / README).write_text("# Ours\n", encoding="utf-8")
    assert README not in readme.texts(root)
    (root / README).write_text(f"{readme.MARK} -->\nOld\n", encoding="utf-8")
    assert readme.texts(root)[README].startswith(readme.MARK)


def test_synth_writes_them_and_sees_them_drift(root: Path) -> None:
    repository = Path(__file__).parents[4]
    (root / "functions").mkdir()
    for name in ("pyproject.toml", "requirements.lock"):
        (root / name).write_bytes((repository / name).read_bytes())
    assert {README, "docs/playbooks.md"} <= set(generated.write(root))
    assert generated.drift(root) == ""
    playbook = root / "playbooks/tell-them/playbook.yaml"
    text = playbook.read_text(encoding="utf-8")
    playbook.write_text(text.replace("summary: Tells", "summary: Asks"), encoding="utf-8")
    drift = generated.drift(root)
    assert f"+++ {README} (as it must be)" in drift
    assert "+Asks people about instances" in drift
