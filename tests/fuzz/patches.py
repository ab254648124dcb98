"""How schemathesis writes the content types that only the Image API has."""

import json

import schemathesis


@schemathesis.serializer(
    "application/openstack-images-v2.0-json-patch", "application/openstack-images-v2.1-json-patch"
)
def as_json(_context, value):
    return json.dumps(value).encode()
