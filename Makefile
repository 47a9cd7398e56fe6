# make demo    install, run the smoke experiment, end with the path of its report
# make test    install, check, and pass all tests
# make check   the fast part of it, for the edit loop

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# The build of torch, and the torchvision that belongs to it. As it stands pip takes the default build of your platform
# (CUDA on Linux). For another build add its index, from pytorch.org, to this one line:
# TORCH = torch==2.13.0 torchvision==0.28.0 --index-url ADDRESS
TORCH = torch==2.13.0 torchvision==0.28.0

# The pip that comes with a Python may be years old: 23.2 takes three times as long to look through the same packages.
PIP = 'pip>=26,<27'
INSTALL = $(BIN)/python -m pip install --quiet --no-compile -c constraints.txt
# pip compiles one file after the other, half of its time. Some files are for other Pythons, and fail: no harm.
COMPILE = $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true

CORES ?= all
PYTEST = $(BIN)/python -m pytest -q
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: demo test check lint unit workflow-tests benchmark gpu-check faults dry-runs system-packages constraints clean

demo: $(VENV)/.base
	snakemake --cores $(CORES)
	@echo
	@echo "The report: $(abspath results/smoke/report.html)"

test: check workflow-tests

check: lint unit

lint: $(VENV)/.dev
	ruff check .
	ruff format --check .
	mypy
	snakefmt --check -l 120 Snakefile workflow
	snakemake --lint

unit: $(VENV)/.dev
	$(PYTEST) -n 2 --dist loadfile -m "not slow and not workflow"

# A third worker, for jobs that wait for Slurm leave a core idle.
workflow-tests: $(VENV)/.dev
	BORDERLAB_CHECK_SHAPES=0 $(PYTEST) -n 3 --dist loadfile --no-loadscope-reorder -m "slow or workflow"

# What the tests of `--profile slurm`, of ssh remotes and of the report's page need on Debian or Ubuntu, as root;
# without them those tests are skipped.
system-packages:
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge openssh-server
	-apt-get install -y -qq --no-install-recommends chromium

# Side-by-side measurements; each writes ratios to the JSON file, none runs in `make test`.
benchmark: $(VENV)/.dev
	mkdir -p benchmarks
	BORDERLAB_CHECK_SHAPES=0 $(PYTEST) --benchmark-enable --benchmark-only --benchmark-json=benchmarks/pytest.json tests/benchmarks

# All that needs a GPU, within ten minutes, results in OUT (docs/gpu.md). It installs nothing, so that it also runs where
# there is no network: name the interpreter that has the packages, as in make gpu-check GPU_PYTHON=python3.
OUT ?= benchmarks/gpu
GPU_PYTHON ?= $(BIN)/python
MINUTES ?= 9.5
gpu-check:
	$(GPU_PYTHON) -m tests.gpu "$(OUT)" --minutes $(MINUTES)

# Every fault of docs/faults.md for real: half an hour; as root with `make system-packages` none is left out.
faults: $(VENV)/.dev
	$(BIN)/python -m tests.workflow.faults

dry-runs: $(VENV)/.base
	snakemake -n --quiet rules --configfile config/camvid.yaml
	snakemake -n --quiet rules --configfile config/propagation.yaml
	snakemake -n --quiet rules --configfile config/paper.yaml

$(VENV)/.base: pyproject.toml constraints.txt
	@echo 'Installing into $(VENV): some minutes; 1.3 GB on disk with torch for CPUs, several with torch for CUDA.'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(PIP)
	$(INSTALL) $(TORCH)
	$(INSTALL) -e .
	@$(COMPILE)
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(INSTALL) -e '.[dev]'
	@$(COMPILE)
	@touch $@

constraints:
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/^torch==.*/torch==2.13.0/' > constraints.new
	(sed -n '/^#/p' constraints.txt; cat constraints.new) > constraints.part
	rm constraints.new
	mv constraints.part constraints.txt

clean:
	rm -rf artifacts data logs benchmarks .snakemake
