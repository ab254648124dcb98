"""Makes in Keystone what a cloud has there for an image service: roles, an account, an endpoint."""

import os

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
    service = ensure("service", {"type": "image"}, name="glance")
    for interface in ["public", "internal", "admin"]:
        place(service, interface)


def place(service, interface):
    """The endpoint of this run: one of an earlier run would name another port."""
    match = {"service_id": service, "interface": interface}
    url = os.environ["SERVICE_URL"]
    endpoint = ensure("endpoint", match, url=url, region_id="RegionOne")
    admin.patch(f"{AUTH_URL}/endpoints/{endpoint}", json={"endpoint": {"url": url}})


main()
