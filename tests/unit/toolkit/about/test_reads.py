from __future__ import annotations

from hub_responder.playbook import Step
from hub_toolkit.about import reads


def test_names_that_a_template_sets_itself_are_not_read() -> None:
    text = "{% set told = coverage.status %}{% for item in incident.findings %}{{ item.title }}"
    step = Step(id="tell", uses="notify", with_={"to": "chat", "template": "a.md.j2"})
    read = reads.of_step(step, {"a.md.j2": text + "{% endfor %}{{ told }}{{ now }}"})
    assert read == ["coverage.status", "incident.findings", "now"]


def test_a_variable_is_told_once_with_its_attributes() -> None:
    step = Step(id="x", uses="y", if_="params['age'] > 1 and params.size", with_={"a": ["{{ b }}"]})
    assert reads.of_step(step, {}) == ["b", "params.age", "params.size"]


def test_variants_of_a_template_are_its_languages_only() -> None:
    names = ["note.en.md.j2", "note.ja.md.j2", "note.md.j2", "note.more.en.md.j2", "notes.md.j2"]
    assert reads.variants("note.md.j2", names) == names[:3]
