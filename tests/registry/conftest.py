"""What the tests of the registry share."""

import itertools

import pytest

from own_registry import Registry
from process import starting
from registry.authority import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates") / "authority")


@pytest.fixture
def registry(tmp_path):
    """Starts registries that belong to one test; they end with it."""
    folders = (tmp_path / f"registry-{number}" for number in itertools.count())

    def make(**options):
        folder = next(folders)
        return Registry(folder, "--state-dir", folder / "state", **options)

    yield from starting(make)


@pytest.fixture
def served_by(start, tmp_path):
    """Starts a service that asks a registry; `keys` are its own lines of `[registry]`."""

    def served_by(registry, keys=None, url=None, **options):
        config = registry.for_services.read_text()
        if keys is not None:
            config = f"[registry]\nurl = {url or registry.url}\n{keys}\n"
        state = tmp_path / f"service-{len(list(tmp_path.iterdir()))}"
        return start(state, config=config, catalog="database", **options)

    return served_by
