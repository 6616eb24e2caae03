# The common part of the verbs: names, and a few tools. Sourced, never run.
#
# A lab LAB lives in the namespaces eidway-LAB-NODE, one for each node, and eidway-LAB-switch,
# which holds a bridge for each LAN. The files of its routers are in /run/eidway/LAB.
# No node's name holds a dash, so that the last dash parts LAB from NODE.

# Only root writes in there, and only root reads a lab's directory.

run=/run/eidway

usage() { # print the verb's own head
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

fail() {
    echo "$*" >&2
    exit 1
}

need() { # COMMAND PACKAGE: stop unless the command is there
    command -v "$1" >/dev/null || fail "the program $1 is missing: run apt-get install $2"
}

check_names() { # lab|node|device|new-device NAME...: stop unless each name may be such a one's
    local letters longest reserved
    while [ $# -ge 2 ]; do
        case $1 in
            lab) letters=A-Za-z0-9_- longest=24 reserved=switch ;;
            node) letters=A-Za-z0-9_ longest=24 reserved= ;;
            device) letters=A-Za-z0-9_.- longest=15 reserved='. ..' ;;
            new-device) letters=A-Za-z0-9_.- longest=15 reserved='. .. all any default lo' ;;
        esac
        case $2 in
            '' | -* | *[!$letters]*) fail "$(printf '%q is not a valid name for a %s' "$2" "$1")" ;;
        esac
        [ ${#2} -le $longest ] && [[ " $reserved " != *" $2 "* ]] ||
            fail "$2 is not a valid name for a $1: it is too long, or it is reserved"
        shift 2
    done
}

own_directory() { # PATH MODE: make a directory of ours, or stop unless it is one
    mkdir -m "$2" "$1" 2>/dev/null || case $(stat -c '%u %A' "$1") in
        "$(id -u)"\ d????-??-?) ;; # neither its group nor others write in it
        *)
            fail "$1 belongs to another user, or other users can write to it, or it is not a" \
                "directory: remove it"
            ;;
    esac
    chmod "$2" "$1"
}

namespace() { # LAB NODE
    echo "eidway-$1-$2"
}

inside() { # LAB NODE COMMAND...: run a command in a node's namespace
    local lab=$1 node=$2
    shift 2
    ip netns exec "eidway-$lab-$node" "$@"
}

has_device() { # LAB NODE DEVICE
    ip -n "eidway-$1-$2" link show dev "$3" >/dev/null 2>&1
}

attribute_of() { # LAB NODE DEVICE NAME: the value after a word of "ip link", as in "mtu 1500"
    ip -n "eidway-$1-$2" -details -oneline link show dev "$3" | grep -o " $4 [^ ]*" | head -n 1 |
        cut -d ' ' -f 3
}

index_of() { # LAB NODE DEVICE: a number that no other device of the node has
    ip -n "eidway-$1-$2" -oneline link show dev "$3" | cut -d : -f 1
}

await_forwarding() { # LAB NODE DEVICE: wait until a bridge takes packets from a port
    local tries=0
    until ip -n "eidway-$1-$2" -details -oneline link show dev "$3" |
        grep -q ' bridge_slave state forwarding '; do
        tries=$((tries + 1))
        [ "$tries" -le 100 ] || fail "port $3 does not come up"
        sleep 0.02
    done
}

announce() { # LAB NODE DEVICE: let a host tell its LAN where it is
    # A host does not feel that its cable ends elsewhere. Its own Ethernet address, given once
    # more, makes arp_notify and ndisc_notify announce all its addresses.
    local mac
    mac=$(attribute_of "$1" "$2" "$3" link/ether)
    ip -n "eidway-$1-$2" link set dev "$3" address "$mac"
}

set_sysctls() { # LAB NODE KEY=VALUE...: keys with slashes, as under /proc/sys
    local lab=$1 node=$2
    shift 2
    inside "$lab" "$node" sh -c '
        for setting do
            echo "${setting#*=}" > "/proc/sys/${setting%%=*}"
        done' sh "$@"
}

family_of() { # ADDRESS-OR-PREFIX: -4 or -6
    case $1 in
        *:*) echo -6 ;;
        *) echo -4 ;;
    esac
}

runs() { # PID: whether a process lives; one that ended and waits for its parent does not
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    case ${stat##*) } in
        # While another thread ends, the process still has its files and locks.
        [ZX]*) set -- "/proc/$1/task/"*; [ $# -gt 1 ] ;;
    esac
}

router_pid() { # LAB NODE: the process of a router, if it runs
    local pid argv='' socket="$run/$1/$2.sock"
    pid=$(cat "$run/$1/$2.pid" 2>/dev/null) || return 1
    # In the moment in which it becomes another program, a process has no argv.
    while [ -z "$argv" ]; do
        runs "$pid" || return 1
        argv=$(tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline") || return 1
    done
    # A number in a file proves nothing: the process must be ours, with this router's socket in its argv.
    [ -O "/proc/$pid" ] || return 1
    grep -qxF -- "$socket" <<<"$argv" || return 1
    echo "$pid"
}

await_end() { # PID...: wait until the processes have ended, two seconds at most
    local pid tries=0
    for pid do
        while runs "$pid"; do
            tries=$((tries + 1))
            [ "$tries" -le 100 ] || return 1
            sleep 0.02
        done
    done
}
