# Everything a newcomer needs: `make demo` and `make test`. Both install what is missing, in .venv and (tests) from apt.
PYTHON ?= python3
ROWS   ?= 10000000
PORT   ?= 5006
MINUTES ?= 10
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test test-big test-cluster test-faults test-datashader fuzz lint bench bench-billion bundle vendor docs picture gallery image clean

demo: $(VENV)/.demo
	$(BIN)/bigviz demo --rows $(ROWS) --port $(PORT)

test: $(VENV)/.test bundle
	$(MAKE) --no-print-directory lint
	PATH="$(CURDIR)/$(BIN):$$PATH" npm test --silent
	@# One more than the cores of a small machine: a fifth of the time tests wait for processes, pages and disks.
	$(BIN)/pytest -n 3 --dist worksteal

test-big: $(VENV)/.test
	$(BIN)/pytest -m big

# The published rules, checked from outside, on one process, on workers that it starts, and on those of a Dask cluster.
test-cluster: $(VENV)/.test
	$(BIN)/pytest tests/test_conformance.py -m 'big or not big'

# Workers and schedulers of a cluster that are killed, stopped and started while somebody looks, ten times each.
test-faults: $(VENV)/.test
	$(BIN)/pytest tests/tiles/cluster/test_faults.py -m 'big or not big'

# datashader's own tests of Canvas, as they are installed with it, against bigviz's, in two runs at once: nearly all of
# the time is numba's, which compiles datashader's kernels for each test of what is passed on.
test-datashader: $(VENV)/.test
	printf '%s\n' 0/2 1/2 | xargs -P 2 -I{} env SHARE={} PYTHONPATH=tools $(BIN)/pytest -p datashader_tests \
	    -o addopts= -o filterwarnings= --import-mode=importlib -q \
	    --pyargs datashader.tests.test_pandas datashader.tests.test_xarray

# The property tests with fresh seeds for MINUTES; what fails is to be added to its test with @example.
fuzz: $(VENV)/.test
	$(BIN)/python tools/fuzz.py --minutes $(MINUTES)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/mypy
	PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent check
	PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent lint

# Peers get virtual environments of their own under bench/cache, or under $BIGVIZ_BENCH_CACHE: some GB at 10^8 rows.
bench: $(VENV)/.test bundle
	$(BIN)/python -m bench --rows 1e7,1e8

# 50 GB of disk; half of the time goes to the peers (`python -m bench --rows 1e9 --alone` leaves them out).
bench-billion: $(VENV)/.test bundle
	$(BIN)/python -m bench --rows 1e9

# The page's modules as one script, as a wheel has them; the server ignores it once a module has changed.
bundle: $(VENV)/.test
	PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent bundle

# The third-party browser modules are committed; this makes them again from package-lock.json.
vendor: $(VENV)/.test
	PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent vendor
	git diff --exit-code bigviz/static/vendor

# docs/api.md is made from the docstrings of the public names.
docs: $(VENV)/.demo
	$(BIN)/python tools/api_docs.py docs/api.md

# docs/demo.png is what `make demo` shows, ten million points; docs/live.png is `bigviz demo --live`.
picture: $(VENV)/.test
	$(BIN)/python tools/demo_picture.py docs/demo.png
	$(BIN)/python tools/live_picture.py docs/live.png

# The dashboards of examples/, as docs/gallery.md shows them.
gallery: $(VENV)/.test
	$(BIN)/python tools/gallery_pictures.py docs/gallery

# Without Docker the Dockerfile is looked at by its linter.
image: $(VENV)/.test
	@if docker info >/dev/null 2>&1; then docker build --file deploy/Dockerfile --tag bigviz .; else \
	    $(BIN)/hadolint deploy/Dockerfile && \
	    echo "Docker does not run here: deploy/Dockerfile was checked, and no image built."; fi

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bigviz needs Python 3.11 or newer, found %d.%d; set PYTHON=" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	@echo "installing bigviz and what it needs into $(VENV): a minute or two"
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

# Not `npm ci`: it refuses a lock file that lacks the optional packages of other platforms.
$(VENV)/.test: $(VENV)/bin/python pyproject.toml package-lock.json tools/system-packages.sh
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	sh tools/system-packages.sh $(BIN)
	PATH="$(CURDIR)/$(BIN):$$PATH" npm install --no-save --ignore-scripts --silent --no-audit --no-fund
	@touch $(VENV)/.demo $@

clean:
	rm -rf $(VENV) node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis
