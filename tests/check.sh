#!/usr/bin/env bash
# check.sh
# Everything that must hold before a change goes in: format, lints, dependencies, and all tests with those in
# namespaces, which need root. Installs missing packages on a Debian machine that has Rust.

set -eu
cd "$(dirname "$0")/.."

netns-scripts/install-missing ip:iproute2 ping:iputils-ping ethtool:ethtool nft:nftables \
    tshark:tshark cc:gcc,libc6-dev setsid:util-linux sysctl:procps tcpdump:tcpdump tmux:tmux node:nodejs npm:npm chromium:chromium

echo "== format"
cargo fmt --all --check
# Its compiler uses one core only, so it runs beside the others.
page=$(mktemp)
web/build >"$page" 2>&1 &
building=$!
trap 'kill "$building" 2>/dev/null || true; rm -f "$page"' EXIT
echo "== lints"
cargo clippy --quiet --workspace --all-targets -- -D warnings
echo "== dependencies"
.ci/dependencies
cargo test --quiet --workspace --no-run
echo "== the page for the browser"
wait "$building" || { cat "$page"; exit 1; }
cat "$page"
EIDWAY_GSMR_PAGE=$(realpath "${CARGO_TARGET_DIR:-target}")/web/gsmr.html
export EIDWAY_GSMR_PAGE
cargo run --quiet -- lab page gsmr -o "$EIDWAY_GSMR_PAGE"
(cd web && npm run --silent check && npm --silent test)
echo "== tests"
cargo test --quiet --workspace
echo "== programs that log in"
tests/login/run
echo "== beside OpenOverlayRouter"
status=0
tests/peers/oor.sh || status=$?
# Debian's package may vanish, which is no fault of ours: the one skip that is allowed.
case $status in
    0) ;;
    77) echo "== beside OpenOverlayRouter: skipped: no package" ;;
    *) exit "$status" ;;
esac
echo "== Cisco's parsers read us"
status=0
tests/genie/run || status=$?
# As above: the registry of packages may be out of reach.
case $status in
    0) ;;
    77) echo "== Cisco's parsers: skipped: no packages" ;;
    *) exit "$status" ;;
esac
echo "== all good"
