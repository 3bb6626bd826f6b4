# Two commands for a newcomer: make quickstart, make test. Each creates .venv and installs what it needs.
PYTHON ?= python3
# TORCH=cpu installs PyTorch's CPU build on Linux, where the default is the CUDA build.
TORCH ?= default

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ifeq ($(TORCH),cpu)
INSTALL := $(PIP) uv && $(BIN)/uv pip install --quiet --python $(BIN)/python --torch-backend cpu -c constraints.txt -e
else
INSTALL := $(PIP) -c constraints.txt -e
endif

.PHONY: quickstart test check format clean

quickstart: .venv/embed  ## train a generative judge on generated stories, compare new ones, show the result
	$(BIN)/judgekit quickstart --out runs/quickstart

test: .venv/dev .venv/trainers  ## everything that CI runs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

check: .venv/dev  ## the fast part of it: lint and types
	$(BIN)/ruff check .
	$(BIN)/mypy

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "judgekit needs Python 3.11 or newer; say which: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	touch $@

.venv/embed: .venv/python pyproject.toml constraints.txt
	$(INSTALL) '.[embed,train]'
	touch $@

.venv/dev: .venv/python pyproject.toml constraints.txt
	$(INSTALL) '.[all,oracles,dev]'
	touch $@ .venv/embed

# Trainers whose own code the tests of the integrations run. They need other versions of what we use, so that they lie
# where nothing else imports from, without what they require.
.venv/trainers: .venv/dev tests/integrations/own/trainers.txt
	rm -rf $@
	$(PIP) --no-deps --target $@ -r tests/integrations/own/trainers.txt
	touch $@

clean:
	rm -rf .venv runs dist .pytest_cache .mypy_cache .ruff_cache
