#!/usr/bin/env bash
# oor.sh [--long | --up]
# Eidway beside OpenOverlayRouter, each as the other's xTR and as the other's map-server: registrations,
# pings, SMRs both ways, RLOC probes. The lab is tests/peers/oor, its README has the picture.
#
#   --long   OpenOverlayRouter stays registered for ten minutes, and each side is restarted
#   --up     bring the lab up under the name oor, with OpenOverlayRouter running, and leave it there
#
# Needs root. Exits 0 if all is well, 1 if not, and 77 where Debian's package cannot be had.

set -eu
tests=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$tests/../.." && pwd)
files=$tests/oor
. "$root/netns-scripts/lib.sh"

mode=${1:-short}
case $mode in
    short | --long) lab=oor$$ ;;
    --up) lab=oor ;;
    *) usage ;;
esac
[ "$(id -u)" = 0 ] || fail "network namespaces need root"
[ ! -e "$run/$lab" ] || fail "lab $lab is up: eidway lab down $lab removes it"

"$root/netns-scripts/install-missing" ip:iproute2 ping:iputils-ping ethtool:ethtool tshark:tshark \
    tcpdump:tcpdump setsid:util-linux stdbuf:coreutils cc:gcc,libc6-dev
cd "$root"
eidway=$(tests/program)

scratch=$(mktemp -d "${TMPDIR:-/tmp}/eidway-oor.XXXXXX")
coming_up=
leave() {
    trap - EXIT INT TERM HUP
    if [ -n "$coming_up" ]; then
        kill "$coming_up" 2>/dev/null || true
        wait "$coming_up" 2>/dev/null || true
    fi
    "$root/netns-scripts/lab-down" "$lab"
    rm -rf "$scratch"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

"$tests/fetch-oor" "$scratch/unpacked" || exit $?
. "$files/checks.sh"
. "$files/cases.sh"

bring_up
if [ "$mode" = --up ]; then
    registrations
    trap - EXIT INT TERM HUP
    rm -rf "$scratch"
    echo
    echo "Lab $lab is up: see tests/peers/oor/README.md; eidway lab down $lab removes it."
    exit $((failures > 0))
fi
run_cases "$mode"
report
