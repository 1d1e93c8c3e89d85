#!/usr/bin/env bash
# make_venv.sh FOLDER REQUIREMENTS: a virtual environment there that holds what the file pins.
# Uses the first Python 3.11 or later it finds ($PYTHON, if set, before others), and says what is missing otherwise.
set -euo pipefail
folder=$1 requirements=$2
recent='import sys; sys.exit(sys.version_info < (3, 11))'

find_python() {
  local name
  for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3 python; do
    if "$name" -c "$recent" >/dev/null 2>&1; then command -v "$name"; return; fi
  done
  echo "Longtail Lab needs Python 3.11 or later, and none was found. Install one (Debian: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python3.11 ..." >&2
  return 1
}

if ! "$folder/bin/python" -c "$recent" >/dev/null 2>&1; then
  python=$(find_python)
  echo "Making a virtual environment in $folder with $("$python" --version)"
  rm -rf "$folder"
  if ! "$python" -m venv "$folder"; then
    rm -rf "$folder"
    echo "$python cannot make virtual environments. Install its venv module (Debian: apt install python3-venv)." >&2
    exit 1
  fi
fi
"$folder/bin/python" tools/install_torch.py
echo "Installing $requirements"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
