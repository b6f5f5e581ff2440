#!/usr/bin/env bash
# Makes a folder from which probe is installed on a Windows server that has no internet.
#
#   bash config/bundle.sh FOLDER
#
# It has a wheel of probe and of each package that it needs, in the versions of uv.lock and with their hashes verified, for 64-bit Windows
# and each supported Python. The folder must not be there yet. It needs uv (`pip install uv`) and a way to PyPI, on any system with bash.
set -euo pipefail

if [ $# != 1 ] || [ "$1" = --help ]; then
    sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    [ "${1:-}" = --help ] && exit 0 || exit 2
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ -e "$1" ]; then
    printf 'config/bundle.sh: %s is there already; name a new folder\n' "$1" >&2
    exit 2
fi
if ! uv --version >/dev/null; then
    printf 'config/bundle.sh: uv is not here; install it by: pip install uv\n' >&2
    exit 2
fi
making=$(mktemp -d)
trap 'rm -r "$making"' EXIT

uv export --quiet --project "$root" --locked --no-dev --all-extras --no-emit-project --output-file "$making/locked.txt"
for version in $(sed -nE 's/.*"Programming Language :: Python :: (3\.[0-9]+)".*/\1/p' "$root/pyproject.toml"); do
    uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-platform windows --python-version "$version" \
        --output-file "$making/windows-$version.txt" "$making/locked.txt"
    uv tool run --quiet pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
        --platform win_amd64 --python-version "$version" --dest "$making/bundle" --requirement "$making/windows-$version.txt"
    printf 'config/bundle.sh: Python %s: %s packages\n' "$version" "$(grep -c '^[^ #]' "$making/windows-$version.txt")"
done
uv build --quiet --wheel --out-dir "$making/bundle" "$root"
rm -f "$making/bundle/.gitignore"   # uv's, for a folder in a checkout
cat >"$making/bundle/README.txt" <<'END'
probe and all that it needs, for 64-bit Windows and each Python that probe supports. To install it, with no internet:

    py -3.13 -m venv "C:\Program Files\probe"
    "C:\Program Files\probe\Scripts\python.exe" -m pip install --no-index --find-links FOLDER d365-mail-probe

where FOLDER is this one; d365-mail-probe[postgresql] where the history is kept in PostgreSQL.

Licences: probe is under Apache-2.0. This folder also holds aioimaplib, which is under GPL-3.0, and pebble, which is under LGPL-3.0.
Whoever gives the folder to others gives all of it under GPL-3.0, with the sources of both (https://pypi.org/project/aioimaplib/ and
https://pypi.org/project/pebble/); to install it within your own organization asks for nothing. The licence of each package is in its wheel.
END
mkdir -p "$(dirname "$1")"
mv "$making/bundle" "$1"
printf 'config/bundle.sh: %s: %s wheels\n' "$1" "$(find "$1" -name '*.whl' | wc -l)"
