"""A store that sends clients to Swift, by temporary URLs: whoever may download reads there, with the
clients that there are, and nobody else does."""

import subprocess

import pytest
import requests

from cached_service import CONFIG as CACHE
from importing import ended, import_image, member
from service import TINTYPE, Account, unique
from stores.places import LARGE, PART, PLACES, missing
from stores.product import Product
from stores.test_product import bytes_of

SIZES = {"whole": 1_000_003, "in_segments": LARGE + PART + 12_345}
KEY = unique("of-temporary-urls")
SIGNED = "temp_url_sig="


@pytest.fixture(scope="module", params=[name for name, place in PLACES.items() if place.kind == "swift"])
def place(request, places):
    variable = missing(request.param)
    return pytest.skip(f"{variable} is not set") if variable else places[request.param]


@pytest.fixture(scope="module")
def sending(place, web, tmp_path_factory):
    """A service whose store `on` sends clients on; its URLs end soon in `brief`, and are signed with
    another key in `wrong`. Neither the key nor a URL is in any line of the log."""
    options = place.sending_on(KEY)
    wrong = {"swift_temp_url_key": unique("wrong-key")}
    brief = {"swift_temp_url_duration": 2}
    stores = {"on": options, "brief": options | brief, "wrong": options | wrong}
    more = {name: (place.kind, place.section(**options)) for name, options in stores.items()}
    product = Product({}, web, tmp_path_factory.mktemp("sending"), more)
    product.secrets += [KEY, wrong["swift_temp_url_key"], *place.secrets]
    yield product
    signed = [line for line in product.service.log if SIGNED in line]
    product.close()
    assert not signed, signed


@pytest.fixture(scope="module", params=SIZES.values(), ids=SIZES)
def data(request):
    return bytes_of(request.param)


@pytest.fixture(scope="module")
def image(sending, data):
    return sending.image(data, "on")


@pytest.fixture
def admin(sending):
    return Account(sending.service)


def asked(api, image, **headers):
    """The answer to a download, whatever it is."""
    path = f"/v2/images/{image}/file"
    return api.get(path, headers=headers, allow_redirects=False)


