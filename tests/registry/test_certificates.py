"""Certificates on both sides."""

import pytest

from process import DidNotStart
from service import Account


def test_right_ones_are_let_in(authority, registry, served_by):
    there = registry(
        own_keys=authority.options("registry", "IP:127.0.0.1"),
        keys=authority.options("edge-1", "DNS:edge-1.example"),
    )
    api = Account(served_by(there)).api()
    assert api.status(api.create()) == "queued"


@pytest.mark.parametrize(
    "options, is_let_in",
    [
        ("client_cert_allowed_cn = edge-2, edge-1", True),
        ("client_cert_allowed_hostname = EDGE-1.example", True),
        ("client_cert_allowed_cn = edge-1.example\nclient_cert_allowed_hostname = edge-1", False),
    ],
)
def test_only_clients_that_options_name_are_let_in(
    authority, registry, served_by, options, is_let_in
):
    own = authority.options("registry", "IP:127.0.0.1")
    there = registry(
        own_keys=f"{own}\n{options}", keys=authority.options("edge-1", "DNS:edge-1.example")
    )
    if is_let_in:
        assert served_by(there).url
    else:
        with pytest.raises(DidNotStart, match="does not take our proof"):
            served_by(there)
        assert there.said("has no name that client_cert_allowed_cn or client_cert_allowed_hostname")


def test_names_of_clients_are_nothing_without_certificates(registry):
    with pytest.raises(DidNotStart, match="needs ca_file, cert_file and key_file"):
        registry(own_keys="client_cert_allowed_cn = edge-1")
