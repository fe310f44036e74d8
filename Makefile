# Thin on purpose: every target is one command of the project, run from a virtual environment made here.
#
#   make demo    more active interrupts than list registers, under old hypervisors and new, on the hardware
#   make test    the test suite, 25 minutes          make lint   style and format
#   make install   the virtual environment, .venv, and nothing else
#   make quick   scenarios and the models, a minute or two: the check while you work
#   make fuzz    its random tests, on examples nobody has seen yet
#   make prove   all formal proofs, and that each can fail
#   make coverage-rtl   line and toggle coverage of the gateware, the tables of docs/coverage-rtl.md
#   make mutation-rtl   faults in the gateware, which the checks have to notice; an hour
#   make bench   speed and size figures              make soak   the long random runs
#   make scenarios   every scenario under every profile on the gateware (Verilator), each result golden's
#   make screenshots   the pictures of the documentation, of the real programs
#   make bench-scenarios   every scenario on the bench: BENCHES="bench-compiled bench-verilator bench-uart"; half an hour
#   make mutation-python   a sample of mutants of the golden and KVM models, against the fast tests; half an hour
#   make coverage   the tables of docs/coverage.md; coverage-python: lines and branches of Python, functional coverage
#   make bitstreams   the boards' bitstreams, and that they meet their clocks: BOARDS="ulx3s-85f icebreaker"
#   make numbers   size and frequency of 2 to 16 list registers on ECP5 and iCE40, the table of docs/fpga.md
#   make transports   operations and exits a second of the bench on each transport, the tables of README and docs/fpga.md
#   make netlist   what is synthesised, against the golden model and under scenarios, on Verilator
#   make explore  every state of the small machines, on golden; their faults again on the gateware; 10 minutes
#   make docs    the documentation, as HTML in build/docs
#   make clean   remove everything made here
#
# Another interpreter:   make demo PYTHON=python3.12

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test quick fuzz lint bench prove scenarios bench-scenarios soak explore docs screenshots clean
.PHONY: mutation-python coverage coverage-python
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | sed '/^Another/q'

install: $(READY)

demo: $(READY)
	$(BIN)/spillway demo

# A core each: files stay whole, so that what a file builds once is built once.
test: $(READY)
	$(BIN)/pytest --numprocesses auto --dist loadfile

quick: $(READY)
	$(BIN)/spillway run sim/scenarios
	$(BIN)/pytest --quiet --numprocesses auto --dist loadfile tests/sim/scenario tests/sim/kvm tests/sim/guest \
	  tests/sim/test_directed.py

# A failure prints what repeats it.
fuzz: $(READY)
	$(BIN)/pytest --numprocesses auto --dist loadfile --hypothesis-profile fresh \
	  $$(grep -rlE "^(from|import) hypothesis" tests --include="test_*.py")

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(READY)
	$(BIN)/python -m sim.bench_golden
	$(BIN)/python -m sim.bench.speed
	$(BIN)/python -m tb.throughput
	$(BIN)/spillway synth --lrs 4
	$(BIN)/spillway synth --lrs 16

prove: $(READY)
	$(BIN)/spillway prove
	$(BIN)/spillway prove --seeded

.PHONY: mutation-rtl coverage coverage-rtl

# MUTANTS faults, drawn by RTL_SEED.
MUTANTS  ?= 1200
RTL_SEED ?= 2
mutation-rtl: $(READY)
	$(BIN)/spillway mutate --count $(MUTANTS) --seed $(RTL_SEED) --table docs/mutation-rtl.md

coverage: coverage-rtl
coverage-rtl: $(READY)
	$(BIN)/python -m tb.coverage_rtl_page docs/coverage-rtl.md

scenarios: $(READY)
	$(BIN)/python -m tb.bench_scenarios verilator

bench-scenarios: $(READY)
	$(BIN)/python -m tb.bench_scenarios $(BENCHES)

BOARDS ?= ulx3s-85f icebreaker
NETLIST ?= $(foreach name,A03 A08 A28,sim/scenarios/$(name).scenario)
.PHONY: bitstreams netlist numbers transports

# A quarter of an hour. A clock that is not met is an error; so this is also the check of the boards' timing.
bitstreams: $(READY)
	$(BIN)/python -m fpga.bitstreams --page README.md --page docs/fpga.md $(BOARDS)

# Size and frequency of the core alone; half an hour.
numbers: $(READY)
	$(BIN)/python -m fpga.numbers README.md docs/fpga.md

# On an idle machine.
transports: $(READY)
	$(BIN)/python -m tb.transports README.md docs/fpga.md

netlist: $(READY)
	$(BIN)/spillway fpga netlist --lrs 2 --operations 2000 --profile 7.3 $(NETLIST)

soak: $(READY)
	$(BIN)/spillway soak
	$(BIN)/spillway soak --gic v2 --operations 250000
	$(BIN)/spillway soak --gic system --operations 250000
	$(BIN)/spillway refine --latency 0 --latency 1 --latency 4 --latency 8
	$(BIN)/spillway lint --cover pairs
	$(BIN)/spillway lint --cover all --elaborate-only
	$(BIN)/spillway lint --gic v2 --cover pairs

explore: $(READY)
	$(BIN)/spillway explore --out build/explored --engine verilator
	$(BIN)/spillway explore --profile fixed

# SAMPLE mutants of each model, chosen by SEED.
SAMPLE ?= 400
SEED   ?= 11
mutation-python: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,mutation]'
	$(BIN)/python -m tests.mutation --sample $(SAMPLE) --seed $(SEED) --page docs/mutation.md

coverage: coverage-python

# A quick selection; COVERAGE_TESTS=tests for all of them, which takes an hour.
COVERAGE_TESTS ?= tests/sim/kvm tests/sim/machine tests/sim/guest tests/sim/test_directed.py tests/sim/test_peers.py \
                  tests/sim/test_directed_v2.py tests/sim/test_golden_completion.py tests/sim/test_golden_interrupts.py \
                  tests/sim/test_golden_registers.py tests/sim/test_golden_traps.py tests/hw/test_registers.py \
                  tests/hw/test_registers_v2.py tests/hw/test_registers_dist.py tests/hw/test_config.py
coverage-python: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,coverage]'
	rm -rf build/coverage && mkdir -p build/coverage
	$(BIN)/coverage run -m pytest --quiet --numprocesses auto --dist loadfile $(COVERAGE_TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage json --quiet -o build/coverage/python.json
	$(BIN)/python -m tests.coverage_page lines build/coverage/python.json
	$(BIN)/python -m tests.coverage_page functional

docs: $(READY)
	$(BIN)/python docs/build.py

screenshots: $(READY)
	$(BIN)/python -m tb.screenshots

clean:
	rm -rf $(VENV) build mutants .pytest_cache .ruff_cache .hypothesis *.egg-info
	find hw sim tb fpga tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A change of pyproject.toml installs again.
$(READY): pyproject.toml | $(BIN)/pip
	@echo "installing what pyproject.toml asks for into $(VENV); the first time this takes minutes, and 1 GB"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@$(BIN)/python -m find_libpython | grep -q . || { \
	  echo "cocotb needs Python's shared library; on Debian and Ubuntu: apt-get install libpython3-dev" >&2; exit 2; }
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "spillway needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@g++ --version >/dev/null && perl -MPod::Usage -MFindBin -e 1 || { \
	  echo "spillway needs g++ and perl; on Debian and Ubuntu: apt-get install build-essential" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "no virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 2; }
