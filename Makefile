# make run: from nothing to a service that ranks creators · make test: everything that CI runs · make help: the rest

PYTHON ?= python3.11
PORT ?= 3000
# Kept equal to requirements.lock by tests/test_habits.py.
TORCH := torch==2.13.0

DATA := data
SIZES ?= 1000 10000 100000 1000000
SAMPLE := $(DATA)/sample
CHAMPION := $(DATA)/champion.json
BIN := .venv/bin
INSTALLED := .venv/.installed

# Threads that wait must not spin (see docs/architecture.md), and nothing calls home or out.
export OMP_WAIT_POLICY := PASSIVE
export HF_HUB_OFFLINE := 1
export BENTOML_DO_NOT_TRACK := True
export MLFLOW_DISABLE_TELEMETRY := true
export CREATORMATCH_HOME := $(DATA)

.PHONY: help run stop test check postgres install-postgres bench bench-serving lock clean
.DELETE_ON_ERROR:

help:
	@echo 'make run    environment, sample marketplace, models, release, and the service on port $(PORT)'
	@echo 'make stop   stops that service'
	@echo 'make test   everything that CI runs'
	@echo 'make check  lint, types and import rules, in seconds'
	@echo 'make bench  the service under crashes, swaps and 10,000 drawn requests, scores on the sample marketplace; with INSTA_BRANDS=DIR also on real brands and creators'
	@echo 'make bench-serving  latency and throughput from a thousand creators to a million, beside a plain service'
	@echo 'make lock   resolves the dependencies anew into requirements.lock'
	@echo 'make clean  removes all that was made, except .venv: also $(DATA)/ with your own releases and event store'

run: $(CHAMPION)
	@$(BIN)/python tools/service.py start $(DATA) $(PORT)

stop:
	@$(PYTHON) tools/service.py stop $(DATA) $(PORT)

test: check postgres
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy features models training serving
	$(BIN)/lint-imports

# The tests start a server of their own from these programs (tests/postgres.py).
postgres:
	@command -v initdb || ls /usr/lib/postgresql/*/bin/initdb || $(MAKE) --no-print-directory install-postgres

install-postgres:
	@test "$$(id -u)" = 0 && command -v apt-get || { echo 'install PostgreSQL, the package postgresql: the tests need its initdb'; exit 1; }
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql

bench: $(SAMPLE)/.done postgres
	$(BIN)/python -m pytest tests/serving/test_crash.py --crashes 50
	$(BIN)/python -m pytest -s tests/end_to_end/test_openapi.py --cases 10000
	$(BIN)/python -m pytest tests/test_fuzz.py --cases 5000
	$(BIN)/python -m pytest tests/end_to_end/test_faults.py --kills 200
	$(BIN)/python -m pytest tests/end_to_end/test_swaps.py --swaps 200
	$(BIN)/python -m pytest -s tests/end_to_end/test_replicas.py --workers 2
	$(BIN)/creatormatch benchmark marketplace --data $(SAMPLE)
ifdef INSTA_BRANDS
	$(BIN)/creatormatch benchmark insta-brands --data '$(INSTA_BRANDS)'
endif

# A million creators take up to 14 GB of memory while their catalogue is built, and 4 GB of disk in build/.
bench-serving: $(CHAMPION)
	$(BIN)/python -m tools.serving_bench.run $(DATA) build/serving $(SIZES)

lock:
	rm -rf build/lock
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install $(TORCH)
	build/lock/bin/pip install '.[dev]'
	build/lock/bin/pip freeze --exclude creatormatch | sed 's/+.*//' > requirements.lock
	rm -rf build

clean: stop
	rm -rf $(DATA) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

# torch comes first: alone it takes what PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL offer, and there a CPU build saves
# gigabytes of GPU packages; the lock then finds it installed.
$(INSTALLED): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install $(TORCH)
	$(BIN)/pip install -r requirements.lock
	$(BIN)/pip install --no-deps -e .
	touch $@

$(SAMPLE)/.done: | $(INSTALLED)
	$(BIN)/creatormatch simulate --out $(SAMPLE) --creators 2000 --briefs 800 --days 180 --seed 7
	touch $@

$(CHAMPION): $(SAMPLE)/.done
	$(BIN)/creatormatch train $(SAMPLE)
	$(BIN)/creatormatch promote
