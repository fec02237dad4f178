#!/usr/bin/env bash
# Makes .venv from the pinned requirements: "make setup" calls it, from the project's folder.
set -euo pipefail

fail() {
    echo "setup: $*" >&2
    exit 1
}

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

python=
# PYTHON=... make setup picks one; else the machine's python3, else the newest of the others.
for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python; do
    if command -v "$candidate" >/dev/null && usable "$candidate"; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "no Python 3.11 or newer found: install one, or name it with PYTHON=/path/to/python3 make setup"
# Debian's python3 has venv but not ensurepip, without which an environment has no pip.
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python has no venv module: install it (on Debian and Ubuntu: apt-get install python3-venv)"

# An environment that a moved folder or a removed Python left behind can't be mended.
if [ -e .venv ] && ! { [ -x .venv/bin/pip ] && .venv/bin/pip --version >/dev/null 2>&1 && usable .venv/bin/python; }; then
    echo "setup: .venv is broken, making it anew"
    rm -rf .venv
fi
[ -d .venv ] || { echo "setup: making .venv with $("$python" --version)"; "$python" -m venv .venv; }
echo "setup: installing the pinned requirements"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
# The judge's second opinion pins a botocore of its own: it stays outside the environment.
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
    --upgrade --target build/peer -r tests/judge/peer-requirements.txt
echo "setup: done"
