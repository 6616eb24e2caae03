# The functions that all verbs use. Verbs read this file with "."; it is not a program.
#
# The nodes of lab LAB are the namespaces eidway-LAB-NODE. The namespace eidway-LAB-switch has a
# bridge for each LAN. The files of the routers are in /run/eidway/LAB. The name of a node has no
# dash, so the last dash separates LAB from NODE.

# Only root can write in the directory /run/eidway, and only root can read the directory of a lab.

run=/run/eidway

usage() { # print the comment at the beginning of the verb, and stop
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

fail() {
    echo "$*" >&2
    exit 1
}

need() { # COMMAND PACKAGE: stop if the command is missing
    command -v "$1" >/dev/null || fail "the program $1 is missing: run apt-get install $2"
}

check_names() { # KIND NAME...: stop if a name is not correct; KIND is lab, node, device, new-device
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

own_directory() { # PATH MODE: make a directory; stop if PATH exists but is not our directory
    local found
    mkdir -m "$2" "$1" 2>/dev/null && return
    found=$(stat -c '%u %A %a' "$1")
    case $found in
        "$EUID d"????-??-?" $2") ;; # its group and other users cannot write in it
        "$EUID d"????-??-?" "*) chmod "$2" "$1" ;;
        *)
            fail "$1 belongs to another user, or other users can write to it, or it is not a" \
                "directory: remove it"
            ;;
    esac
}

lab_directory() { # LAB: make the directory of a lab, which has the files of its routers
    own_directory "$run" 711
    own_directory "$run/$1" 700
}

namespace() { # LAB NODE: print the name of the namespace of a node
    echo "eidway-$1-$2"
}

# "ip netns exec" and "ip -n" would also make a mount namespace for each command. This is a copy of all
# mounts of the machine, and each node is a mount: the time for a lab would grow with the square of its
# size.
inside() { # LAB NODE COMMAND...: run a command in the network namespace of a node
    local lab=$1 node=$2
    shift 2
    nsenter --net="/run/netns/eidway-$lab-$node" "$@"
}

make_device() { # LAB NODE ARGUMENT...: "ip link add ARGUMENT...", or fail with 1 if the device exists
    local lab=$1 node=$2 said
    shift 2
    said=$(exec nsenter --net="/run/netns/eidway-$lab-$node" ip link add "$@" 2>&1) || case $said in
        *'File exists'*) return 1 ;;
        *) fail "$said" ;;
    esac
}

has_device() { # LAB NODE DEVICE: succeed if the node has the device
    inside "$1" "$2" ip link show dev "$3" >/dev/null 2>&1
}

attribute_of() { # LAB NODE DEVICE NAME: print the value after the word NAME in "ip link"
    inside "$1" "$2" ip -details -oneline link show dev "$3" | grep -o " $4 [^ ]*" | head -n 1 |
        cut -d ' ' -f 3
}

index_of() { # LAB NODE DEVICE: print the index of a device, which is unique in the node
    inside "$1" "$2" ip -oneline link show dev "$3" | cut -d : -f 1
}

await_forwarding() { # LAB NODE DEVICE: wait until a bridge forwards the packets of a port
    local tries=0
    until inside "$1" "$2" ip -details -oneline link show dev "$3" |
        grep -q ' bridge_slave state forwarding '; do
        tries=$((tries + 1))
        [ "$tries" -le 100 ] || fail "port $3 does not come up"
        sleep 0.02
    done
}

announce() { # LAB NODE DEVICE: let a host announce its addresses on its LAN
    # A host does not detect that its cable now ends at another bridge. If its Ethernet address is
    # set again, to the same value, arp_notify and ndisc_notify announce all its addresses.
    local mac
    mac=$(attribute_of "$1" "$2" "$3" link/ether)
    inside "$1" "$2" ip link set dev "$3" address "$mac"
}

family_of() { # ADDRESS-OR-PREFIX: print -4 or -6
    case $1 in
        *:*) echo -6 ;;
        *) echo -4 ;;
    esac
}

runs() { # PID: succeed if a process lives; a zombie does not live
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    case ${stat##*) } in
        # If another thread of the process has not ended yet, the process still has its files and
        # locks.
        [ZX]*) set -- "/proc/$1/task/"*; [ $# -gt 1 ] ;;
    esac
}

router_pid() { # LAB NODE: print the process number of a router; fail if it does not run
    process_pid "$1" "$2" "$run/$1/$2.sock"
}

telnet_pid() { # LAB: print the process number of the telnet server of a lab; fail if there is none
    process_pid "$1" telnet-server "$run/$1/telnet-server.ports"
}

process_pid() { # LAB NAME WORD: print the process number in NAME.pid; fail if it does not run
    local pid argv=() word=$3 found
    { read -r pid <"$run/$1/$2.pid"; } 2>/dev/null || return 1
    # While a process becomes another program, it has no argv for a moment.
    while [ ${#argv[@]} = 0 ]; do
        runs "$pid" || return 1
        { mapfile -d '' argv <"/proc/$pid/cmdline"; } 2>/dev/null || return 1
    done
    # The number in the file is not sufficient: the process must belong to this user, and its argv
    # must have WORD, which is the path of a file of this process.
    [ -O "/proc/$pid" ] || return 1
    for found in "${argv[@]}"; do
        [ "$found" != "$word" ] || { echo "$pid" && return; }
    done
    return 1
}

# Routers with the fast path take longer to end if many of them end together.
await_end() { # PID...: wait until the processes have ended; fail after two seconds, and a fifth for each
    local pid tries=0
    for pid do
        while runs "$pid"; do
            tries=$((tries + 1))
            [ "$tries" -le $((100 + 10 * $#)) ] || return 1
            sleep 0.02
        done
    done
}
