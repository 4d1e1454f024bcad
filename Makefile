# Every target in one line: make help.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
PROTOS := $(wildcard proto/authz/v1/*.proto)
PY := $(BIN)/python

.PHONY: help setup demo run test check image-check sbom clients fix gen lock bench bench-peers bench-gate bench-edge fuzz baseline clean deploy-tools manifests

help: ## List every target
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(STAMP) ## Install everything into .venv, from the lock alone
$(STAMP): requirements/dev.lock requirements/wire.lock pyproject.toml clients/python/pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e clients/python -e .
	$(PYTHON) -m venv .venv/wire
	.venv/wire/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/wire.lock
	touch $(STAMP)

demo: $(STAMP) ## See it work: a PostgreSQL, the sidecar, Envoy, every call, then stop
	$(PY) examples/demo.py

run: $(STAMP) ## The same, and stay up with calls to paste
	$(PY) examples/run.py

test: $(STAMP) ## Run the whole test suite
	$(PY) -m pytest -n 2 --dist loadgroup

check: $(STAMP) ## Look, change nothing: style, types, layers, proto, generated code, core coverage
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/hadolint deploy/docker/Dockerfile
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	cd proto && ../$(BIN)/buf lint && ../$(BIN)/buf breaking --against baseline.binpb
	cd proto-envoy && ../$(BIN)/buf lint
	$(PY) scripts/gen.py --check
	$(PY) scripts/settings_reference.py --check
	$(PY) scripts/directory_schema.py --check
	$(PY) scripts/routes_schema.py --check
	$(PY) scripts/chart_schema.py --check
	$(PY) clients/conformance/generate.py --check
	$(PY) -m pytest -q -n 2 --dist loadgroup --cov --cov-report=term-missing:skip-covered --cov-fail-under=100 tests/core tests/spec

image-check: $(STAMP) ## Play the Dockerfile's steps and run the result, without a container engine (root is needed)
	$(PY) -m pytest -q tests/deploy/image_replay.py

sbom: $(STAMP) ## Write what the image has, as CycloneDX, into build
	$(PY) scripts/sbom.py

clients: $(STAMP) ## Build and test the client of every language whose tools are there, and play all vectors
	$(PY) clients/conformance/build.py $(addprefix --tested ,$(TESTED))
	$(PY) clients/conformance/run.py

fix: $(STAMP) ## Format, and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

gen: $(STAMP) ## Generate stubs, schemas, vectors of conformance, the reference of settings
	$(PY) scripts/gen.py
	$(PY) scripts/settings_reference.py
	$(PY) scripts/directory_schema.py
	$(PY) scripts/routes_schema.py
	$(PY) scripts/chart_schema.py
	$(PY) clients/conformance/generate.py

baseline: $(STAMP) ## Accept the present proto as what must not be broken
	cd proto && ../$(BIN)/buf build -o baseline.binpb

lock: $(STAMP) ## Renew the locks, with hashes
	$(PY) scripts/lock.py

bench: $(STAMP) ## Measure on one core, into docs/performance.md (h2load of nghttp2-client is needed)
	failed=; for each in capacity latency memory growth telemetry_cost breakdown; do \
		$(PY) bench/$$each.py || failed+=" $$each"; done; \
		[ -z "$$failed" ] || { echo "not as it should be:$$failed" >&2; exit 1; }

bench-peers: $(STAMP) ## Install peers at fixed versions (npm and Go are needed) and compare with them
	bench/peers/install
	$(PY) bench/against_peers.py

bench-gate: $(STAMP) ## Fail when a warm call has more instructions than allowed (valgrind is needed)
	$(PY) bench/gate.py

bench-edge: $(STAMP) ## Measure requests a second through Envoy, and what asking costs
	$(PY) bench/edge.py

deploy-tools: $(STAMP) ## Install what checks the chart into build, at fixed versions (Go is needed; minutes)
	deploy/tools/install

manifests: deploy-tools ## Render deploy/kubernetes from the chart
	$(PY) scripts/render_manifests.py

fuzz: $(STAMP) ## Ask the edge random requests for ten minutes, against its plain reference
	$(PY) -m tests.edge.fuzz --minutes 10 --seed $$RANDOM

clean: ## Remove what make made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
