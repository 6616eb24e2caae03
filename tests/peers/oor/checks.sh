# The parts of the cases of oor.sh: checks in plain words, and their sources. Sourced.

failures=0
began=$SECONDS
seconds() { printf '%4d s' $((SECONDS - began)); }

case_is() { # WORDS
    printf '\n%s  == %s\n' "$(seconds)" "$*"
}

passed() { printf '%s  ok     %s\n' "$(seconds)" "$*"; }

failed() { # WORDS: with the output of the check, and the first time with the programs' output
    failures=$((failures + 1))
    printf '%s  FAILED %s\n' "$(seconds)" "$*"
    {
        tail -n 12 "$scratch/output"
        [ "$failures" != 1 ] || state
    } 2>&1 | sed 's/^/            | /'
}

check() { # WORDS COMMAND...: fails at once when the command does
    local words=$1
    shift
    if "$@" >"$scratch/output" 2>&1; then passed "$words"; else failed "$words"; fi
}

await() { # SECONDS WORDS COMMAND...: until the command succeeds
    local deadline=$((SECONDS + $1)) words=$2
    shift 2
    until "$@" >"$scratch/output" 2>&1; do
        if [ $SECONDS -ge "$deadline" ]; then
            failed "$words"
            return
        fi
        sleep 0.2
    done
    passed "$words"
}

state() { # of the routers, of OpenOverlayRouter and of the core
    local node
    echo "-- MSMR, show lisp site:"
    console MSMR 'show lisp site' | tail -n +5
    echo "-- MSMR, messages without effect:"
    console MSMR 'show ip lisp statistics' | sed '1,/without effect/d; /^[^ ]/,$d' | grep -v ' 0$'
    for node in MSMR xTR1 xTR3; do
        echo "-- $node, log:"
        tail -n 5 "$run/$lab/$node.log"
    done
    for node in xTR1 xTR3; do
        echo "-- $node, show ip lisp map-cache:"
        console "$node" 'show ip lisp map-cache' | tail -n +3
    done
    for node in xTR2 OMS; do
        echo "-- $node (OpenOverlayRouter), log:"
        tail -n 8 "$run/$lab/$node.oor.log"
    done
    echo "-- the core, control messages:"
    captured lisp | tail -n 12
}

console() { # NODE COMMAND...: the output of a router's console
    local node=$1 command arguments=()
    shift
    for command do
        arguments+=(-c "$command")
    done
    "$eidway" console "$lab/$node" "${arguments[@]}"
}

configure() { # NODE LINE...: configure a router on its console; fails if a line is refused
    local node=$1
    shift
    ! console "$node" 'configure terminal' "$@" end | grep -A1 -B2 '^%'
}

ping_all() { # FROM TO [--ipv6]: five echos, five answers
    "$eidway" lab ping "$lab" "$@"
}

ping_once() { # FROM TO [--ipv6]
    "$eidway" lab ping "$lab" "$@" -c 1
}

captured() { # FILTER [TSHARK-OPTION...]: packets that entered the core since the lab is up
    local filter=$1
    shift
    tshark -n -r "$scratch/core.pcap" -Y "$filter" "$@" 2>/dev/null
}

seen() { # FILTER: such a packet has entered the core
    captured "$1" | grep .
}

nonces() { # FILTER: the nonces of such messages
    captured "$1" -T fields -e lisp.nonce | sort -u
}

all_answered() { # REQUESTS ANSWERS: each request that is older than a second has an answer of its nonce
    local newest nonce open
    newest=$(date +%s.%N -d '1 second ago')
    # ICMP errors quote messages; they are none.
    nonces "($1) && !icmp && frame.time_epoch < $newest" >"$scratch/asked"
    nonces "($2) && !icmp" >"$scratch/answered"
    [ -s "$scratch/asked" ] || { echo "no message matches $1"; return 1; }
    open=$(comm -23 "$scratch/asked" "$scratch/answered")
    echo "$(wc -l <"$scratch/asked") asked, $(wc -w <<<"$open") of them not answered"
    for nonce in $open; do
        captured "($1) && lisp.nonce == $nonce"
    done
    [ -z "$open" ]
}

registered() { # PREFIX RLOC: MSMR has a registration of PREFIX, and RLOC registered it last
    console MSMR 'show lisp site' | awk -v prefix="$1" -v rloc="$2" '
        $NF == prefix { print; for (i = 1; i < NF; i++) { if ($i ~ /^yes/) up = 1; if (index($i, rloc ":") == 1 || index($i, rloc ".") == 1) by = 1 } }
        END { exit !(up && by) }'
}

acknowledged() { # NODE MAP-SERVER: it has acknowledged all prefixes that the router registers
    local family counts
    for family in ip ipv6; do
        counts=$(console "$1" "show $family lisp json" | grep -o "\"address\":\"$2\"[^}]*" |
            sed 's/.*"prefixes":\([0-9]*\),.*"acknowledged":\([0-9]*\),.*/\1 \2/')
        echo "$1, $family: $2 acknowledged ${counts#* } of ${counts% *} prefixes"
        [ -n "$counts" ] && [ "${counts#* }" = "${counts% *}" ] || return 1
    done
}

map_cache_has() { # NODE PREFIX RLOC: the router sends to that prefix by that RLOC, which is up
    local family=ip
    case $2 in *:*) family=ipv6 ;; esac
    console "$1" "show $family lisp map-cache" | awk -v prefix="$2," -v rloc="$3" '
        /^[0-9a-f]/ { inside = $1 == prefix }
        inside { print }
        inside && $1 == rloc && / up / { found = 1 }
        END { exit !found }'
}

report() {
    echo
    if [ "$failures" != 0 ]; then
        echo "$failures checks failed"
        exit 1
    fi
    echo "all good after $((SECONDS - began)) s"
}
