#!/bin/sh
# What the browser tests need beside Python: Chromium (Debian, Ubuntu) and axe-core.
set -eu
cd "$(dirname "$0")"
if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null &&
    ! command -v google-chrome >/dev/null && [ -z "${BENCHBENCH_CHROMIUM:-}" ]; then
    if ! command -v apt-get >/dev/null; then
        echo "Install Chromium and name it in BENCHBENCH_CHROMIUM." >&2
        exit 1
    fi
    SUDO=$([ "$(id -u)" = 0 ] || echo sudo)
    $SUDO apt-get update -qq
    $SUDO apt-get install -y -qq chromium
fi
if [ ! -f node_modules/axe-core/axe.min.js ] && [ -z "${BENCHBENCH_AXE:-}" ]; then
    if ! command -v npm >/dev/null; then
        echo "Install Node, or name axe.min.js in BENCHBENCH_AXE." >&2
        exit 1
    fi
    npm install --no-save --no-package-lock --silent axe-core@4
fi
