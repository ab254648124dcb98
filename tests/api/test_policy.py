"""An operator's policy.yaml over Glance's rules."""

import pytest

from service import Account, unique


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
    # A page with some that may not be seen, and one with none that may.
    released = ["yes", "no", "no", "no", "no", "yes"]
    made = [api.create(name=f"{n}", released=value) for n, value in enumerate(released)]
    found, url = [], "/v2/images?limit=2&sort=name:asc"
    while url:
        page = api.get(url).json()
        found += [image["id"] for image in page["images"]]
        url = page.get("next")
    assert found == [made[0], made[5]]
    assert api.get(f"/v2/images/{made[1]}").status_code == 404


def test_whoever_is_an_administrator_by_the_rules_is_one(served, policy):
    policy.write_text('"context_is_admin": "role:nobody"\n')
    api = Account(served()).api()
    image = api.create()
    public = [{"op": "replace", "path": "/visibility", "value": "public"}]
    assert api.change(image, public).status_code == 403
    assert api.delete(f"/v2/images/{image}").status_code == 204


@pytest.fixture
def reading(start, tmp_path):
    """Starts a service with options of `[oslo_policy]`; says what a reader of a project gets who
    lists images, and who adds one."""

    def reading(options):
        config = tmp_path / "glance-api.conf"
        config.write_text(f"[oslo_policy]\n{options}\n")
        service = start(state=tmp_path / unique("state"), arguments=["--config-file", config])
        api = with_role(Account(service), "reader").api()
        return api.get("/v2/images").status_code, api.post("/v2/images", json={}).status_code

    return reading


def with_role(admin, role):
    """An account of a new project, in which it has this role alone."""
    identity = admin.sdk().identity
    project = identity.create_project(name=unique("project"), domain_id="default")
    user = identity.create_user(name=unique("user"), password="secret", domain_id="default")
    role = identity.find_role(role, ignore_missing=False)
    identity.assign_project_role_to_user(project, user, role)
    return Account(admin.service, user.name, "secret", project.name)


def test_rules_are_in_the_file_and_the_folders_that_are_named(reading, tmp_path):
    assert reading("") == (200, 403)
    (tmp_path / "rules.yaml").write_text('"get_images": "!"\n"add_image": "role:reader"\n')
    assert reading("policy_file = rules.yaml") == (403, 201)
    for folder, rule in [("first", "!"), ("second", "role:reader")]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rules.yaml").write_text(f'"get_images": "{rule}"\n')
    assert reading("policy_dirs = first") == (403, 403)
    assert reading("policy_dirs = first\npolicy_dirs = second") == (200, 403)
    assert reading("policy_file = rules.yaml\npolicy_dirs = second") == (200, 201)


def test_a_file_that_is_named_and_not_there_is_told(start, tmp_path):
    text = "[oslo_policy]\npolicy_file = polcy.yaml\n"
    named, silent = start(tmp_path / "named", config=text), start(tmp_path / "silent", config="")
    assert [service.stop() for service in (named, silent)] == [0, 0]
    assert "policy_file = polcy.yaml is not there" in "".join(named.log)
    assert "is not there" not in "".join(silent.log)


def test_a_rule_that_is_not_there_is_the_one_that_is_named(reading, policy):
    policy.write_text('"get_images": "rule:nowhere"\n"fallback": "role:reader"\n')
    assert reading("") == (403, 403)
    assert reading("policy_default_rule = fallback") == (200, 403)


def test_the_older_rules_hold_beside_the_new_ones_where_they_are_wanted(reading):
    assert reading("enforce_new_defaults = true") == (200, 403)
    assert reading("enforce_new_defaults = false") == (200, 201)
