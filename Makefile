# Thin on purpose: every target is one command of the project, run from a virtual environment made here.
#
#   make demo    replay recorded Linux KVM traffic on the hardware and leave a waveform to open
#   make test    the test suite                      make lint   style and format
#   make bench   speed and size figures              make soak   the long random runs
#   make clean   remove everything made here
#
# Another interpreter:   make demo PYTHON=python3.12

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
EXTRAS.test  := test
EXTRAS.synth := test,synth

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench soak clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | sed '/^Another/q'

demo: $(VENV)/.test
	$(BIN)/spillway demo

test: $(VENV)/.test
	$(BIN)/pytest

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(VENV)/.synth
	$(BIN)/spillway bench

soak: $(VENV)/.test
	$(BIN)/spillway soak

clean:
	rm -rf $(VENV) build .pytest_cache .ruff_cache .hypothesis *.egg-info
	find hw sim tb fpga tests -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each set of packages; a change of pyproject.toml installs again.
$(VENV)/.test $(VENV)/.synth: $(VENV)/.%: pyproject.toml | $(BIN)/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS.$*)]'
	@$(BIN)/python -m find_libpython | grep -q . || { \
	  echo "cocotb needs Python's shared library; on Debian and Ubuntu: apt-get install libpython3-dev" >&2; exit 2; }
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "spillway needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@for tool in make g++; do command -v $$tool >/dev/null || { \
	  echo "spillway needs $$tool; on Debian and Ubuntu: apt-get install build-essential" >&2; exit 2; }; done
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "no virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 2; }
