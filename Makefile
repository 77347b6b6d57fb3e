# make run · test · screenshots · bench · fuzz · geo · demo · clean        (Windows: see README.md)

# The first Python on the path that is new enough; PYTHON=/path/to/python3.11 chooses another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
PORT ?= 8501
# 0.0.0.0 lets others on the network look; they cannot change anything without an account.
ADDRESS ?= localhost
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: run test browser screenshots bench fuzz geo demo clean
.DEFAULT_GOAL := run

run: $(VENV)/.installed-run
	@echo "綦江一张图:请用浏览器打开 http://localhost:$(PORT) (停止:Ctrl+C)"
	@echo "qjmap is at http://localhost:$(PORT) (stop it with Ctrl+C)"
	@mkdir -p static  # the app fills it; streamlit warns of a missing one before the app has run
	@exec $(PY) -m streamlit run app.py --server.port $(PORT) --server.address $(ADDRESS)

# Every check runs, whatever the ones before it found; the browser tests apart, each worker with a server and a browser of its own.
test: $(VENV)/.installed-dev browser
	@failed=0; set -x; \
	$(PY) -m ruff check . || failed=1; \
	$(PY) -m ruff format --check . || failed=1; \
	$(PY) -m mypy || failed=1; \
	$(PY) -m pytest -n 2 --dist worksteal --ignore tests/browser || failed=1; \
	$(PY) -m pytest -n 2 tests/browser || failed=1; \
	{ set +x; } 2>/dev/null; exit $$failed

browser:
	@missing=""; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v chromedriver >/dev/null || missing="$$missing chromium-driver"; \
	command -v firefox-esr >/dev/null || missing="$$missing firefox-esr"; \
	fc-list :lang=zh 2>/dev/null | grep -q . || missing="$$missing fonts-noto-cjk"; \
	if [ -n "$$missing" ] && command -v apt-get >/dev/null; then \
		if [ "$$(id -u)" = 0 ]; then as_root=env; elif sudo -n true 2>/dev/null; then as_root="sudo -n env"; else as_root=""; fi; \
		if [ -n "$$as_root" ]; then \
			echo "安装 / installing:$$missing"; \
			$$as_root apt-get update -q && $$as_root DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $$missing; \
		fi; \
	fi; \
	command -v chromium >/dev/null || { \
		echo "缺少浏览器 Chromium,浏览器测试无法进行,测试不通过。请安装:apt-get install chromium chromium-driver fonts-noto-cjk"; \
		echo "No Chromium: the browser tests cannot run, so this run fails. Install: apt-get install chromium chromium-driver fonts-noto-cjk"; \
		exit 1; }

# Every page at two sizes, into docs/screens/.
screenshots: $(VENV)/.installed-dev browser
	$(PY) tests/browser/screenshots.py

bench: $(VENV)/.installed-dev browser
	$(PY) -m benchmarks

# Every reader of strangers' files for SECONDS; what breaks one is kept in build/fuzz/ and can be given to readers.py.
SECONDS ?= 60
fuzz: $(VENV)/.installed-dev
	$(PY) -m pip install --disable-pip-version-check -q -r tests/fuzz/requirements.txt
	@mkdir -p build/fuzz; failed=""; \
	for one in $(FUZZ); do \
		echo "== $$one"; \
		$(PY) tests/fuzz/readers.py $$one -max_total_time=$(SECONDS) -artifact_prefix=build/fuzz/$$one- \
			2>build/fuzz/$$one.txt || failed="$$failed $$one"; \
		tail -n 1 build/fuzz/$$one.txt; \
	done; \
	test -z "$$failed" || { echo "发现问题 / found:$$failed (build/fuzz)"; exit 1; }
FUZZ ?= xlsx cells zip xls csv geojson kml dbf template

geo: $(VENV)/.installed-run
	$(PY) -m qjmap.cli build-geo

demo: $(VENV)/.installed-run
	$(PY) -m qjmap.cli build-demo

# Everything that a make made; nothing that a person wrote.
clean:
	rm -rf $(VENV) build static .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps make a second start free: pip runs again only after the pins change.
$(VENV)/.installed-run: requirements.txt $(VENV)/pyvenv.cfg
	$(PY) -m pip install --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements.txt $(VENV)/pyvenv.cfg
	$(PY) -m pip install --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.installed-run

$(VENV)/pyvenv.cfg:
	@[ -n "$(PYTHON)" ] && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "需要 Python 3.11 或更新版本。已装在别处时:make run PYTHON=/path/to/python3.11"; \
		echo "Python 3.11 or newer is needed. If it is installed elsewhere: make run PYTHON=/path/to/python3.11"; \
		exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) 缺少 venv 模块。Debian/Ubuntu 请安装:apt-get install python3-venv"; \
		echo "$(PYTHON) lacks the venv module. On Debian/Ubuntu: apt-get install python3-venv"; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)
