"""`delayed_delete`: data that outlives its image until a scrub, and images that come back."""

import subprocess

import pytest

from importing import configuration, ended, files, import_image
from service import TINTYPE, Account

DELAYED = "[DEFAULT]\ndelayed_delete = true\n"


def scrub(service, *options, status=0):
    command = [TINTYPE, "scrub", *service.options, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def delayed(start):
    return start(config=DELAYED)


@pytest.fixture
def api(delayed):
    return Account(delayed).api()


def deleted_image(api, data):
    image = api.create(color="red", tags=["a"])
    assert api.upload(image, data).status_code == 204
    assert api.delete(f"/v2/images/{image}").status_code == 204
    return image


def test_data_stays_until_the_scrub(delayed, api, data):
    image = deleted_image(api, data)
    assert api.get(f"/v2/images/{image}").status_code == 404
    assert api.delete(f"/v2/images/{image}").status_code == 404
    assert delayed.stored_files() == [image]
    assert "1 images scrubbed, 0 left" in scrub(delayed)
    assert delayed.stored_files() == []
    assert "0 images scrubbed, 0 left" in scrub(delayed)


def test_an_image_without_data_goes_at_once(delayed, api):
    image = api.create()
    assert api.delete(f"/v2/images/{image}").status_code == 204
    assert "0 images scrubbed" in scrub(delayed)
    assert "not" in scrub(delayed, "--restore", image, status=1)


def test_a_restored_image_is_whole(delayed, api, data):
    image = deleted_image(api, data)
    scrub(delayed, "--restore", image)
    record = api.show(image)
    assert (record["status"], record["color"], record["tags"]) == ("active", "red", ["a"])
    assert api.get(f"/v2/images/{image}/file").content == data
    assert "0 images scrubbed" in scrub(delayed)


def test_what_is_scrubbed_is_not_restored(delayed, api, data):
    image = deleted_image(api, data)
    scrub(delayed)
    assert "no image found" in scrub(delayed, "--restore", image, status=1)


def test_data_that_is_gone_already_is_no_failure(delayed, api, data):
    image = deleted_image(api, data)
    (delayed.state / "images" / image).unlink()
    assert "1 images scrubbed, 0 left" in scrub(delayed)


def test_bytes_that_lie_elsewhere_stay_there(start, tmp_path, web):
    text = configuration(tmp_path, web).replace("slow:file", "slow:file, web:http")
    service = start(config=f"{DELAYED}show_multiple_locations = true\n{text}[web]\n")
    api = Account(service).api()
    image = api.create()
    place = {"url": web.serve("/elsewhere", b"x"), "metadata": {}}
    added = api.change(image, [{"op": "add", "path": "/locations/-", "value": place}])
    assert added.status_code == 200, added.text
    assert api.delete(f"/v2/images/{image}").status_code == 204
    assert "1 images scrubbed, 0 left" in scrub(service)


def test_two_scrubs_at_once_leave_nothing(delayed, api, data):
    for _ in range(5):
        deleted_image(api, data[:1000])
    command = [TINTYPE, "scrub", *delayed.options]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for one in both:
        assert one.wait(timeout=60) == 0, one.stderr.read()
    assert delayed.stored_files() == []


def test_the_service_scrubs_by_itself_where_a_scrub_time_is_set(start, data, eventually):
    service = start(config=DELAYED + "scrub_time = 1\nwakeup_time = 1\n")
    deleted_image(Account(service).api(), data)
    assert len(service.stored_files()) == 1
    eventually(lambda: service.stored_files() == [])


def test_a_scrub_waits_for_scrub_time(start, data):
    service = start(config=DELAYED + "scrub_time = 3600\n")
    image = deleted_image(Account(service).api(), data)
    assert "0 images scrubbed" in scrub(service)
    assert service.stored_files() == [image]


def test_the_daemon_goes_on_until_it_is_stopped(delayed, api, data, eventually):
    delayed.state.with_name("state.conf").write_text(DELAYED + "wakeup_time = 1\n")
    command = [TINTYPE, "scrub", *delayed.options, "--daemon"]
    deleted_image(api, data)
    daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: delayed.stored_files() == [])
        deleted_image(api, data)
        eventually(lambda: delayed.stored_files() == [])
    finally:
        daemon.terminate()
    assert daemon.wait(timeout=30) == 0


def test_bytes_taken_from_one_store_stay_until_the_image_goes(start, tmp_path, web, eventually):
    """As in Glance: `delayed_delete` holds for single locations, too."""
    text = configuration(tmp_path, web, default="delayed_delete = true")
    service = start(config=text)
    api = Account(service).api()
    image = api.create()
    assert api.upload(image, b"1234").status_code == 204
    import_image(api, image, "copy-image", stores=["slow"])
    assert eventually(lambda: ended(api, image))["status"] == "success"
    assert api.delete(f"/v2/stores/slow/{image}").status_code == 204
    assert api.show(image)["stores"] == "fast"
    assert (files(tmp_path, "fast"), files(tmp_path, "slow")) == ([image], [image])
    assert "0 images scrubbed" in scrub(service)
    assert api.delete(f"/v2/images/{image}").status_code == 204
    assert files(tmp_path, "slow") == [image]
    assert "1 images scrubbed, 0 left" in scrub(service)
    assert (files(tmp_path, "fast"), files(tmp_path, "slow")) == ([], [])
