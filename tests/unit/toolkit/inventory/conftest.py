"""A bucket with a history in moto's S3, behind a real address."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from moto.server import ThreadedMotoServer

from factories import REPOSITORY
from history_bucket import BUCKET, NOON, STACK, Deployed
from hub_responder import clock
from hub_toolkit.stack import Stack


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The address of AWS's services."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def deployed(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """A deployment whose history is empty."""
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: NOON))
    monkeypatch.setenv("COLUMNS", "200")
    stack = Stack(moto, STACK)
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    s3 = boto3.client("s3", endpoint_url=moto, region_name="us-east-1", **keys)
    s3.create_bucket(Bucket=BUCKET)
    made = Deployed(moto, s3, stack)
    yield made
    made.empty()
    s3.delete_bucket(Bucket=BUCKET)
    s3.close()
    stack.close()


@pytest.fixture
def in_tokyo(deployed: Deployed, tmp_path: Path) -> Deployed:
    """The deployment of a project whose settings are Japanese."""
    shutil.copytree(REPOSITORY / "playbooks", tmp_path / "playbooks")
    settings = "language: ja\ntimezone: Asia/Tokyo\n"
    (tmp_path / "playbooks" / "settings.prod.yaml").write_text(settings, encoding="utf-8")
    deployed.root = tmp_path
    return deployed
