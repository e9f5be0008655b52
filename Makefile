# `make demo` and `make test` set up everything they need; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
MELTANO_VENV := .venv-meltano
BIN := $(VENV)/bin
# Two workers: the least that any machine of ours has.
WORKERS ?= 2

.PHONY: help demo test test-long lint audit format bench consistency screens reference docs clean

help: ## Say what there is
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*##/\t/' | expand -t 14

demo: $(VENV)/.sandbox $(MELTANO_VENV)/.installed ## Load a sandboxed company into a sandboxed Pigment, three times
	$(BIN)/python -m tools.demo --meltano $(MELTANO_VENV)/bin/meltano

test: $(VENV)/.dev ## Run the tests
	cd packages/target-pigment && ../../$(BIN)/pytest -n $(WORKERS)
	$(BIN)/pytest -n $(WORKERS) -m "not long"

test-long: $(VENV)/.dev $(MELTANO_VENV)/.installed ## Run the long campaigns
	MELTANO=$(CURDIR)/$(MELTANO_VENV)/bin/meltano $(BIN)/pytest -n $(WORKERS) -m long

lint: $(VENV)/.dev ## Check style, types, walls and dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --strict tests tools benchmarks examples
	cd packages/target-pigment && ../../$(BIN)/mypy .
	cd packages/intacct-sandbox && ../../$(BIN)/mypy --strict intacct_sandbox
	$(BIN)/lint-imports
	$(BIN)/deptry .
	cd packages/target-pigment && ../../$(BIN)/deptry .
	cd packages/intacct-sandbox && ../../$(BIN)/deptry .

audit: $(VENV)/.dev ## Look for known vulnerabilities, where an index tells of them
	$(BIN)/python -m tools.audit_dependencies

# To renew docs/performance.md: make bench BENCH='--full --write'
bench: $(VENV)/.dev ## Measure how fast the tap and the target load
	$(BIN)/python -m benchmarks $(BENCH)
	$(BIN)/python packages/target-pigment/benchmarks/load.py

reference: $(VENV)/.dev ## Make the pages of docs/reference
	$(BIN)/python -m tools.make_reference

docs: reference ## Build the documentation into site/
	$(BIN)/mkdocs build --strict

consistency: $(VENV)/.dev ## Measure what is lost under churn, into docs/consistency.md
	$(BIN)/python tools/measure_consistency.py --write docs/consistency.md

screens: $(VENV)/.dev ## Record the screens of the documentation
	$(BIN)/python -m tools.record_screens docs/screens

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove what the targets above made
	rm -rf $(VENV) $(MELTANO_VENV) .meltano output/* site .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed.")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.sandbox: pyproject.toml packages/intacct-sandbox/pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable . --editable packages/intacct-sandbox
	touch $@

$(VENV)/.dev: pyproject.toml packages/*/pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]' --editable packages/intacct-sandbox \
	  --editable packages/target-pigment
	touch $@ $(VENV)/.sandbox

# Meltano pins libraries that the tap does not, so it has an environment of its own.
# meltano.yml is no reason to install again: it also holds your choices, and Meltano itself
# installs what it is told there anew.
$(MELTANO_VENV)/.installed: pyproject.toml packages/*/pyproject.toml
	@echo "Installing Meltano and its plugins, which takes some minutes ..."
	test -x $(MELTANO_VENV)/bin/python || $(PYTHON) -m venv $(MELTANO_VENV)
	$(MELTANO_VENV)/bin/python -m pip install --quiet 'meltano>=4,<5'
	$(MELTANO_VENV)/bin/meltano --log-level=warning install
	touch $@
