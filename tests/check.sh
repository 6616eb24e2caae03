#!/usr/bin/env bash
# check.sh
# Everything that must hold before a change goes in: format, lints, dependencies, and all tests with those in
# namespaces, which need root. Installs missing packages on a Debian machine that has Rust.

set -eu
cd "$(dirname "$0")/.."

netns-scripts/install-missing ip:iproute2 ping:iputils-ping ethtool:ethtool nft:nftables \
    tshark:tshark cc:gcc,libc6-dev setsid:util-linux sysctl:procps tcpdump:tcpdump tmux:tmux node:nodejs npm:npm zstd:zstd chromium:chromium

echo "== format"
cargo fmt --all --check
logs=$(mktemp -d)
page=$logs/page
# The longest build. It has a session of its own with the lowest priority, so it uses the time in which the
# other builds and the tests wait.
setsid bash -c 'echo 19 >/proc/self/autogroup 2>/dev/null || true; CARGO_TERM_QUIET=true exec nice -n 19 web/build' \
    >"$page" 2>&1 &
building=$!
object=$logs/program.o
# shellcheck disable=SC2046 # a word for each process
trap 'kill -- -$building 2>/dev/null || true; kill $(jobs -p) 2>/dev/null || true; rm -rf "$logs"' EXIT
echo "== lints"
cargo clippy --quiet --workspace --all-targets -- -D warnings
echo "== the programs of the fast path"
src/driver/fast_path/build "$object"
cmp "$object" src/driver/fast_path/program.o || { echo "src/driver/fast_path/build makes another program.o"; exit 1; }
echo "== dependencies"
.ci/dependencies
cargo test --quiet --workspace --no-run
# finish TITLE PID LOG [SKIP]: waits for a part and prints its output. SKIP says why the exit code 77 is allowed.
finish() {
    local status=0
    wait "$2" || status=$?
    echo "== $1"
    cat "$3"
    case $status in
        0) ;;
        77) [ -n "${4:-}" ] && echo "== $1: skipped: $4" ;;
        *) return "$status" ;;
    esac
}

echo "== tests"
# Many tests wait for a lab, so more of them run at the same time than there are cores.
RUST_TEST_THREADS=4 cargo test --quiet --workspace --no-fail-fast
echo "== the page for the browser"
wait "$building" || { cat "$page"; exit 1; }
cat "$page"
EIDWAY_GSMR_PAGE=$(realpath "${CARGO_TARGET_DIR:-target}")/web/gsmr.html
export EIDWAY_GSMR_PAGE
"$(tests/program)" lab page gsmr -o "$EIDWAY_GSMR_PAGE"
# Five of these six wait most of the time, so they run side by side.
(cd web && npm run --silent check && npm --silent test) >"$logs/web" 2>&1 &
web=$!
tests/login/run >"$logs/login" 2>&1 &
login=$!
tests/peers/oor.sh >"$logs/oor" 2>&1 &
oor=$!
tests/genie/run >"$logs/genie" 2>&1 &
genie=$!
tests/exports/run >"$logs/exports" 2>&1 &
exports=$!
tests/package.sh >"$logs/package" 2>&1 &
package=$!
finish "tests of the page" "$web" "$logs/web"
finish "programs that log in" "$login" "$logs/login"
finish "the Debian package" "$package" "$logs/package"
# Debian's package may vanish, which is no fault of ours.
finish "beside OpenOverlayRouter" "$oor" "$logs/oor" "no package"
# As above: the registry of packages may be out of reach.
finish "Cisco's parsers read us" "$genie" "$logs/genie" "no packages"
finish "netlab and Kathara read our exports" "$exports" "$logs/exports" "no packages"
echo "== all good"
