# Every target does its own set-up; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export OMP_WAIT_POLICY ?= PASSIVE
# Where there is no display, render in software.
ifeq ($(DISPLAY)$(WAYLAND_DISPLAY),)
export MUJOCO_GL ?= egl
endif

.PHONY: help demo test test-studio test-ecosystem monkey-studio check docs setup clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## */\1	/p' $(MAKEFILE_LIST) | while IFS='	' read -r target what; do printf '%-16s %s\n' "$$target" "$$what"; done

demo: setup  ## the whole paper, small: table, report, film
	$(BIN)/infant-arm reproduce --preset quick --out runs/quick

PROCESSES ?= 2
test: setup  ## all tests, in two processes: make test PROCESSES=4
	@.ci/display
	$(BIN)/pytest -q -n $(PROCESSES) --dist worksteal

test-studio: setup $(VENV)/studio  ## the studio in a browser without a window
	$(BIN)/pytest -q -m studio tests/studio

test-ecosystem: setup $(VENV)/ecosystem  ## TorchRL, Minari, skrl, tianshou, rl_zoo3; CLEANRL=/path/to/a/checkout: CleanRL too
	$(BIN)/pytest -q -m ecosystem tests/ecosystem

MINUTES ?= 30
RUN ?= runs/quick
monkey-studio: setup $(VENV)/studio  ## clicks at random: make monkey-studio MINUTES=30 RUN=runs/paper
	$(BIN)/python tests/studio/studio_monkey.py --run $(RUN) --minutes $(MINUTES)

check: setup  ## style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: setup $(VENV)/docs  ## the documentation, into docs/_build/html; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going -n -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

setup: $(VENV)/installed  ## virtual environment, pinned packages, OpenGL
	@.ci/opengl $(BIN)/python

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Python 3.11 or newer is needed: make PYTHON=python3.11"'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test,check]'
	touch $@

$(VENV)/studio: $(VENV)/installed
	@.ci/chromium
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test-studio]'
	touch $@

$(VENV)/docs: $(VENV)/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@

$(VENV)/ecosystem: $(VENV)/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[ecosystem]'
	touch $@

clean:  ## everything that was made here, but for data and runs
	rm -rf $(VENV) build docs/_build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
