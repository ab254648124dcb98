"""The real clients, at the service that the catalog of a real Keystone names."""

import json

import pytest

from service import unique


def created(account, *arguments):
    made = account.run("openstack", "image", "create", unique("image"), *arguments, "-f", "json")
    return json.loads(made)["id"]


def listed(account, *arguments):
    said = account.run("openstack", "image", "list", "-f", "json", *arguments)
    return [image["ID"] for image in json.loads(said)]


def test_an_administrator_publishes_what_everybody_sees(images, cloud, file):
    image = created(cloud.admin, "--public", "--file", file, "--disk-format", "raw")
    for account in [cloud.member, cloud.reader, cloud.other]:
        assert image in listed(account)
        assert "403" in account.run("openstack", "image", "delete", image, status=1)
    cloud.admin.run("openstack", "image", "delete", image)


@pytest.mark.parametrize("client", ["openstack", "glance"])
def test_a_member_works_with_images_of_its_project(images, cloud, client, file, data, tmp_path):
    saved = tmp_path / "saved"
    if client == "openstack":
        image = created(cloud.member, "--file", file, "--disk-format", "raw")
        cloud.member.run("openstack", "image", "save", "--file", saved, image)
    else:
        image = created(cloud.member, "--disk-format", "raw", "--container-format", "bare")
        cloud.member.run("glance", "image-upload", image, "--file", file)
        cloud.member.run("glance", "image-download", image, "--file", saved)
    assert saved.read_bytes() == data
    assert "403" in cloud.member.run("openstack", "image", "set", "--public", image, status=1)
    delete = ["image-delete"] if client == "glance" else ["image", "delete"]
    cloud.member.run(client, *delete, image)


def test_a_reader_sees_and_changes_nothing(images, cloud, file):
    image = created(cloud.member, "--file", file, "--disk-format", "raw")
    assert image in listed(cloud.reader)
    cloud.reader.run("glance", "image-show", image)
    refused = [
        ("create", "x", "--disk-format", "raw"),
        ("set", "--name", "y", image),
        ("delete", image),
    ]
    for arguments in refused:
        assert "403" in cloud.reader.run("openstack", "image", *arguments, status=1), arguments
    # The clients take the text of a refused download for the image, and find it damaged.
    assert cloud.reader.at(images).get(f"/v2/images/{image}/file").status_code == 403


def test_another_project_sees_only_what_it_is_offered(images, cloud):
    image = created(cloud.member, "--shared")
    cloud.other.run("openstack", "image", "show", image, status=1)
    cloud.member.run("openstack", "image", "add", "project", image, cloud.other.project_id)
    cloud.other.run("openstack", "image", "show", image)
    accept = ["set", "--accept", "--project", cloud.other.project_id]
    cloud.other.run("openstack", "image", *accept, image)
    assert image in listed(cloud.other, "--shared")
    assert "403" in cloud.other.run("openstack", "image", "delete", image, status=1)


def test_an_application_credential_is_its_users(images, cloud):
    credential = cloud.credential(cloud.member)
    environment = cloud.member.environment
    dropped = ["OS_USERNAME", "OS_PASSWORD", "OS_USER_DOMAIN_NAME"]
    dropped += ["OS_PROJECT_NAME", "OS_PROJECT_DOMAIN_NAME"]
    environment = {name: value for name, value in environment.items() if name not in dropped}
    environment |= {
        "OS_AUTH_TYPE": "v3applicationcredential",
        "OS_APPLICATION_CREDENTIAL_ID": credential.id,
        "OS_APPLICATION_CREDENTIAL_SECRET": credential.secret,
    }
    command = ["openstack", "image", "create", unique("image"), "-f", "json"]
    image = json.loads(cloud.member.run(*command, env=environment))
    assert image["owner"] == cloud.member.project_id
