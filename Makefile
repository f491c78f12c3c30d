# make demo: install and show.  make studio: install and open the page.  make test: install and test.  Everything happens in .venv/.
PYTHON ?= python3
BIN := .venv/bin

# Every test on one of as many processes as there are cores; a process that has nothing left takes over from another.
PYTEST := $(BIN)/python -m pytest -q -n auto --dist worksteal

.PHONY: setup demo studio test test-all wheel lint types clean
.DELETE_ON_ERROR:

setup: .venv/.done

# One pip command for all, so that the bound on torch holds for whatever else needs it.
.venv/.done: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: name it with make PYTHON=..." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,studio]' 'torch>=2.11,<2.14'
	@touch $@

demo: setup
	$(BIN)/masque demo --folder demo

studio: setup
	$(BIN)/masque studio

test: setup
	$(PYTEST)

test-all: setup
	$(PYTEST) -m ''

# Built, installed into an empty environment and used there, far from the sources: what the package lacks is missed then.
wheel: setup
	rm -rf build
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir build/wheel .
	$(PYTHON) -m venv build/empty
	build/empty/bin/python -m pip install --quiet --disable-pip-version-check build/wheel/*.whl
	mkdir build/elsewhere
	cd build/elsewhere && env -u PYTHONPATH ../../.ci/use ../empty/bin
	build/empty/bin/python -m pip install --quiet --disable-pip-version-check "$$(echo build/wheel/*.whl)[studio]" 'torch>=2.11,<2.14'
	cd build/elsewhere && env -u PYTHONPATH ../../.ci/serve ../empty/bin

lint: setup
	$(BIN)/ruff check src tests

types: setup
	$(BIN)/mypy

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache
