# make run and make test need nothing but Python 3.11 or newer: each sets up .venv for itself.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test cluster examples docs check audit bench search-bench sampler-bench faults faults-release wheel clean

run: .venv/installed  ## the main job: a sweep over 32,257 real names, one to four minutes
	$(BIN)/sweep run studies/quick.toml

test: .venv/installed-for-tests  ## all tests, the import contracts among them
	$(BIN)/pytest --numprocesses auto --dist worksteal

cluster: .venv/installed-for-tests  ## the heavy tests of PostgreSQL and Ray; as root each driver has a network of its own
	$(BIN)/pytest -o addopts="--strict-markers --import-mode=importlib" tests/cluster
	$(BIN)/python tests/benchmarks/bench_cluster.py
	$(BIN)/python tests/benchmarks/simulate_cluster.py

examples: .venv/installed-for-examples  ## the studies of studies/examples with their libraries, some minutes
	$(BIN)/python tests/examples/fetch.py
	$(BIN)/pytest -o addopts="-rs --strict-markers --import-mode=importlib" tests/examples

docs: .venv/installed-for-tests  ## the documentation as a site, site/index.html; a dead link is an error
	COLUMNS=80 $(BIN)/python docs/reference/generate.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --site-dir site

check: .venv/installed-for-tests  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) audit

audit: .venv/installed-for-audit  ## known vulnerabilities of the tested versions, where the index knows any
	$(BIN)/python tests/faults/audit.py

bench: .venv/installed-for-tests  ## every published figure of speed, about ten minutes
	$(BIN)/python tests/benchmarks/bench_training.py
	$(BIN)/python tests/benchmarks/bench_driver.py --sampler random
	$(BIN)/python tests/benchmarks/bench_driver.py --sampler tpe
	$(BIN)/python tests/benchmarks/bench_sweep.py
	$(BIN)/python tests/benchmarks/bench_trainers.py
	$(BIN)/python tests/benchmarks/bench_scaling.py
	$(BIN)/python tests/benchmarks/check_equivalence.py

search-bench: .venv/installed-for-tests  ## searches compared on a trained grid; tables in docs/search.md
	$(BIN)/python tests/benchmarks/tabular/compare.py --chart docs/search-comparison.svg
	$(BIN)/python tests/benchmarks/tabular/quick_model.py

sampler-bench: .venv/installed-for-sampler-bench  ## samplers and peers on many tasks, some hours; docs/samplers.md
	$(BIN)/python tests/benchmarks/samplers/compare.py --figure docs/sampler-comparison.svg
	$(BIN)/python tests/benchmarks/samplers/two_objectives.py

faults: .venv/installed-for-tests  ## kills, full disks, damage and odd input, about twenty minutes
	$(BIN)/python tests/faults/campaign.py --size campaign --minutes 45

faults-release: .venv/installed-for-tests  ## the same five times over, some hours
	$(BIN)/python tests/faults/campaign.py --size release --minutes 240

wheel: .venv/installed-for-tests  ## dist/honest_sweep-*.whl
	$(BIN)/python -m build --wheel --outdir dist .

clean:  ## what was installed and built; studies and reports stay
	rm -rf .venv dist site

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) --upgrade "pip>=25.1"
	$(PIP) -c constraints.txt -e .
	touch $@

.venv/installed-for-examples: .venv/installed-for-tests
	$(PIP) -c constraints.txt --group examples
	touch $@

.venv/installed-for-sampler-bench: .venv/installed-for-tests
	$(PIP) -c constraints.txt --group sampler-bench
	touch $@

.venv/installed-for-audit: .venv/installed-for-tests
	$(PIP) -c constraints.txt --group audit || echo "pip-audit cannot be installed here"
	touch $@

.venv/installed-for-tests: .venv/installed
	$(PIP) -c constraints.txt --group test --group check
	touch $@
