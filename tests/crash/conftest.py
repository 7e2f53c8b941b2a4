"""What is killed and filled runs at full speed: without sanitizers, where the
run names a build that has none."""
import os
import pathlib

import harness
import pytest


@pytest.fixture(autouse=True)
def released(monkeypatch):
    if build := os.environ.get("TOCSIN_RELEASE"):
        monkeypatch.setattr(harness, "PROGRAMS", pathlib.Path(build) / "src")
