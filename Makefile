# The commands of the project. `make help` lists them; all of them set up what they need.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## everything installed into .venv, nothing run

$(STAMP): requirements.lock pyproject.toml hatch_build.py webforms/frontend/package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed (PYTHON=python3.11 make …)")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## the demo county on http://127.0.0.1:8000
	$(BIN)/nuanliu demo $(ARGS)

demo-reset: setup ## the same, afresh
	$(BIN)/nuanliu demo --reset $(ARGS)

check: setup ## format, lint, types, import contracts, publishing gate
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/nuanliu check workflows/bpmn

browser: ## Debian's chromium and Chinese fonts, where this user may install them
	@sh .ci/browser

test: setup browser ## the whole suite
	$(BIN)/python -m pytest -n 2 -m "not slow"
	$(BIN)/python -m pytest -n 2 -m "slow and not huge" --ignore=tests/benchmarks
	$(BIN)/python -m pytest -m "slow and not huge" tests/benchmarks

test-huge: setup browser ## what takes hours rather than minutes, before a release
	$(BIN)/python -m pytest -m huge

bench: setup ## workload W as a table
	$(BIN)/nuanliu bench

screenshots: setup browser ## the pictures of the manuals, afresh
	$(BIN)/python docs/screenshots.py

lock: ## pin the dependencies again (needs uv)
	uv pip compile pyproject.toml --all-extras --group dev --generate-hashes --python-version 3.11 --no-header --no-annotate --output-file requirements.lock

format: setup ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: help setup demo demo-reset check browser test test-huge bench screenshots lock format
