# The cases of oor.sh, in their order. Sourced.

bring_up() {
    echo "== Eidway and OpenOverlayRouter side by side, lab $lab"
    # xTR1 and xTR3 register with OMS too, so the lab is up only when OpenOverlayRouter runs in it.
    "$eidway" lab up "$files" --name "$lab" --keep >"$scratch/up" 2>&1 &
    coming_up=$!
    for node in OMS xTR2; do
        until [ -n "$(default_route "$node" -4)" ] && [ -n "$(default_route "$node" -6)" ]; do
            runs "$coming_up" || { cat "$scratch/up"; exit 1; }
            sleep 0.05
        done
    done
    mkdir -p "$run/$lab"
    mv "$scratch/unpacked" "$run/$lab/oor"
    [ "$mode" = --up ] || capture
    start_oor OMS
    start_oor xTR2
    local status=0
    wait "$coming_up" || status=$?
    coming_up=
    [ "$status" = 0 ] || { cat "$scratch/up"; exit 1; }
}

capture() { # everything that enters the core, as long as the lab is up
    : >"$scratch/tcpdump"
    inside "$lab" Core tcpdump -Z root -U -i any -Q in -w "$scratch/core.pcap" \
        "udp port 4341 or udp port 4342 or icmp or icmp6" >"$scratch/tcpdump" 2>&1 &
    until grep -q listening "$scratch/tcpdump"; do
        sleep 0.05
    done
}

default_route() { # NODE -4|-6
    ip "$2" -n "$(namespace "$lab" "$1")" route show default 2>/dev/null
}

start_oor() { # NODE
    "$files/start" "$lab" "$1" "$files/$1.oor" "$run/$lab/oor"
}

run_cases() { # short | --long
    local started=$SECONDS
    registrations
    pings "at first"
    proxy_etr
    smr_from_oor
    smr_from_eidway
    stays_registered "$1" "$started"
    probes
    [ "$1" != --long ] || restarts
}

registrations() {
    case_is "OpenOverlayRouter as xTR, Eidway as map-server: both families register"
    await 10 "MSMR has 192.168.0.0/24, registered by xTR2" registered 192.168.0.0/24 198.51.100.21
    await 10 "MSMR has 2001:db8:b::/64, registered by xTR2" registered 2001:db8:b::/64 198.51.100.21

    case_is "Eidway as xTR, OpenOverlayRouter as map-server: both families register"
    await 10 "OMS has acknowledged the prefixes of xTR1" acknowledged xTR1 209.165.202.61
    await 10 "OMS has acknowledged the prefixes of xTR3" acknowledged xTR3 209.165.202.61
}

pings() { # WHEN
    case_is "pings $1, through both map-resolvers: A's is MSMR, B's too, C's is OMS"
    local pair family
    for pair in "A B" "B A" "C B" "B C" "C A"; do
        for family in "" --ipv6; do
            # OpenOverlayRouter drops a packet while it asks where it has to go.
            # shellcheck disable=SC2086 # words are wanted
            ping_once $pair $family >/dev/null 2>&1 || true
            # shellcheck disable=SC2086
            await 5 "${pair% *} pings ${pair#* }${family:+ (IPv6)}: 5 of 5 answers" ping_all $pair $family
        done
    done
}

proxy_etr() {
    case_is "Eidway as proxy ETR: B sends to 209.165.201.1, which is no EID, by way of xTR3"
    # There is no way back to an EID from there, so only the echo is seen.
    inside "$lab" B ping -q -c 4 -i 0.5 -W 1 209.165.201.1 >"$scratch/output" 2>&1 || true
    local echo="icmp.type == 8 && ip.src == 192.168.0.22 && ip.dst == 209.165.201.1"
    await 5 "its echo goes encapsulated to xTR3" seen "$echo && udp.dstport == 4341 && ip.dst == 192.0.2.51"
    await 5 "and natively from there" seen "$echo && !udp"
}

smr_from_oor() {
    case_is "SMR from OpenOverlayRouter: xTR2 changes its address from 198.51.100.21 to .22"
    inside "$lab" xTR2 ip address add 198.51.100.22/24 dev eth0
    inside "$lab" xTR2 sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/promote_secondaries'
    inside "$lab" xTR2 ip address del 198.51.100.21/24 dev eth0
    local smr="lisp.type == 1 && lisp.mreq.flags.smr == 1 && ip.src == 198.51.100.22"
    local asks="lisp.type == 8 && lisp.mreq.flags.smri == 1"
    await 15 "an SMR goes from xTR2 to xTR1" seen "$smr && ip.dst == 203.0.113.11"
    await 15 "an SMR goes from xTR2 to xTR3" seen "$smr && ip.dst == 192.0.2.51"
    await 5 "xTR1 asks MSMR again, with an SMR-invoked Map-Request" seen "$asks && ip.src == 203.0.113.11 && ip.dst == 209.165.201.31"
    await 5 "xTR3 asks OMS again, with an SMR-invoked Map-Request" seen "$asks && ip.src == 192.0.2.51 && ip.dst == 209.165.202.61"
    local router prefix
    for router in xTR1 xTR3; do
        for prefix in 192.168.0.0/24 2001:db8:b::/64; do
            await 10 "$router sends to $prefix by 198.51.100.22" map_cache_has "$router" "$prefix" 198.51.100.22
        done
    done
    pings "after xTR2's new address"
}

