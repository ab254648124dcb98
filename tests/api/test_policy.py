"""An operator's policy.yaml over Glance's rules."""

import pytest

from service import Account


@pytest.fixture
def policy(tmp_path):
    return tmp_path / "policy.yaml"


@pytest.fixture
def served(start, tmp_path):
    """A service whose configuration lies beside the policy."""

    def served():
        config = tmp_path / "glance-api.conf"
        config.write_text("[DEFAULT]\n")
        return start(arguments=["--config-file", config])

    return served


def test_new_rules_hold_without_a_restart_and_broken_ones_never(served, policy, eventually):
    service = served()
    api = Account(service).api()

    def status():
        return api.get("/v2/images").status_code

    assert status() == 200
    policy.write_text('"get_images": "!"\n')
    eventually(lambda: status() == 403)
    policy.write_text('"get_images": "role:admin or"\n')
    eventually(lambda: "the policy stays as it was" in "".join(service.log))
    assert status() == 403
    policy.write_text('"get_images": [["rule:ours"]]\n"ours": "project_id:%(project_id)s"\n')
    eventually(lambda: status() == 200)


def test_lists_leave_out_what_may_not_be_seen_and_go_on_behind_it(served, policy):
    policy.write_text("get_image: \"'yes':%(released)s\"\n")
    api = Account(served()).api()
    made = [api.create(name=f"{n}", released="no" if n % 2 else "yes") for n in range(6)]
    found, url = [], "/v2/images?limit=2&sort=name:asc"
    while url:
        page = api.get(url).json()
        found += [image["id"] for image in page["images"]]
        url = page.get("next")
    assert found == made[::2]
    assert api.get(f"/v2/images/{made[1]}").status_code == 404


def test_whoever_is_an_administrator_by_the_rules_is_one(served, policy):
    policy.write_text('"context_is_admin": "role:nobody"\n')
    api = Account(served()).api()
    image = api.create()
    public = [{"op": "replace", "path": "/visibility", "value": "public"}]
    assert api.change(image, public).status_code == 403
    assert api.delete(f"/v2/images/{image}").status_code == 204
