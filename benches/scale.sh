#!/usr/bin/env bash
# scale.sh [--sites N] [--hosts N] [--simulated N] [--idle SECONDS] [--only namespaces|simulator]
# Measure a generated lab of 200 sites with two hosts each in namespaces, and one of 1,999 sites on the
# simulator; see benches/README.md. Both have a map-server besides. Installs missing packages and leaves
# nothing behind.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")

sites=200 hosts=2 simulated=1999 idle=30 only=
while [ $# -gt 0 ]; do
    case $1 in
        --sites) sites=$2 ;;
        --hosts) hosts=$2 ;;
        --simulated) simulated=$2 ;;
        --idle) idle=$2 ;;
        --only) only=$2 ;;
        *) sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
    esac
    shift 2
done

"$root/netns-scripts/install-missing" ip:iproute2 ethtool:ethtool cc:gcc,libc6-dev
cd "$root"
# With a benchmark, as benches/live.sh builds it: alone, the program has other features of its crates.
cargo build --quiet --release --bin eidway --bench live
eidway=$(realpath "${CARGO_TARGET_DIR:-target}")/release/eidway
lab=bench$$
scratch=$(mktemp -d "${TMPDIR:-/tmp}/eidway-bench.XXXXXX")
leave() {
    trap - EXIT
    "$eidway" lab down "$lab" >/dev/null 2>&1 || true
    rm -rf "$scratch"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

line() { # TITLE VALUE: print a line of the table
    printf '%-58s%s\n' "$1" "$2"
}
seconds() { # COMMAND...: print the seconds that a command takes
    local begin=$EPOCHREALTIME
    "$@" >"$scratch/output" 2>&1 || { cat "$scratch/output" >&2 && return 1; }
    awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $begin }"
}
started() { # print the number of processes that the machine has started
    awk '$1 == "processes" { print $2 }' /proc/stat
}
available() { # print the memory of the machine that is available, in KiB
    awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo
}
busy() { # print the time of the machine that was not idle, and all of it, in ticks of all cores
    awk '$1 == "cpu" { print $2 + $3 + $4 + $7 + $8, $2 + $3 + $4 + $5 + $6 + $7 + $8 }' /proc/stat
}
share_in() { # SECONDS: print the busy share of the machine in the next SECONDS, in percent
    local before after
    before=$(busy)
    sleep "$1"
    after=$(busy)
    awk "BEGIN { split(\"$before $after\", t); printf \"%.1f %%\", 100 * (t[3] - t[1]) / (t[4] - t[2]) }"
}
routers() { # print the files FILE of /proc of all routers of the lab
    sed "s:.*:/proc/&/$1:" "$run/$lab/"*.pid
}
spent() { # print the processor time that all routers have spent, in seconds
    # shellcheck disable=SC2046 # a word for each file
    cat $(routers stat) | awk -v ticks="$(getconf CLK_TCK)" '{ sum += $14 + $15 } END { print sum / ticks }'
}
pss() { # print the memory of all routers, in MiB: each shared page counts once
    # shellcheck disable=SC2046 # a word for each file
    cat $(routers smaps_rollup) | awk '$1 == "Pss:" { sum += $2 } END { printf "%.0f", sum / 1024 }'
}

in_namespaces() {
    [ "$(id -u)" = 0 ] || { echo "the memory of routers is measured as root" >&2 && return 1; }
    run=/run/eidway
    "$eidway" lab new "$lab" --sites "$sites" --hosts "$hosts" --to "$scratch" >"$scratch/output"
    echo "$((sites + 1)) routers and $((sites * hosts)) hosts in namespaces, on $(nproc) cores"
    line "  busy before, by other programs" "$(share_in 2)"
    local before memory up
    before=$(started) memory=$(available)
    up=$(seconds "$eidway" lab up "$scratch/$lab")
    line "  lab up, until every registration is acknowledged" "$up s"
    line "  processes that the machine started meanwhile" "$(($(started) - before))"
    line "  memory of the routers" "$(pss) MiB"
    line "  memory of the machine, with kernel and namespaces" "$(((memory - $(available)) / 1024)) MiB"
    sleep 2
    before=$(spent)
    line "  idle: busy share of the machine, in $idle s" "$(share_in "$idle")"
    line "  idle: all routers, of one core" \
        "$(awk "BEGIN { printf \"%.1f %%\", 100 * ($(spent) - $before) / $idle }")"
    line "  lab down" "$(seconds "$eidway" lab down "$lab") s"
}

on_the_simulator() {
    local name=simulated few=1 many=61 short long
    "$eidway" lab new $name --sites "$simulated" --to "$scratch" >"$scratch/output"
    for wait in $few $many; do
        printf 'title "idle"\nwait %ss\n' $wait >"$scratch/$name/scenarios/wait$wait.scenario"
    done
    echo "$((simulated + 1)) routers and $simulated hosts on the simulator, on one core"
    line "  lab check, with core = \"auto\"" "$(seconds "$eidway" lab check --sim "$scratch/$name") s"
    short=$(seconds "$eidway" lab run --sim "$scratch/$name" wait$few)
    long=$(seconds "$eidway" lab run --sim "$scratch/$name" wait$many)
    line "  the start, registrations and $few s" "$short s"
    line "  $((many - few)) s with nothing but registrations" \
        "$(awk "BEGIN { printf \"%.1f virtual seconds a second\", ($many - $few) / ($long - $short) }")"
}

[ "$only" = simulator ] || in_namespaces
[ "$only" = namespaces ] || on_the_simulator
