# The tasks of the project. `make test` is what has to pass before a change lands.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

EBSEC := target/debug/ebsec
GUEST_TARGET := x86_64-unknown-linux-gnu
# Binaries that run anywhere, without the libraries of this machine.
STATIC := -C target-feature=+crt-static

.PHONY: setup build static guest-tools demo fetch-kernels prototypes bench soak soak-scenarios soak-races soak-differential soak-fmt soak-fuzz planted system record-lifelines test test-formats test-host test-kernels test-kernels-and-fuzz bless clean

setup:
	@tools/setup

build: setup
	cargo build --locked --workspace

static: setup
	mkdir -p dist
	RUSTFLAGS="$(STATIC)" cargo build --locked --release --target $(GUEST_TARGET) -p ebsec -p ebsec-load
	cp target/$(GUEST_TARGET)/release/ebsec target/$(GUEST_TARGET)/release/ebsec-load dist/

# The loader and the test programs as guests run them.
guest-tools: setup
	RUSTFLAGS="$(STATIC) -C strip=symbols" cargo build -q --locked --target $(GUEST_TARGET) \
	  -p ebsec-load -p ebsec-guest-tools

# A policy at work in a guest: what it refuses, and what it lets be.
demo: setup
	@echo "building …"
	@cargo build -q --locked -p ebsec
	@$(MAKE) -s guest-tools
	@tools/demo/run

# A kernel that is not available is said, and the others are fetched all the same: tests fail without it below.
fetch-kernels: setup
	cargo build -q --locked -p ebsec
	$(EBSEC) kernels --fetch || true

# What each default kernel's own types say of hooks and of the fields we read.
prototypes: fetch-kernels
	$(EBSEC) kernels --prototypes bpf-templates/prototypes

# What policies cost, against the bars and against AppArmor; `BENCH=--quick` is shorter. See docs/bench.md.
bench: fetch-kernels guest-tools
	@tools/setup bench
	cargo build -q --locked --release -p ebsec
	EBSEC_LOAD=target/$(GUEST_TARGET)/debug/ebsec-load EBSEC_APPARMOR=target/bench/apparmor \
	  target/release/ebsec bench --json target/bench/bench.json $(BENCH)

# What lasts longer: SOAK forks, a million opens and thousands of execs in the scenarios that provoke races, on each kernel; KERNEL is
# one kernel, RACES one scenario. Half an hour for each.
SOAK ?= 50000
RACES ?= stress stress-parallel storm
soak: soak-differential soak-fmt soak-fuzz planted soak-scenarios soak-races

# Every scenario on every kernel, those too that `make test` runs on some kernels only.
soak-scenarios: fetch-kernels guest-tools
	EBSEC_EVERYWHERE=1 cargo test -q --locked -p ebsec --test kernel -- --ignored --nocapture

soak-races: fetch-kernels guest-tools
	for name in $(RACES); do \
	  folder=tests/kernel/scenarios/$$name; \
	  $(EBSEC) build $$(realpath $$folder/policy.ebsec) -o target/$$name.bpf.o; \
	  for kernel in $(or $(KERNEL),6.1 6.12 6.18 7); do \
	    $(EBSEC) guest --kernel $$kernel $$(cat $$folder/options) --timeout 14400 \
	      --file target/$$name.bpf.o:/scenario/policy.bpf.o \
	      --file $$folder/guest.sh:/scenario/guest.sh \
	      --file target/$(GUEST_TARGET)/debug/ebsec-guest-tools:/bin/guest-tools \
	      --file target/$(GUEST_TARGET)/debug/ebsec-load:/bin/ebsec-load \
	      -- 'export SOAK=$(SOAK) FORKERS=16; . /scenario/guest.sh' | tee target/soak.$$name.$$kernel; \
	    diff $$folder/expected <(head -n -2 target/soak.$$name.$$kernel); \
	  done; \
	done

