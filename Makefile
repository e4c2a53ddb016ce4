# `make demo` and `make test` do all their own set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export OMP_WAIT_POLICY ?= PASSIVE
# Where there is no display, render in software.
ifeq ($(DISPLAY)$(WAYLAND_DISPLAY),)
export MUJOCO_GL ?= egl
endif

.PHONY: demo test test-studio test-ecosystem monkey-studio check setup clean

demo: setup  ## the whole paper, small: table, report, film
	$(BIN)/infant-arm reproduce --preset quick --out runs/quick

PROCESSES ?= 2
test: setup  ## all tests, in two processes: make test PROCESSES=4
	@.ci/display
	$(BIN)/pytest -q -n $(PROCESSES)

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

$(VENV)/ecosystem: $(VENV)/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[ecosystem]'
	touch $@

clean:  ## everything that was made here, but for data and runs
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
