# The tasks of the project. `make test` is what has to pass before a change lands.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

EBSEC := target/debug/ebsec
GUEST_TARGET := x86_64-unknown-linux-gnu
# Binaries that run anywhere, without the libraries of this machine.
STATIC := -C target-feature=+crt-static

.PHONY: setup build static guest-tools demo fetch-kernels prototypes test test-host test-kernels bless clean

setup:
	@tools/setup

build: setup
	cargo build --workspace

static: setup
	mkdir -p dist
	RUSTFLAGS="$(STATIC)" cargo build --release --target $(GUEST_TARGET) -p ebsec -p ebsec-load
	cp target/$(GUEST_TARGET)/release/ebsec target/$(GUEST_TARGET)/release/ebsec-load dist/

# The loader and the test programs as guests run them.
guest-tools: setup
	RUSTFLAGS="$(STATIC) -C strip=symbols" cargo build -q --target $(GUEST_TARGET) \
	  -p ebsec-load -p ebsec-guest-tools

# A policy at work in a guest: what it refuses, and what it lets be.
demo: setup
	@echo "building …"
	@cargo build -q -p ebsec
	@$(MAKE) -s guest-tools
	@tools/demo/run

# A kernel that cannot be had is told, and the others are fetched all the same.
fetch-kernels: setup
	cargo build -q -p ebsec
	$(EBSEC) kernels --fetch || true

# What each default kernel's own types say of hooks and of the fields we read.
prototypes: fetch-kernels
	$(EBSEC) kernels --prototypes bpf-templates/prototypes

# What needs no kernel.
test-host: setup
	cargo fmt --all --check
	cargo clippy -q --workspace --all-targets -- -D warnings
	cargo test -q --workspace

# Every scenario on every kernel that could be fetched.
test-kernels: fetch-kernels guest-tools
	cargo test -q -p ebsec --test kernel -- --ignored --nocapture

test: test-host test-kernels
	@$(EBSEC) kernels > target/kernels.txt || true
	@if grep missing target/kernels.txt > target/skipped.txt; then \
	  echo "all tests passed, but these kernels could not be fetched and were not tested:"; \
	  cat target/skipped.txt; \
	else echo "all tests passed on every kernel:"; cat target/kernels.txt; fi

# Writes what came out as what is expected; look at the difference before committing.
bless: fetch-kernels guest-tools
	EBSEC_BLESS=1 INSTA_UPDATE=always cargo test -q --workspace
	EBSEC_BLESS=1 cargo test -q -p ebsec --test kernel -- --ignored --test-threads 1

clean:
	cargo clean
	rm -rf dist
