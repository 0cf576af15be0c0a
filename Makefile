# The two commands of this project are "make demo" and "make test"; both set up what they need.
#
#   make demo        builds the embedded example into out/demo
#   make test        runs the fast tests
#   make test-slow   runs the slow ones
#   make lint        checks style, types and layout
#   make ci          all of these
#   make docs        writes the tables of docs/specs.md anew
#
# PYTHON=python3.12 chooses the interpreter the environment is made with, VENV=DIR its place,
# JOBS=4 the processes of the tests.

PYTHON ?= python3
VENV ?= .venv
OUT ?= out/demo
JOBS ?= 2

PIP = $(VENV)/bin/python -m pip --disable-pip-version-check
C_SOURCES = $(shell find firmware_templates tests -name '*.[ch]')

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint ci clean

help:
	@sed -n '/^#/!q;s/^# \{0,1\}//p' Makefile

$(VENV)/bin/python:
	@echo "== setting up $(VENV) with $(PYTHON)"
	@command -v $(PYTHON) >/dev/null || \
	  { echo "$(PYTHON) is not installed; expected Python 3.11 or newer." >&2; \
	    echo "Hint: apt install python3 python3-venv, or make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is `$(PYTHON) -V 2>&1`; expected Python 3.11 or newer." >&2; \
	    echo "Hint: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make an environment: it has no ensurepip." >&2; \
	    echo "Hint: apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# A stamp is as old as the last installation; a changed pyproject.toml asks for another one.
$(VENV)/installed-all: pyproject.toml | $(VENV)/bin/python
	@echo "== installing rnn-edge[all] into $(VENV) (TensorFlow is large: this takes a few minutes)"
	@$(PIP) install --quiet --editable '.[all]'
	@touch $@

$(VENV)/installed-dev: pyproject.toml | $(VENV)/bin/python
	@echo "== installing rnn-edge[all,dev] into $(VENV)"
	@$(PIP) install --quiet --editable '.[all,dev]'
	@touch $@ $(VENV)/installed-all

.PHONY: compiler
compiler:
	@command -v cc >/dev/null || \
	  { echo "cc is not installed; the generated C is compiled and run on this host." >&2; \
	    echo "Hint: apt install gcc libc6-dev" >&2; exit 1; }

demo: compiler $(VENV)/installed-all
	@echo "== rnn-edge build --out $(OUT): synthetic keywords, trained, quantized, proven"
	@$(VENV)/bin/rnn-edge build --out $(OUT)

test: compiler $(VENV)/installed-dev
	@echo "== fast tests, in $(JOBS) processes"
	@$(VENV)/bin/python -m pytest -q -n $(JOBS) --dist loadfile

test-slow: compiler $(VENV)/installed-dev
	@echo "== slow tests, in $(JOBS) processes"
	@$(VENV)/bin/python -m pytest -q -m slow -n $(JOBS) --dist loadfile \
	  --no-loadscope-reorder --durations=20

lint: $(VENV)/installed-dev
	@echo "== ruff"
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@echo "== mypy"
	@$(VENV)/bin/mypy
	@if command -v clang-format >/dev/null; then \
	  echo "== clang-format"; clang-format --dry-run -Werror $(C_SOURCES); \
	else echo "== clang-format is not installed; the layout of C is not checked"; fi

ci: lint test test-slow demo

clean:
	rm -rf $(VENV) out

.PHONY: docs
docs: $(VENV)/installed-dev
	@echo "== docs/specs.md from the sections of a spec"
	@$(VENV)/bin/python -c 'from pathlib import Path; \
	  from rnn_edge.spec.reference import write_reference; write_reference(Path("docs/specs.md"))'
