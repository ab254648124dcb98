"""policy.yaml: an operator's rules, and new ones without a restart."""

import pytest

from service import DidNotStart


def test_new_rules_hold_without_a_restart_and_broken_ones_never(own, cloud, tmp_path, eventually):
    policy = tmp_path / "policy.yaml"
    images = own()
    api = cloud.member.at(images)

    def status():
        return api.get("/v2/images").status_code

    assert status() == 200
    policy.write_text('"get_images": "role:nobody"\n')
    eventually(lambda: status() == 403)
    policy.write_text('"get_images": "role:member or"\n')
    eventually(lambda: "the policy stays as it was" in "".join(images.log))
    assert f'{policy}, line 1: rule "get_images", at character 15' in "".join(images.log)
    assert status() == 403
    policy.write_text('"get_images": "rule:mine"\n"mine": "user_id:%s"\n' % cloud.member.user_id)
    eventually(lambda: status() == 200)
    assert cloud.other.at(images).get("/v2/images").status_code == 403
    policy.unlink()
    eventually(lambda: cloud.other.at(images).get("/v2/images").status_code == 200)


def test_rules_decide_about_each_image_by_its_properties(own, cloud, tmp_path):
    rule = "rule:context_is_admin or (role:reader and 'yes':%(released)s)"
    (tmp_path / "policy.yaml").write_text(f'"get_image": "{rule}"\n')
    images = own()
    admin, member = cloud.admin.at(images), cloud.member.at(images)
    made = {
        word: admin.create(visibility="public", released=word, owner=cloud.member.project_id)
        for word in ["yes", "no"]
    }
    assert member.get(f"/v2/images/{made['yes']}").status_code == 200
    assert member.get(f"/v2/images/{made['no']}").status_code == 404
    listed = [image["id"] for image in member.get("/v2/images").json()["images"]]
    assert listed == [made["yes"]]


def test_whoever_is_an_administrator_by_the_rules_is_one(own, cloud, tmp_path):
    is_admin = f"user_id:{cloud.reader.user_id}"
    (tmp_path / "policy.yaml").write_text(f'"context_is_admin": "{is_admin}"\n')
    images = own()
    image = cloud.member.at(images).create()
    assert cloud.reader.at(images).change(
        image, [{"op": "replace", "path": "/visibility", "value": "public"}]
    ).ok
    assert cloud.admin.at(images).delete(f"/v2/images/{image}").status_code == 403
    assert cloud.reader.at(images).delete(f"/v2/images/{image}").status_code == 204


def test_a_broken_policy_is_told_at_the_start(own, tmp_path):
    (tmp_path / "policy.yaml").write_text("a: rule:b\nb: rule:a\n")
    with pytest.raises(DidNotStart, match="in a circle: a -> b -> a"):
        own()


def test_a_service_is_told_at_once_what_no_image_may_have(images, cloud):
    # Services see what everybody does.
    everybodys = {"visibility": "community"}
    image = cloud.member.at(images).post("/v2/images", json=everybodys).json()["id"]
    place = {"url": "file:///etc/passwd"}
    answer = cloud.glance.at(images).post(f"/v2/images/{image}/locations", json=place)
    assert answer.status_code == 400, answer.text
    assert "does not pass filtering" in answer.text
