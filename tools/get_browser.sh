#!/usr/bin/env bash
# get_browser.sh VENV: a Chromium for the browser tests. One that is installed will do; otherwise Playwright fetches its own.
# Without either, the browser tests are skipped with the reason (in CI they fail).
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then exit 0; fi
done
if ! "$1/bin/playwright" install chromium-headless-shell >/dev/null 2>&1; then
  echo "No Chromium is installed and none could be fetched, so browser tests will be skipped (Debian: apt install chromium)." >&2
fi
