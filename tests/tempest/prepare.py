"""prepare.py TYPE=URL...: makes in Keystone what a cloud has there for image services: roles, an
account, endpoints, limits."""

import os
import sys

from keystoneauth1 import session
from keystoneauth1.identity import v3

AUTH_URL, PASSWORD = os.environ["TEST_KEYSTONE_URL"], os.environ["TEST_KEYSTONE_PASSWORD"]

admin = session.Session(
    v3.Password(
        auth_url=AUTH_URL,
        username="admin",
        password=PASSWORD,
        project_name="admin",
        user_domain_id="default",
        project_domain_id="default",
    )
)


def ensure(kind, match, **attributes):
    """The id of the one thing of a kind that is so, made where there is none."""
    plural = kind + "s"
    found = admin.get(f"{AUTH_URL}/{plural}", params=match).json()[plural]
    if found:
        return found[0]["id"]
    made = admin.post(f"{AUTH_URL}/{plural}", json={kind: match | attributes})
    return made.json()[kind]["id"]


def main():
    roles = {name: ensure("role", {"name": name}) for name in ["member", "reader", "service"]}
    project = ensure("project", {"name": "admin", "domain_id": "default"})
    account = {"name": "tintype-tempest", "domain_id": "default"}
    user = ensure("user", account, password=PASSWORD)
    role = ensure("role", {"name": "admin"})
    for granted in [role, roles["service"]]:
        admin.put(f"{AUTH_URL}/projects/{project}/users/{user}/roles/{granted}")
    admin.put(f"{AUTH_URL}/system/users/{user}/roles/{roles['reader']}")
    for kind, url in (argument.split("=") for argument in sys.argv[1:]):
        name = kind.replace("image", "glance")
        place(ensure("service", {"type": kind}, name=name), url)
    limit(ensure("service", {"type": "image"}))


def limit(service):
    """Nothing is limited until a test limits its own project."""
    resources = ["size_total", "stage_total", "count_total", "count_uploading"]
    for name in [f"image_{resource}" for resource in resources]:
        match = {"service_id": service, "region_id": "RegionOne", "resource_name": name}
        if not admin.get(f"{AUTH_URL}/registered_limits", params=match).json()["registered_limits"]:
            made = {"registered_limits": [match | {"default_limit": -1}]}
            admin.post(f"{AUTH_URL}/registered_limits", json=made)


def place(service, url):
    """The endpoints of this run: those of an earlier run would name another port."""
    for interface in ["public", "internal", "admin"]:
        match = {"service_id": service, "interface": interface}
        endpoint = ensure("endpoint", match, url=url, region_id="RegionOne")
        admin.patch(f"{AUTH_URL}/endpoints/{endpoint}", json={"endpoint": {"url": url}})


main()
