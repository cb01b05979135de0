"""What SAM makes of the template, without AWS."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from hub_toolkit import synth

if TYPE_CHECKING:
    from pathlib import Path


Both = tuple[dict[str, Any], dict[str, Any]]
"""The template as it is written, and as CloudFormation gets it."""


@pytest.fixture
def translated(root: Path, monkeypatch: pytest.MonkeyPatch) -> Both:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from samtranslator.translator.transform import transform

    written = yaml.safe_load(synth.render(root))
    fragment = yaml.safe_load(synth.render(root))
    for resource in fragment["Resources"].values():
        for key in ("CodeUri", "ContentUri"):
            if key in resource.get("Properties", {}):
                resource["Properties"][key] = "s3://bucket/key"

    class Policies:
        """Stands for IAM's managed policies; the template uses none."""

        def load(self) -> dict[str, str]:
            return {}

    return written, transform(fragment, {}, Policies())


def test_sam_takes_it_and_makes_as_many_resources_as_were_counted(translated: Both) -> None:
    written, made = translated
    assert len(made["Resources"]) == synth.resource_count(written)
    assert {one["Type"].split("::")[0] for one in made["Resources"].values()} == {"AWS"}
    assert not any(one["Type"].startswith("AWS::Serverless") for one in made["Resources"].values())


def test_sam_adds_no_role_of_its_own(translated: Both) -> None:
    written, made = translated

    def roles(template: dict[str, Any]) -> list[str]:
        found = template["Resources"].items()
        return sorted(name for name, one in found if one["Type"] == "AWS::IAM::Role")

    assert roles(made) == roles(written)


def test_functions_run_on_lambdas_python_313_on_arm64(translated: Both) -> None:
    written, made = translated
    functions = [
        one["Properties"]
        for one in made["Resources"].values()
        if one["Type"] == "AWS::Lambda::Function"
    ]
    kinds = [one["Type"] for one in written["Resources"].values()]
    assert len(functions) == kinds.count("AWS::Serverless::Function") > 1
    longer = {
        "${AWS::StackName}-inventory": (300, 1024),
        "${AWS::StackName}-sync": (240, 256),
        "${AWS::StackName}-reconcile": (300, 512),
        "${AWS::StackName}-archive": (600, 1024),
    }
    for function in functions:
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
        size = longer.get(function["FunctionName"]["Fn::Sub"], (60, 256))
        assert (function["Timeout"], function["MemorySize"]) == size