def url_of(api, image):
    answer = asked(api, image)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def test_a_url_opens_the_image_without_a_token(sending, place, image, data):
    answer = asked(sending.api, image, Range="bytes=0-9")
    assert (answer.status_code, answer.content) == (302, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    url = answer.headers["Location"]
    assert f":{place.port}/" in url
    assert requests.get(url, timeout=60).content == data
    first, last = 500_000, len(data) - 7
    part = requests.get(url, headers={"Range": f"bytes={first}-{last}"}, timeout=60)
    assert (part.status_code, part.content) == (206, data[first : last + 1])
    changed = url.replace(SIGNED, f"{SIGNED}0")
    assert requests.get(changed, timeout=60).status_code in (401, 403)
    assert requests.delete(url, timeout=60).status_code in (401, 403)


def test_glance_follows(admin, image, data, tmp_path):
    output = tmp_path / "image"
    admin.run("glance", "image-download", image, "--file", output)
    assert output.read_bytes() == data


def test_openstack_follows(admin, image, data, tmp_path):
    output = tmp_path / "image"
    admin.run("openstack", "image", "save", image, "--file", output)
    assert output.read_bytes() == data


def test_openstacksdk_follows(admin, image, data):
    assert admin.sdk().image.download_image(image).content == data


def test_curl_follows(sending, admin, image, data, tmp_path):
    output = tmp_path / "image"
    url = f"{sending.service.url}/v2/images/{image}/file"
    token = f"X-Auth-Token: {admin.token()}"
    whole = ["curl", "--fail", "--silent", "--location", "--header", token, "--output", output, url]
    subprocess.run(whole, check=True, timeout=120)
    assert output.read_bytes() == data
    subprocess.run([*whole, "--range", "10-99"], check=True, timeout=120)
    assert output.read_bytes() == data[10:100]


def test_tintype_follows_and_goes_on(admin, image, data, tmp_path):
    output = tmp_path / "image"
    admin.run(TINTYPE, "image", "pull", image, "--output", output)
    assert output.read_bytes() == data
    output.unlink()
    # What an earlier download left.
    half = len(data) // 2
    output.with_name(f"image.{image}.part").write_bytes(data[:half])
    admin.run(TINTYPE, "image", "pull", image, "--output", output)
    assert output.read_bytes() == data


def test_an_import_from_another_glance_follows(sending, image, data, eventually):
    copy = sending.api.create()
    remote = {"glance_region": "regionone", "glance_image_id": image}
    asked = import_image(sending.api, copy, "glance-download", stores=["file"], **remote)
    assert asked.status_code == 202, asked.text
    task = eventually(lambda: ended(sending.api, copy), limit=60)
    assert task["status"] == "success", task
    assert asked_bytes(sending.api, copy) == data


def asked_bytes(api, image):
    """The bytes of an image, from the service itself."""
    answer = asked(api, image)
    assert answer.status_code == 200, answer.text
    return answer.content


def test_copies_are_made_by_the_service(sending, image, data, eventually):
    assert import_image(sending.api, image, "copy-image", stores=["file"]).status_code == 202
    assert eventually(lambda: ended(sending.api, image), limit=60)["status"] == "success"
    assert asked(sending.api, image).status_code == 302
    preferred = sending.api.get(f"/v2/images/{image}/file?prefer=file", allow_redirects=False)
    assert (preferred.status_code, preferred.content) == (200, data)
    assert sending.api.delete(f"/v2/stores/file/{image}").status_code == 204


def test_who_may_not_download_gets_no_url(sending, data):
    other = member(sending.service)
    own = other.create()
    assert other.upload(own, data[:1000], **{"X-Image-Meta-Store": "on"}).status_code == 204
    assert url_of(other, own)
    assert sending.api.post(f"/v2/images/{own}/actions/deactivate").status_code == 204
    assert asked(other, own).status_code == 403
    private = sending.image(b"private", "on")
    assert asked(other, private).status_code == 404
    assert asked(sending.api, sending.api.create()).status_code == 204


def test_a_url_ends(sending, eventually):
    image = sending.image(b"for two seconds", "brief")
    url = url_of(sending.api, image)
    eventually(lambda: requests.get(url, timeout=60).status_code in (401, 403))
    assert sending.data(image) == b"for two seconds"


def test_nobody_is_sent_on_by_a_key_that_is_wrong(sending, image, eventually):
    image = sending.image(b"bytes", "wrong")
    assert asked_bytes(sending.api, image) == b"bytes"
    eventually(lambda: any("swift_temp_url_key is not the key" in line for line in sending.service.log))


def test_a_check_tells_whether_clients_can_be_sent_on(sending):
    config = sending.service.state.with_name(f"{sending.service.state.name}.conf")

    def check(store):
        command = [TINTYPE, "store", "check", "--config-file", config, store]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    right, wrong = check("on"), check("wrong")
    assert (right.returncode, wrong.returncode) == (0, 1)
    assert "direct" in right.stdout
    assert "direct FAILED" in wrong.stdout and "swift_temp_url_key" in wrong.stdout
    assert KEY not in right.stdout + right.stderr and SIGNED not in wrong.stdout + wrong.stderr


def test_what_is_cached_is_served(place, start, tmp_path, eventually):
    options = place.section(**place.sending_on(KEY))
    more = "enabled_backends = on:swift"
    stores = f"[glance_store]\ndefault_backend = on\n[on]\n{options}\n"
    cache = CACHE.format(
        cache=tmp_path / "cache",
        driver="centralized_db",
        max_size=1 << 30,
        flavor="keystone+cachemanagement",
        more=more,
    )
    service = start(config=cache + stores, arguments=["--identity", "built-in"])
    api = Account(service).api()
    image = api.create()
    assert api.upload(image, b"bytes").status_code == 204
    assert url_of(api, image)
    assert api.put(f"/v2/cache/{image}").status_code == 202
    eventually(lambda: asked(api, image).status_code == 200)
    assert asked_bytes(api, image) == b"bytes"