# A whole Debian 13 at work, without a policy and with several; an hour for each kernel. SERIES are kernels, MODES and STEPS some of
# tests/system's.
system: fetch-kernels guest-tools
	@tools/setup system
	@tests/system/run $(SERIES)

# Records std/lifelines.tsv anew: a boot, logins and packages in a whole Debian 13, on KERNEL. Half an hour.
record-lifelines: fetch-kernels guest-tools
	@tools/setup system
	cargo build -q --locked -p ebsec-distil
	@tests/system/record $(KERNEL)

# What needs no kernel.
test-host: setup
	cargo fmt --all --check
	cargo clippy -q --locked --workspace --all-targets -- -D warnings
	cargo test -q --locked --workspace

# Has every format validated by others than us, and the files for CI systems run as their hosts do; fetches from npm and PyPI.
test-formats: static
	@tools/setup formats
	cargo build -q --locked -p ebsec
	@tests/formats/run

# Every scenario on every kernel, after what the kernels' own types say. A kernel that is not available fails, unless
# EBSEC_SKIP_KERNELS names its series (`make test EBSEC_SKIP_KERNELS=6.18,7`).
export EBSEC_SKIP_KERNELS
test-kernels: fetch-kernels guest-tools
	cargo test -q --locked -p ebsec --bin ebsec -- --ignored --nocapture
	cargo test -q --locked -p ebsec --test kernel -- --ignored --nocapture
	cargo test -q --locked -p ebsec --test sample -- --ignored --nocapture

# Guests wait now and then; a minute of each fuzz target uses what they leave.
test-kernels-and-fuzz:
	EBSEC_FUZZ_SECONDS=60 nice -n 19 cargo test -q --locked -p ebsec-compiler --test fuzz -- --nocapture >target/fuzz.txt 2>&1 & fuzz=$$!; \
	  status=0; $(MAKE) test-kernels || status=$$?; wait $$fuzz || status=$$?; cat target/fuzz.txt; exit $$status

# Fetching kernels waits for the network most of the time, so the host's tests are built meanwhile.
test: setup
	cargo build -q --locked -p ebsec
	$(EBSEC) kernels --fetch >target/fetch.txt 2>&1 & \
	  status=0; $(MAKE) test-host || status=$$?; wait; exit $$status
	$(MAKE) test-kernels-and-fuzz
	@$(EBSEC) kernels > target/kernels.txt || true
	@if grep missing target/kernels.txt > target/skipped.txt; then \
	  echo "all tests passed, without these kernels, which EBSEC_SKIP_KERNELS allows to skip:"; \
	  cat target/skipped.txt; \
	else echo "all tests passed on every kernel:"; cat target/kernels.txt; fi

# 100,000 random policies and operations, judged by the interpreter and by the emitted programs; 256 on each kernel.
soak-differential: fetch-kernels guest-tools
	cargo run -q --locked --release -p ebsec-compiler --example differential -- 100000
	EBSEC_SAMPLE=16 cargo test -q --locked -p ebsec --test sample -- --ignored --nocapture

# 100,000 untidy policies through the formatter.
soak-fmt: setup
	cargo test -q --locked --release -p ebsec-compiler --test fmt -- --ignored

# An hour of each parser; `make test` tries a minute of each. FUZZ is how many seconds.
FUZZ ?= 3600
soak-fuzz: setup
	EBSEC_FUZZ_SECONDS=$(FUZZ) cargo test -q --locked -p ebsec-compiler --test fuzz -- --nocapture

# Faults in the making of classes, tables and code, one at a time: the differential test has to find each.
planted: setup
	tools/planted

# Writes what came out as what is expected; look at the difference before committing.
bless: fetch-kernels guest-tools
	EBSEC_BLESS=1 cargo test -q --locked --workspace
	EBSEC_BLESS=1 cargo test -q --locked -p ebsec --test kernel -- --ignored --test-threads 1

clean:
	cargo clean
	rm -rf dist
