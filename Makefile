# What people type. `make run` and `make test` need nothing but a Rust toolchain on Debian 12: they install what is missing.

.DEFAULT_GOAL := help
.PHONY: help run test test-stores lint bench clean

TINTYPE := $(or $(CARGO_TARGET_DIR),target)/debug/tintype

help:
	@sed -n 's/^\([a-z-]*\):.*## /  make \1#/p' Makefile | column -t -s '#'

run: ## make a Debian image, prove it, serve it, publish it, pull it back; Ctrl-C stops the service
	@scripts/run

test: ## every test: those beside the code, and the real binary against the real OpenStack clients
	@scripts/packages build make test
	@scripts/cargo-tools nextest
	cargo build --locked --workspace --all-targets
	$(TINTYPE) appliance setup
	TINTYPE=$(abspath $(TINTYPE)) tests/services/up sh -c 'cargo nextest run --locked --workspace && tests/run --numprocesses 2 --dist loadfile'

test-stores: ## every kind of store beside its real server; a table of stores and cases
	@scripts/packages build stores
	@scripts/cargo-tools nextest
	tests/stores/run

lint: ## formatting, Clippy, licenses and sources of dependencies, unused dependencies
	@scripts/packages build
	@scripts/cargo-tools deny machete
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo deny --locked check bans licenses sources
	@scripts/advisories
	cargo machete --with-metadata

bench: ## tintype beside Glance, nginx and the machine's own limits: bench/README.md says what and how
	@scripts/packages build bench
	bench/run

clean: ## remove what cargo built; images, caches and the service's state stay
	cargo clean
