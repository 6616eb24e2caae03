#!/usr/bin/env bash
# demo.sh
# Run the network of "LISP Generalized SMR" on this machine: build it, ping through it, set the
# interface of host A's router down as the document does, show the tables of the routers, set the
# interface up again, remove the network. An ordinary user needs root only to install programs that
# are missing.

set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin # an ordinary user may not have these, but ethtool is there

lab=demo-gsmr
run=/run/eidway # the directory of running labs
if [ "$(id -u)" != 0 ]; then
    run=${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/eidway}
    run=${run:-${TMPDIR:-/tmp}/eidway-$(id -u)}
fi
target=${CARGO_TARGET_DIR:-target}
eidway=$target/debug/eidway

title() { printf '\n== %s\n' "$*"; }
show() { # NODE COMMAND...: print the output of a router's console
    local node=$1 command
    shift
    for command do
        printf '\n%s# %s\n' "$node" "$command"
        "$eidway" console "$lab/$node" -c "$command" || true # the console has printed the error
    done
}
configure() { # NODE LINE...: configure a router on its console
    local node=$1 line
    shift
    printf '\n'
    set -- 'configure terminal' "$@" end
    local arguments=()
    for line do
        printf '%s# %s\n' "$node" "$line"
        arguments+=(-c "$line")
    done
    "$eidway" console "$lab/$node" "${arguments[@]}"
}
debugged() { # NODE PATTERN: print the debug lines of a router's log that match PATTERN
    printf '\n%s#\n' "$1"
    sed -n 's/^\[[^]]*\] \(\*.*LISP.*\)/\1/p' "$run/$lab/$1.log" | grep -E "$2" || true
}
ping() { # NODE TARGET [OPTION...]: ping as IOS does; lost echos are not an error here
    printf "\n%s> ping %s\n" "$1" "${*:2}"
    "$eidway" lab ping "$lab" "$@" || true
}

# The library for the TUN device has some code in C.
netns-scripts/install-missing cc:gcc,libc6-dev ip:iproute2 ping:iputils-ping ethtool:ethtool \
    tshark:tshark
command -v cargo >/dev/null || { echo "cargo is missing: see https://rustup.rs" >&2; exit 1; }
# The program of the tests and of `cargo run`: it is built in half the time of a release.
echo "== building the program: 3 to 6 minutes in a fresh clone"
cargo build --bin eidway

trap '"$eidway" lab down "$lab"' EXIT
title "the lab"
"$eidway" lab up gsmr --name "$lab"
"$eidway" lab status "$lab"

title "B pings A and 10.20.20.20, and N pings A from outside LISP; the first packet is not lost"
ping B A
ping B A --ipv6
ping B 10.20.20.20
ping N A
show xTR2 'show ip lisp map-cache'
show xTR1 'show ip lisp database'

title "host A's interface goes down"
show xTR1 'debug lisp control-plane all'
show xTR2 'debug lisp control-plane all'
configure xTR1 'interface ethernet 1/0' shutdown
show xTR1 'show ip lisp database'
ping B A
title "xTR1 has no route and sends an SMR to xTR2; xTR2 sends Map-Requests to Old, Old, then New"
debugged xTR1 'SMR|192.168.0.22/32'
debugged xTR2 '172.16.0.12|map reply|Map-Re|SMR'
for node in xTR1 xTR2; do
    "$eidway" console "$lab/$node" -c 'undebug all' >/dev/null
done
show xTR2 'show ip lisp map-cache'
show xTR1 'show ip lisp away'

title "host A's interface comes up again"
configure xTR1 'interface ethernet 1/0' 'no shutdown'
# If the mapping was lost in the meantime, it may take a minute to come back.
for _ in $(seq 35); do
    "$eidway" lab ping "$lab" B A -c 1 >/dev/null && break
done
ping B A
show xTR2 'show ip lisp map-cache'

title "the same lab in one HTML file; its module is built for the browser: 5 to 10 minutes in a fresh clone"
web/build
"$eidway" lab page gsmr -o "$target/web/gsmr.html"
echo "Open it in a browser. README.md has a walk through it."

title "done"