smr_from_eidway() {
    case_is "SMR from Eidway: xTR1 prefers its second uplink, 198.18.1.11"
    local changed
    changed=$(date +%s.%N)
    check "the console takes the new priorities" configure xTR1 'router lisp' 'locator-set set1' \
        '203.0.113.11 priority 2 weight 100' '198.18.1.11 priority 1 weight 100'
    local after="frame.time_epoch > $changed"
    await 10 "an SMR goes from xTR1 to xTR2" seen "$after && lisp.type == 1 && lisp.mreq.flags.smr == 1 && ip.dst == 198.51.100.22"
    await 10 "xTR2 asks MSMR again, with an SMR-invoked Map-Request" seen "$after && lisp.type == 8 && lisp.mreq.flags.smri == 1 && ip.src == 198.51.100.22"
    pings "after xTR1's new preference"
    await 5 "B's echos reach A by the second uplink" seen "$after && udp.dstport == 4341 && ip.src == 198.51.100.22 && ip.dst == 198.18.1.11 && icmp.type == 8"
    await 5 "and those of IPv6" seen "$after && udp.dstport == 4341 && ip.src == 198.51.100.22 && ip.dst == 198.18.1.11 && icmpv6.type == 128"
}

stays_registered() { # short | --long, AND THE SECOND WHEN IT BEGAN
    local length=70
    [ "$1" != --long ] || length=600
    case_is "OpenOverlayRouter stays registered for $length s"
    local prefix until=$(($2 + length)) lost=
    while [ $SECONDS -lt "$until" ] && [ -z "$lost" ]; do
        for prefix in 192.168.0.0/24 2001:db8:b::/64; do
            registered "$prefix" 198.51.100.22 >"$scratch/output" 2>&1 || lost=$prefix
        done
        sleep 1
    done
    check "its prefixes were registered all the time${lost:+: not $lost}" [ -z "$lost" ]
    local registers="lisp.type == 3 && (ip.src == 198.51.100.21 || ip.src == 198.51.100.22)"
    check "MSMR has answered each of its Map-Registers" all_answered "$registers && ip.dst == 209.165.201.31" "lisp.type == 4 && ip.src == 209.165.201.31"
    check "OMS has answered each Map-Register of xTR1 and xTR3" all_answered \
        "lisp.type == 3 && ip.dst == 209.165.202.61 && (ip.src == 203.0.113.11 || ip.src == 198.18.1.11 || ip.src == 192.0.2.51) && frame.time_relative > 5" \
        "lisp.type == 4 && ip.src == 209.165.202.61"
    check "OMS still has the prefixes of xTR1" acknowledged xTR1 209.165.202.61
    check "OMS still has the prefixes of xTR3" acknowledged xTR3 209.165.202.61
}

probes() {
    case_is "RLOC probes: Eidway answers those of OpenOverlayRouter"
    check "each RLOC probe of xTR2 has its Map-Reply" all_answered \
        "lisp.type == 1 && lisp.mreq.flags.probe == 1 && (ip.src == 198.51.100.21 || ip.src == 198.51.100.22)" \
        "lisp.type == 2 && lisp.mrep.flags.probe == 1"
    check "xTR2 takes none of its locators for unreachable" sh -c "! grep 'changes to DOWN' $run/$lab/xTR2.oor.log"
}

restarts() {
    case_is "OpenOverlayRouter's xTR ends and starts again"
    kill "$(cat "$run/$lab/xTR2.oor.pid")"
    start_oor xTR2
    pings "after xTR2's restart"
    await 15 "MSMR has 192.168.0.0/24" registered 192.168.0.0/24 198.51.100.22

    case_is "Eidway's map-server restarts: OpenOverlayRouter registers again within its minute"
    check "MSMR restarts" "$eidway" lab restart "$lab" MSMR
    await 70 "MSMR has 192.168.0.0/24" registered 192.168.0.0/24 198.51.100.22
    await 70 "MSMR has 2001:db8:b::/64" registered 2001:db8:b::/64 198.51.100.22
    pings "after MSMR's restart"

    case_is "OpenOverlayRouter's map-server ends and starts again: Eidway registers within its minute"
    kill "$(cat "$run/$lab/OMS.oor.pid")"
    start_oor OMS
    local newest
    newest=$(date +%s.%N)
    await 70 "OMS answers a Map-Register of xTR1" seen "frame.time_epoch > $newest && lisp.type == 4 && ip.src == 209.165.202.61 && (ip.dst == 203.0.113.11 || ip.dst == 198.18.1.11)"
    await 70 "OMS answers a Map-Register of xTR3" seen "frame.time_epoch > $newest && lisp.type == 4 && ip.src == 209.165.202.61 && ip.dst == 192.0.2.51"
    pings "after OMS's restart"
}
