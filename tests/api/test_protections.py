"""Property protections: who may create, see, change and remove which custom properties."""

import html

import pytest

from service import Account, DidNotStart

RULES = """
[^x_owner.*]
create = owner,member
read = @
update = owner
delete = admin

[^x_hidden.*]
create = @
read = admin
update = @
delete = @

[^x_none.*]
create = !
read = @
update = !
delete = !

[^x_.*]
create = @
read = @
update = @
delete = @
"""


@pytest.fixture
def accounts(start, tmp_path):
    """An administrator and a member of the same project, with the rules in force."""
    (tmp_path / "protections.conf").write_text(RULES)
    service = start(config="[DEFAULT]\nproperty_protection_file = protections.conf\n")
    admin = Account(service)
    cloud = admin.sdk()
    user = cloud.identity.create_user(name="somebody", password="pw", domain_id="default")
    project = cloud.identity.find_project(admin.auth["project_name"], ignore_missing=False)
    role = cloud.identity.find_role("member", ignore_missing=False)
    cloud.identity.assign_project_role_to_user(project, user, role)
    return admin.api(), Account(service, "somebody", "pw").api()


def custom(record):
    return {name: value for name, value in record.items() if name.startswith("x_")}


def change(api, image, op, name, value=None):
    operation = {"op": op, "path": f"/{name}"} | ({} if value is None else {"value": value})
    return api.change(image, [operation])


@pytest.fixture
def image(accounts):
    _, member = accounts
    return member.create(x_owner="1", x_hidden="2", x_any="3")


@pytest.mark.parametrize("name", ["y", "x_none"])
def test_what_may_not_be_created_is_refused(accounts, image, name):
    _, member = accounts
    refused = member.post("/v2/images", json={name: "1"})
    assert refused.status_code == 403
    assert f"Attribute '{name}' is reserved." in html.unescape(refused.text)
    assert change(member, image, "add", name, "1").status_code == 403


def test_what_may_not_be_read_is_not_there(accounts, image):
    admin, member = accounts
    seen = {"x_owner": "1", "x_any": "3"}
    assert custom(member.show(image)) == seen
    listed = member.get(f"/v2/images?id={image}").json()["images"]
    assert [custom(record) for record in listed] == [seen]
    created = member.post("/v2/images", json={"x_hidden": "1"})
    assert created.status_code == 201 and custom(created.json()) == {}
    assert custom(admin.show(image)) == seen | {"x_hidden": "2"}


def test_what_is_not_there_is_neither_replaced_nor_removed(accounts, image):
    _, member = accounts
    for answer in [
        change(member, image, "replace", "x_hidden", "9"),
        change(member, image, "remove", "x_hidden"),
    ]:
        assert answer.status_code == 409
        assert "Property x_hidden does not exist." in answer.text


def test_a_change_keeps_what_its_author_cannot_see(accounts, image):
    admin, member = accounts
    assert change(member, image, "replace", "name", "other").status_code == 200
    assert admin.show(image)["x_hidden"] == "2"


def test_changing_and_removing_are_told_apart(accounts, image):
    admin, member = accounts
    assert change(member, image, "replace", "x_owner", "9").status_code == 403
    assert change(member, image, "add", "x_owner", "9").status_code == 403
    assert change(member, image, "remove", "x_owner").status_code == 403
    assert change(admin, image, "replace", "x_owner", "9").status_code == 403
    assert change(admin, image, "remove", "x_owner").status_code == 200
    assert change(member, image, "replace", "x_any", "9").status_code == 200
    assert change(member, image, "remove", "x_any").status_code == 200
    assert custom(member.show(image)) == {}


@pytest.mark.parametrize(
    "rules, complaint",
    [
        (None, "there is no file"),
        ("[a]\ncreate = @\n", "'read' is missing"),
        ("[(]\ncreate = @\nread = @\nupdate = @\ndelete = @\n", "unclosed group"),
    ],
)
def test_rules_that_cannot_be_kept_keep_the_service_from_starting(
    start, tmp_path, rules, complaint
):
    if rules is not None:
        (tmp_path / "protections.conf").write_text(rules)
    with pytest.raises(DidNotStart, match=complaint):
        start(config="[DEFAULT]\nproperty_protection_file = protections.conf\n")
