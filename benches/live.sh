#!/usr/bin/env bash
# live.sh [--rounds N] [--seconds N] [--rate PACKETS] [--size OCTETS] [--side alone,read,page]
# Measure a lab in namespaces with and without its live page: a fast flow, and the time from an
# event to its picture; see benches/README.md. Installs missing packages and leaves nothing behind.
# EIDWAY_PAGE=FILE takes this page instead of a built one.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")

[ "$(id -u)" = 0 ] || { echo "network namespaces need root" >&2; exit 1; }
"$root/netns-scripts/install-missing" ip:iproute2 ping:iputils-ping nft:nftables cc:gcc,libc6-dev \
    node:nodejs npm:npm chromium:chromium setsid:util-linux
cd "$root"
if [ -z "${EIDWAY_PAGE-}" ]; then
    web/build
fi
[ -d web/node_modules ] || (cd web && npm ci --silent --no-audit --no-fund)
# One build for both: alone, the program has other features of its crates, and cargo builds all of it again.
program=$(cargo build --quiet --release --bin eidway --bench live --message-format=json |
    sed -n 's/.*"name":"live".*"executable":"\([^"]*\)".*/\1/p')
[ -n "$program" ] || { echo "the benchmark was not built" >&2; exit 1; }

lab=bench$$
bench=
leave() {
    trap - EXIT INT TERM HUP
    if [ -n "$bench" ]; then
        kill -- "-$bench" 2>/dev/null || true
        wait "$bench" 2>/dev/null || true
    fi
    "${CARGO_TARGET_DIR:-target}/release/eidway" lab down "$lab" 2>/dev/null || true
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# In the background, so that a signal to this script is heard at once; as a group, so that no program
# of the benchmark stays behind.
set -m
"$program" --lab "$lab" --program "${CARGO_TARGET_DIR:-target}/release/eidway" "$@" &
bench=$!
status=0
wait "$bench" || status=$?
bench=
exit "$status"
