# Each target does all its own set-up in .venv, on a machine with nothing but Python and make.
PYTHON ?= python3
BIN := .venv/bin
LATEST := .venv-latest-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
# One worker per core, each of which computes with one thread.
PYTEST := -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal

.PHONY: demo test test-latest test-slow gpu lint docs notebooks clean

demo: .venv/installed
	$(BIN)/python -m bonas demo

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST)

# The newest packages that the dependencies admit, and another Python if there is one:
# make test-latest PYTHON=python3.13
test-latest: $(LATEST)/installed-test
	OMP_NUM_THREADS=1 $(LATEST)/bin/python $(PYTEST)

test-slow: .venv/installed-test
	$(BIN)/python -m pytest -m slow

# On a machine with a GPU; the page is benchmarks/results/gpu.md.
gpu: .venv/installed
	$(BIN)/python benchmarks/gpu.py --minutes 8

# The pages are in build/site; warnings are errors.
docs: .venv/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Writes the outputs of full runs back; BONAS_QUICK=1 shortens them.
notebooks: .venv/installed-test
	$(BIN)/python notebooks/execute.py

lint: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	touch $@

.venv/installed-test: .venv/installed
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[test]"
	touch $@

# It takes what is newest today: remove the folder to take what is newest then.
$(LATEST)/installed-test: pyproject.toml
	$(PYTHON) -m venv $(LATEST)
	$(LATEST)/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager -e ".[test]"
	touch $@

.venv/installed-docs: .venv/installed
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[docs]"
	touch $@

clean:
	rm -rf .venv .venv-latest-* build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
