"""An installed toolkit can write playbooks: the templates are in the wheel."""

from __future__ import annotations

from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

from hub_toolkit import scaffold

REPOSITORY = Path(__file__).parents[4]


def test_the_wheel_holds_every_template() -> None:
    files = WheelBuilder(str(REPOSITORY)).recurse_selected_project_files()
    shipped = {file.distribution_path for file in files}
    folder = Path(scaffold.__path__[0]) / "templates"
    templates = {f"hub_toolkit/scaffold/templates/{path.name}" for path in folder.iterdir()}
    assert "hub_toolkit/scaffold/templates/playbook.yaml.jinja" in templates
    assert templates <= shipped
