"""The words that the tables of requests are written in: see `areas/`."""

from dataclasses import dataclass

from differential.exchange import BYTES, JSON, OLD_PATCH, PATCH, Step

__all__ = ["BYTES", "JSON", "OLD_PATCH", "PATCH", "Case", "Step"]


@dataclass
class Case:
    """Steps that belong together, on both services."""

    name: str
    steps: list


def get(path, **options):
    return Step("GET", path, **options)


def post(path, json=None, **options):
    return Step("POST", path, json=json, **options)


def put(path, json=None, **options):
    return Step("PUT", path, json=json, **options)


def delete(path, **options):
    return Step("DELETE", path, **options)


def create(**fields):
    """An image that is there, as `{image}`; `create(name="x")` sets more."""
    fields = {"name": "n", "disk_format": "raw", "container_format": "bare"} | fields
    return post("/v2/images", fields).saves(image="id").given()


def upload(data=b"some bytes", **headers):
    headers = {"Content-Type": BYTES} | headers
    return Step("PUT", "/v2/images/{image}/file", body=data, headers=headers)


def change(operations, kind=PATCH, **options):
    return Step(
        "PATCH", "/v2/images/{image}", operations, headers={"Content-Type": kind}, **options
    )


def show():
    return get("/v2/images/{image}")


def active(data=b"some bytes", **fields):
    """The steps to an image with bytes."""
    return [create(**fields), upload(data).given()]
