"""What the tests share: a service for all that leave it standing, and one for each that do not."""

import hashlib
import random
import time

import pytest

from cached_service import Cached
from databases.certificates import Authority
from process import starting
from service import Account, Service, unique
from several_stores import SeveralStores

pytest_plugins = ["importing", "limits"]


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    """A service that no test may stop; images of other tests are on it."""
    service = Service(tmp_path_factory.mktemp("service"))
    yield service
    assert service.stop() == 0, "".join(service.log)


@pytest.fixture(scope="session")
def authorities(tmp_path_factory):
    """Two certificate authorities, and what the first has signed for 127.0.0.1: a certificate and
    its key."""
    folder = tmp_path_factory.mktemp("authorities")
    ca, other = (Authority(folder, name) for name in ("ca", "other"))
    return ca, other, ca.sign("127.0.0.1", "subjectAltName=IP:127.0.0.1")


@pytest.fixture
def start(tmp_path):
    """Starts services that belong to one test; they end with it."""
    yield from starting(lambda state=tmp_path / "state", **options: Service(state, **options))


@pytest.fixture
def cached(start, tmp_path):
    """Starts a service with an image cache; options go into its configuration."""
    return lambda **options: Cached(start, tmp_path, **options)


@pytest.fixture(scope="session")
def several(tmp_path_factory):
    """A service with several stores, that no test may stop."""
    started = []

    def start(*arguments, **options):
        started.append(Service(*arguments, **options))
        return started[-1]

    several = SeveralStores(start, tmp_path_factory.mktemp("several"))
    yield several
    several.close()
    assert started[0].stop() == 0, "".join(started[0].log)


@pytest.fixture(scope="session")
def admin(service):
    return Account(service)


@pytest.fixture(scope="session")
def another(service, admin):
    """A member of another project, without further rights."""
    cloud = admin.sdk()
    project, user, password = unique("project"), unique("user"), unique("password")
    created = cloud.identity.create_project(name=project, domain_id="default")
    owner = cloud.identity.create_user(name=user, password=password, domain_id="default")
    role = cloud.identity.find_role("member", ignore_missing=False)
    cloud.identity.assign_project_role_to_user(created, owner, role)
    account = Account(service, user, password, project)
    account.project_id = created.id
    return account


@pytest.fixture(scope="session")
def api(admin):
    return admin.api()


@pytest.fixture(scope="session")
def data():
    """Three megabytes and a bit: not a multiple of anybody's buffer."""
    return random.Random(3).randbytes(3_141_593)


@pytest.fixture
def file(tmp_path, data):
    path = tmp_path / "disk.raw"
    path.write_bytes(data)
    return path


@pytest.fixture(scope="session")
def sha512():
    return lambda data: hashlib.sha512(data).hexdigest()


@pytest.fixture(scope="session")
def eventually():
    """Waits until a condition holds, and fails when it does not within a limit."""

    def eventually(condition, limit=30):
        end = time.monotonic() + limit
        while not (result := condition()):
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.02)
        return result

    return eventually
