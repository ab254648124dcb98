"""Certificates on both sides."""

from service import Account


def test_right_ones_are_let_in(authority, registry, served_by):
    there = registry(
        own_keys=authority.options("registry", "IP:127.0.0.1"),
        keys=authority.options("edge-1", "DNS:edge-1.example"),
    )
    api = Account(served_by(there)).api()
    assert api.status(api.create()) == "queued"
