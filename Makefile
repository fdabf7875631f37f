# Both targets do all their own set-up in .venv, on a machine with nothing but Python and make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-slow lint docs notebooks clean

demo: .venv/installed
	$(BIN)/python -m bonas demo

test: lint
	$(BIN)/python -m pytest

test-slow: .venv/installed-test
	$(BIN)/python -m pytest -m slow

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

.venv/installed-docs: .venv/installed
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[docs]"
	touch $@

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
