"""One image for all of the container's tests: building takes a minute or two."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import util
from pathlib import Path
from types import ModuleType

import pytest


def _load(name: str) -> ModuleType:
    # Test folders are no packages, so a file beside this one is loaded by its path.
    spec = util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def buildah() -> ModuleType:
    return _load("image")


@pytest.fixture(scope="session")
def image(buildah: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with buildah.built(tmp_path_factory.mktemp("image")) as name:
        yield name
