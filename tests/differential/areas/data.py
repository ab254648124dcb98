"""`/v2/images/{id}/file`: bytes up and down."""

from differential.cases import BYTES, Case, Step, active, create, delete, get, show, upload

CONFIGURATION = "plain"

DATA = b"0123456789"
FILE = "/v2/images/{image}/file"


def download(**headers):
    return get(FILE, headers=headers)



def partitioned(kind):
    """A disk whose first sector has one partition, of this type."""
    entry = bytes([0x80, 0, 2, 0, kind, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0])
    return bytes(446) + entry.ljust(64, b"\0") + b"\x55\xaa" + bytes(100_000)


# As the first sector of Linux's for x86: a signature, and no table that makes sense.
KERNEL = b"MZ" + b"\x07" * 508 + b"\x55\xaa" + bytes(100_000)

QCOW2 = b"QFI\xfb" + (3).to_bytes(4, "big") + bytes(96)

RANGES = """
bytes=0-3
bytes=0-0
bytes=5-
bytes=-3
bytes=-0
bytes=-100
bytes=0-100
bytes=9-9
bytes=10-
bytes=10-11
bytes=3-1
bytes=0-1,3-4
bytes=x
bytes=
bytes=-
bytes 0-3
lines=0-3
0-3
bytes=0 - 3
BYTES=0-3
""".strip().splitlines()

CONTENT_RANGES = """
bytes 0-3/10
bytes 0-3/*
bytes 5-20/*
bytes 5-20/10
bytes 20-30/*
bytes */10
bytes 3-1/10
x
""".strip().splitlines()

STAGE = "/v2/images/{image}/stage"


def stage(data=DATA, **headers):
    return Step("PUT", STAGE, body=data, headers={"Content-Type": BYTES} | headers)


CASES = [
    Case("upload", [create(), upload(DATA), show()]),
    Case("upload nothing", [create(), upload(b""), show()]),
    Case("upload in pieces", [create(), upload([b"01234", b"56789"]), show()]),
    Case("upload no pieces", [create(), upload([]), show()]),
    Case("upload twice", [*active(DATA), upload(DATA), show()]),
    Case("upload as a reader", [create(), upload(DATA).as_("reader")]),
    Case("upload as a stranger", [create(), upload(DATA).as_("other")]),
    Case(
        "upload to a community image as a stranger",
        [create(visibility="community"), upload(DATA).as_("other")],
    ),
    Case("upload as an administrator", [create(), upload(DATA).as_("admin"), show()]),
    Case("upload without a token", [create(), upload(DATA).as_(None)]),
    Case(
        "upload without formats",
        [create(disk_format=None, container_format=None), upload(DATA), show()],
    ),
    Case("upload without a disk format", [create(disk_format=None), upload(DATA), show()]),
    Case(
        "upload to an unknown store",
        [create(), upload(DATA, **{"X-Image-Meta-Store": "nowhere"}), show()],
    ),
    Case(
        "upload to a named store",
        [create(), upload(DATA, **{"X-Image-Meta-Store": "file"}), show()],
    ),
    Case("upload as qcow2 what is none", [create(disk_format="qcow2"), upload(DATA), show()]),
    Case("upload as raw what is qcow2", [create(disk_format="raw"), upload(QCOW2), show()]),
    *[
        Case(
            f"upload as {disk} in {container} what is {what}",
            [create(disk_format=disk, container_format=container), upload(data), show()],
        )
        for disk in ["aki", "ari", "ami", "ploop"]
        for container in ["bare", disk if disk != "ploop" else "ovf"]
        for what, data in [
            ("text", DATA),
            ("a kernel", KERNEL),
            ("a partitioned disk", partitioned(0x83)),
            ("a disk of GPT", partitioned(0xEE)),
            ("qcow2", QCOW2),
        ]
    ],
    Case(
        "upload of an unknown image",
        [
            Step(
                "PUT",
                "/v2/images/99999999-0000-4000-8000-000000000000/file",
                body=DATA,
                headers={"Content-Type": BYTES},
            )
        ],
    ),
    *[
        Case(
            f"upload with the content type {kind}",
            [create(), Step("PUT", FILE, body=DATA, headers={"Content-Type": kind}), show()],
        )
        for kind in [
            None,
            "",
            "application/json",
            "text/plain",
            "application/octet-stream; x=y",
            "APPLICATION/OCTET-STREAM",
        ]
    ],
    *[
        Case(
            f"{verb} {how} with the size {size}",
            [create(), step(data, **{"x-openstack-image-size": size}), show()],
        )
        for verb, step in [("upload", upload), ("stage", stage)]
        for how, data in [("bytes", DATA), ("pieces", [b"01234", b"56789"]), ("nothing", b"")]
        for size in ["10", "11", "9", "0", "-1", "x", "", "+10", "10.0"]
    ],
    Case(
        "upload twice with another size",
        [*active(DATA), upload(DATA, **{"x-openstack-image-size": "11"}), show()],
    ),
    Case("download", [*active(DATA), download()]),
    Case("download before there are bytes", [create(), download()]),
    Case("download an empty image", [create(), upload(b"").given(), download()]),
    Case("download as a reader", [*active(DATA), download().as_("reader")]),
    Case("download as a stranger", [*active(DATA), download().as_("other")]),
    Case(
        "download a community image as a stranger",
        [*active(DATA, visibility="community"), download().as_("other")],
    ),
    Case("download as an administrator", [*active(DATA), download().as_("admin")]),
    Case("download without a token", [*active(DATA), download().as_(None)]),
    Case(
        "download what is deleted",
        [*active(DATA), delete("/v2/images/{image}").given(), download()],
    ),
    Case(
        "download an unknown image", [get("/v2/images/99999999-0000-4000-8000-000000000000/file")]
    ),
    Case("download accepting JSON", [*active(DATA), download(Accept="application/json")]),
    Case("download accepting bytes", [*active(DATA), download(Accept="application/octet-stream")]),
    *[
        Case(f"download the range {range}", [*active(DATA), download(Range=range)])
        for range in RANGES
    ],
    *[
        Case(
            f"download the content range {range}",
            [*active(DATA), download(**{"Content-Range": range})],
        )
        for range in CONTENT_RANGES
    ],
    Case("a range of a queued image", [create(), download(Range="bytes=0-3")]),
    Case("a range of an empty image", [create(), upload(b"").given(), download(Range="bytes=0-3")]),
    Case("download if it is none of others", [*active(DATA), download(**{"If-None-Match": '"x"'})]),
    Case(
        "download if modified since",
        [*active(DATA), download(**{"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"})],
    ),
    Case("stage", [create(), stage(), show()]),
    Case("stage with another content type", [create(), stage(**{"Content-Type": "text/plain"})]),
    Case("head of the bytes", [*active(DATA), Step("HEAD", FILE)]),
]
