# The tasks of the project. `make test` is what has to pass before a change lands.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

EBSEC := target/debug/ebsec

.PHONY: setup build static fetch-kernels prototypes test bless clean

setup:
	@tools/setup

build: setup
	cargo build --workspace

# Binaries that run on any host with a kernel new enough.
static: setup
	mkdir -p dist
	RUSTFLAGS="-C target-feature=+crt-static" cargo build --release \
	  --target x86_64-unknown-linux-gnu -p ebsec -p ebsec-load
	cp target/x86_64-unknown-linux-gnu/release/ebsec \
	  target/x86_64-unknown-linux-gnu/release/ebsec-load dist/

# A kernel that cannot be had is told, and the others are fetched all the same.
fetch-kernels: setup
	cargo build -q -p ebsec
	$(EBSEC) kernels --fetch

# What each default kernel's own types say of hooks and of the fields we read.
prototypes: fetch-kernels
	$(EBSEC) kernels --prototypes bpf-templates/prototypes

clean:
	cargo clean
	rm -rf dist
