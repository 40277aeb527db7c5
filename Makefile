# Each target prepares the machine by itself (setup/prepare says what it installs, and asks first at a terminal).
#   make demo FOR=60s SPEED=60      make test ARGS="tests/contract -k topics"      make check
#   make truth ARGS="--seeds 3"     make chaos TAPS=1000 ONLY="broker-killed power-cut"
.PHONY: demo truth test check bench fuzz chaos soak
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV

demo:
	@setup/prepare demo && .venv/bin/python -m demo

truth:
	@setup/prepare truth && .venv/bin/python -m bench.truth $(ARGS)

test:
	@setup/prepare test && .venv/bin/python -m pytest $(ARGS)

check:
	@setup/prepare check
	.venv/bin/ruff check && .venv/bin/ruff format --check && .venv/bin/mypy && .venv/bin/lint-imports --no-logo

bench:
	@setup/prepare bench && .venv/bin/python -m bench $(ARGS)

fuzz:
	@setup/prepare fuzz && .venv/bin/python -m bench.fuzz $(ARGS)

chaos:
	@setup/prepare chaos && .venv/bin/python -m bench.chaos

soak:
	@setup/prepare soak && .venv/bin/python -m bench.chaos.soak
