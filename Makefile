# Everything lives in .venv, which git ignores. Needs Python 3.11 or newer; Debian and Ubuntu get missing system parts.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKSPACE ?=
PORT ?= 8050
# Processes that tests run in: browser tests wait more than they compute.
WORKERS ?= 2

.PHONY: run test test-all check bench demo docs clean help
.DEFAULT_GOAL := help

help:
	@echo "make run     install into .venv and serve the dashboard, with the synthetic study on a first start"
	@echo "make test    install what tests need (the browser too) and run them"
	@echo "make test-all  the same with the longest tests"
	@echo "make check   formatting, lint, types"
	@echo "make demo    a fresh synthetic study in ./demo-workspace, served"
	@echo "make bench   side-by-side measurements against peers, written to benchmarks/RESULTS.md"

$(VENV)/.run: requirements.txt
	@scripts/venv "$(PYTHON)" "$(VENV)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/.browser: scripts/browser
	@scripts/browser
	@touch $@

run: $(VENV)/.run
	$(BIN)/python app.py $(if $(WORKSPACE),--workspace "$(WORKSPACE)") --port $(PORT)

demo: $(VENV)/.run
	rm -rf demo-workspace
	$(BIN)/python -m analysis demo demo-workspace
	$(BIN)/python app.py --workspace demo-workspace --port $(PORT)

test: $(VENV)/.dev $(VENV)/.browser
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile -m "not long" $(ARGS)

test-all: $(VENV)/.dev $(VENV)/.browser
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.dev $(VENV)/.browser
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
