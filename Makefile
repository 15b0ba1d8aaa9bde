# Two commands for a newcomer: `make demo` and `make test`. `make help` lists the rest.
# Needs Python 3.11-3.13 with venv, and make. Everything else comes by hash from the lock files.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check format test-all bench fuzz lock clean

OUT ?= demo-out
TESTS ?= tests
SECONDS ?= 60
HARNESS ?=
PYTEST_ARGS ?=

# The first interpreter that is really there and of a supported version; override with PYTHON=...
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { echo $$name; break; }; done)
# uv, because it installs a lock with hashes for every supported Python; your own when you have one.
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
BIN := .venv/bin

export UV_PYTHON_DOWNLOADS = never
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.runtime ## carry real items through the whole mission; leaves demo-out/ (OUT=folder for another)
	@$(BIN)/certctl demo --out "$(OUT)"

test: .venv/.dev ## the tests (TESTS=path and PYTEST_ARGS="-k name" narrow them)
	@$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS) $(TESTS)

test-all: .venv/.dev ## the tests with the slow ones
	@$(BIN)/python -m pytest $(PYTEST_ARGS) $(TESTS)

check: .venv/.dev ## formatting, lint, types and the direction of imports
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: .venv/.dev ## bring the code into its form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: .venv/.dev ## CPU time of one issuance, stage by stage, with a naive script beside it
	@$(BIN)/python -m benchmarks.bench_issue

fuzz: .venv/.dev .tools/fuzz ## atheris on the readers of what strangers send (SECONDS each, HARNESS="span leaf" for some)
	@PYTHONPATH=.:.tools/fuzz $(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(HARNESS)

# Beside the environment, not in it: what is tested is then what is installed.
.tools/fuzz: requirements-fuzz.lock | .venv/.dev
	@$(UV) pip install --quiet --python $(BIN)/python --target $@ --require-hashes -r requirements-fuzz.lock
	@touch $@

clean: ## take away what make made, your own .venv included
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache demo-out

# The locks name versions and hashes only: no index and no path, so that any mirror serves them.
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links --no-annotate $(LOCK_ARGS)
LOCK_ARGS ?=

lock: $(filter .tools/%,$(UV)) ## renew the locks (LOCK_ARGS=--upgrade for the newest versions)
	$(LOCK) --group build --extra dev pyproject.toml -o requirements-dev.lock
	$(LOCK) --group build --extra service -c requirements-dev.lock pyproject.toml -o requirements.lock
	$(LOCK) --group tools -o requirements-tools.lock
	$(LOCK) --group fuzz -o requirements-fuzz.lock

.tools/bin/uv: requirements-tools.lock
	@test -n "$(PYTHON)" || { echo "certlib needs Python 3.11, 3.12 or 3.13 on PATH (or PYTHON=/path/to/python)" >&2; exit 1; }
	@echo "fetching uv into .tools/ ..."
	@$(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-tools.lock
	@touch $@

.venv/bin/python: | $(filter .tools/%,$(UV))
	@test -n "$(PYTHON)" || { echo "certlib needs Python 3.11, 3.12 or 3.13 on PATH (or PYTHON=/path/to/python)" >&2; exit 1; }
	@$(UV) venv --quiet --python "$(PYTHON)" .venv

# The project itself, built by the locked builder.
BUILD = $(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .

# Installs what is missing and takes nothing away: an environment that has the development packages keeps them.
.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/python
	@echo "installing what requirements.lock names ..."
	@$(UV) pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	@$(BUILD)
	@touch $@

# Exactly what the lock names.
.venv/.dev: requirements-dev.lock pyproject.toml | .venv/bin/python
	@echo "installing what requirements-dev.lock names ..."
	@$(UV) pip sync --quiet --python $(BIN)/python --compile-bytecode --require-hashes requirements-dev.lock
	@$(BUILD)
	@touch $@
