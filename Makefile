# finml: `make help` lists what you can do.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
# Two workers keep two cores busy; more only fight over them.
TEST_WORKERS ?= 2
READY := $(VENV)/.ready
SHIPPED := finml components pipelines feature_repo bentos loadtests

.PHONY: help setup run test unit lint serve bench audit lock clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

$(READY): requirements.lock pyproject.toml
	@echo "==> installing finml and its locked dependencies into $(VENV) (about 3 GB with torch for CPUs, some minutes the first time)"
	@command -v $(PYTHON) >/dev/null || { echo "finml needs Python 3.11; set PYTHON=/path/to/python3.11"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "finml needs Python 3.11; set PYTHON=/path/to/python3.11 and remove $(VENV)"; exit 2; }
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25'
	@$(BIN)/python -m pip install --progress-bar on --quiet -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

setup: $(READY) ## install everything into .venv
	@echo "==> ready. Next: make run"

run: $(READY) ## the main job: a synthetic bank, features, trained and approved models, a Bento, an answer of each
	@$(BIN)/finml quickstart

test: $(READY) ## all tests, with coverage; real servers and containers where they are installed
	@echo "==> running the tests (servers and containers that are not installed are skipped, with the reason)"
	@# workers with as many threads as cores each would fight over them
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadgroup --cov --cov-report=term:skip-covered
	@echo "==> tests passed. Next: make lint, or make run"

unit: $(READY) ## the fast tests only: seconds
	@$(BIN)/python -m pytest -q -m 'not slow and not server and not oci and not realdata'

lint: $(READY) ## ruff, mypy --strict, bandit, and the one-way arrows
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@# of a line of several strings bandit says that one gave no cause; that is no finding
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(SHIPPED) 2> >(grep -v 'nosec encountered' >&2)

# Says so and fails where the advisory service cannot be reached; UNREACHABLE=--allow-unreachable only says so.
audit: $(READY) ## known vulnerabilities of everything in the locks
	@$(BIN)/python .ci/advisories.py $(UNREACHABLE)

serve: $(READY) ## serve the last packaged Bento on http://127.0.0.1:3000
	@$(BIN)/finml serve

bench: $(READY) ## load-test the newest Bento by the scenario `steady`
	@$(BIN)/finml loadtest steady

lock: $(READY) ## resolve requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile --quiet pyproject.toml --extra dev --python-version 3.11 --no-annotate --no-header --no-emit-package finml --output-file requirements.lock
	@sed -i -E '/^nvidia-(nccl-cu12|ml-py)=/b; /^(cuda-|nvidia-|triton=)/d' requirements.lock  # what torch for GPUs wants; pip adds it where that is the torch it takes
	@$(BIN)/uv pip compile --quiet bentos/requirements.in --constraint requirements.lock --python-version 3.11 --no-annotate --no-header --output-file bentos/requirements.lock

clean: ## remove caches; state in .finml/ and .venv/ stay
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis htmlcov .coverage .coverage.*
