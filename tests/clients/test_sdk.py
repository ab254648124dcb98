"""openstacksdk, as other services and Ansible use it."""

import pytest

from service import unique


@pytest.fixture(scope="session")
def cloud(admin):
    return admin.sdk()


def test_an_image_is_uploaded_once_and_found_again(cloud, file, data, sha512):
    name = unique("sdk")

    def upload():
        # The SDK leaves digests in the image's properties, and knows the same bytes by them.
        formats = {"disk_format": "raw", "container_format": "bare"}
        return cloud.create_image(
            name, filename=str(file), validate_checksum=True, wait=True, **formats
        )

    image = upload()
    assert (image.status, image.size, image.hash_value) == ("active", len(data), sha512(data))
    again = upload()
    assert again.id == image.id


def test_an_image_is_downloaded_and_its_hash_checked(cloud, file, data, tmp_path):
    image = cloud.create_image(
        unique("sdk"), filename=str(file), disk_format="raw", container_format="bare"
    )
    with open(tmp_path / "saved", "wb") as saved:
        cloud.image.download_image(image, output=saved)
    assert (tmp_path / "saved").read_bytes() == data


def test_properties_are_updated_in_place(cloud):
    image = cloud.image.create_image(name=unique("sdk"), first="1")
    changed = cloud.image.update_image(image, first="2", second="3", min_ram=128)
    fetched = cloud.image.get_image(image.id)
    assert fetched.properties["first"] == "2" and fetched.properties["second"] == "3"
    assert changed.min_ram == fetched.min_ram == 128


def test_tags_and_members(cloud, another):
    image = cloud.image.create_image(name=unique("sdk"))
    cloud.image.add_tag(image, "one")
    assert cloud.image.get_image(image.id).tags == ["one"]
    cloud.image.remove_tag(image, "one")
    cloud.image.add_member(image, member=another.project_id)
    assert another.sdk().image.get_image(image.id).id == image.id
    assert [member.status for member in cloud.image.members(image)] == ["pending"]
    cloud.image.remove_member(another.project_id, image)
    assert list(cloud.image.members(image)) == []


def test_schemas_are_served(cloud):
    for schema in ["images", "image", "members", "member"]:
        assert getattr(cloud.image, f"get_{schema}_schema")().properties


def test_a_deleted_image_is_gone(cloud):
    image = cloud.image.create_image(name=unique("sdk"))
    cloud.image.delete_image(image)
    assert cloud.image.find_image(image.id) is None
