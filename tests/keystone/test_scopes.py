"""Tokens that are no project's, at every class of route: Glance's actions are for projects."""

import pytest

from keystone.cloud import at
from service import PATCH

BYTES = {"Content-Type": "application/octet-stream"}
NAMESPACE = "/v2/metadefs/namespaces"

# A route of each class, and what it takes. None of them may be done by a token of the system or of a
# domain, were it an administrator's.
CLOSED = [
    ("GET", "/v2/images", {}),
    ("POST", "/v2/images", {"json": {"name": "x"}}),
    ("PATCH", "/v2/images/{image}", {"json": [], "headers": {"Content-Type": PATCH}}),
    ("DELETE", "/v2/images/{image}", {}),
    ("PUT", "/v2/images/{image}/file", {"data": b"x", "headers": BYTES}),
    ("GET", "/v2/images/{image}/file", {}),
    ("PUT", "/v2/images/{image}/stage", {"data": b"x", "headers": BYTES}),
    ("POST", "/v2/images/{image}/import", {"json": {"method": {"name": "glance-direct"}}}),
    ("POST", "/v2/images/{image}/actions/deactivate", {}),
    ("GET", "/v2/images/{image}/locations", {}),
    ("PUT", "/v2/images/{image}/tags/x", {}),
    ("GET", "/v2/images/{image}/members", {}),
    ("POST", "/v2/images/{image}/members", {"json": {"member": "x"}}),
    ("GET", "/v2/images/{image}/tasks", {}),
    ("GET", "/v2/tasks", {}),
    ("POST", "/v2/tasks", {"json": {"type": "import", "input": {}}}),
    ("GET", NAMESPACE, {}),
    ("POST", NAMESPACE, {"json": {"namespace": "x"}}),
    ("GET", "/v2/metadefs/resource_types", {}),
    ("GET", "/v2/info/stores/detail", {}),
    ("GET", "/v2/cache", {}),
]
# What only describes the service.
OPEN = ["/v2/schemas/image", "/v2/schemas/tasks", "/v2/info/import", "/v2/info/stores"]


@pytest.fixture(scope="session", params=["system", "domain"])
def token(request, cloud):
    if request.param == "system":
        return cloud.token(cloud.admin, system={"all": True})
    sdk = cloud.sdk
    admin, role = sdk.find_user("admin"), sdk.find_role("admin")
    sdk.assign_domain_role_to_user("default", admin, role)
    cloud.later(sdk.unassign_domain_role_from_user, "default", admin, role)
    return cloud.token(cloud.admin, domain={"id": "default"})


@pytest.fixture(scope="session")
def image(images, cloud):
    """An image with bytes that everybody sees."""
    admin = cloud.admin.at(images)
    image = admin.create(visibility="public")
    assert admin.upload(image, b"bytes").status_code == 204
    return image


@pytest.mark.parametrize("method, path, options", CLOSED, ids=[f"{m} {p}" for m, p, _ in CLOSED])
def test_what_is_a_projects_is_refused(images, token, image, method, path, options):
    answer = at(images, token).request(method, path.format(image=image), **options)
    # Who may not see something is told, as by Glance, that it is not there.
    hidden = "{image}" in path or "/metadefs/" in path
    assert answer.status_code == (404 if hidden else 403), answer.text


@pytest.mark.parametrize("path", OPEN)
def test_what_describes_the_service_is_shown(images, token, path):
    assert at(images, token).get(path).status_code == 200
