#!/usr/bin/env bash
# lab.sh [--rounds N] [--seconds N] [--only VARIANT,...] [--measure FIGURE,...] [--json FILE]
#        [--svg FILE] [--readme]
# Measure Eidway beside plain routing, kernel VXLAN and OpenOverlayRouter on one topology of
# network namespaces; see benches/README.md. Installs missing packages and leaves nothing behind.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")

[ "$(id -u)" = 0 ] || { echo "network namespaces need root" >&2; exit 1; }
"$root/netns-scripts/install-missing" ip:iproute2 ping:iputils-ping nft:nftables \
    ethtool:ethtool cc:gcc,libc6-dev

lab=bench$$
scratch=$(mktemp -d "${TMPDIR:-/tmp}/eidway-bench.XXXXXX")
bench=
leave() {
    trap - EXIT INT TERM HUP
    if [ -n "$bench" ]; then
        kill -- "-$bench" 2>/dev/null || true
        wait "$bench" 2>/dev/null || true
    fi
    "$root/netns-scripts/lab-down" "$lab"
    # OpenOverlayRouter leaves its socket behind.
    [ ! -e "$scratch/oor" ] || rm -f /tmp/oor-ipc
    rm -rf "$scratch"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fetch_oor() {
    "$root/tests/peers/fetch-oor" "$scratch/oor" || return 1
    export EIDWAY_BENCH_OOR=$scratch/oor
}
case " $* " in
    *" --only "*oor* | *" --only="*oor*) wanted=yes ;;
    *" --only"*) wanted=no ;;
    *) wanted=yes ;;
esac
[ "$wanted" = no ] || fetch_oor || true # it says so

cd "$root"
program=$(cargo bench --quiet --no-run --bench lab --message-format=json |
    sed -n 's/.*"name":"lab".*"executable":"\([^"]*\)".*/\1/p')
[ -n "$program" ] || { echo "cargo bench --bench lab did not build" >&2; exit 1; }

cd "$OLDPWD"
# In the background, so that a signal to this script is heard at once; as a group, so that no verb of
# netns-scripts goes on building the lab that is being removed.
set -m
"$program" --lab "$lab" --scratch "$scratch" "$@" &
bench=$!
status=0
wait "$bench" || status=$?
bench=
exit "$status"
