//! The styles in which IOS engineers write a configuration: the old one, the new one, and mixtures.
//! Each is read, printed in the one style of `show running-config`, and read again.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use eidway::console::client::{Client, InProcess};
use eidway::console::hosts::NoHosts;
use eidway::console::{Session, parse_config, running_config};
use eidway::rng::Seed;
use eidway::router::{Router, Start};
use eidway::time::Time;

/// The lines that `show running-config` prints for `typed`, without marks, `exit` lines and `end`.
/// The printed text is read again and must give the same configuration.
fn printed(typed: &str) -> Vec<String> {
    let config = parse_config("typed", typed).unwrap_or_else(|error| panic!("{error}"));
    let text = running_config(&config);
    let again = parse_config("printed", &text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again, config, "{text}");
    let says_nothing = |line: &&str| *line == "!" || *line == "end" || line.starts_with("exit-");
    text.lines().map(str::trim).filter(|line| !says_nothing(line)).map(str::to_owned).collect()
}

/// Asserts that the lines of `typed` print as `expected`.
fn assert_prints(typed: &str, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(printed(typed), expected, "{typed}");
}

fn refusal(typed: &str) -> (usize, String, String) {
    let error = parse_config("typed", typed).unwrap_err();
    let [problem] = &error.problems[..] else { panic!("{error}") };
    (problem.line, typed[problem.span_in_file()].to_owned(), problem.message.clone())
}

const SET: &str = "router lisp\n locator-set s\n  192.0.2.1\n  exit-locator-set\n";

#[test]
fn any_interface_of_ios_has_its_lines() {
    assert_prints(
        "interface Gi0/0/1\n description core\n ip address 10.0.0.1 255.255.255.0\n\
         interface tengig 1/1/1\n mtu 9000\ninterface vlan 10\n shutdown\n\
         interface gi0/0.100\ninterface Loopback0\ninterface Port-channel 1\n no shut\n",
        "interface GigabitEthernet0/0.100
         interface GigabitEthernet0/0/1
         description core
         ip address 10.0.0.1 255.255.255.0
         interface TenGigabitEthernet1/1/1
         mtu 9000
         interface Port-channel1
         interface Vlan10
         shutdown
         interface Loopback0",
    );
}

#[test]
fn interfaces_that_a_router_cannot_have_are_ignored_with_their_block() {
    let other = "interface GigabitEthernet1\n description lab\n";
    for name in ["LISP0", "LISP0.100", "lisp 0", "Tunnel0", "tunnel 0", "nve1", "Dialer1"] {
        let block = format!("interface {name}\n ip address 10.0.0.1 255.0.0.0\n shutdown\n!\n");
        for typed in [format!("{block}{other}"), format!("{other}{block}")] {
            assert_prints(&typed, other);
        }
    }
}

#[test]
fn the_lines_of_an_eid_table_may_stand_directly_under_router_lisp() {
    assert_prints(
        &format!(
            "{SET} database-mapping 10.1.0.0/16 locator-set s\n map-cache 0.0.0.0/0 map-request\n \
             dynamic-eid ROAM\n  database-mapping 10.1.1.0/24 locator-set s\n  exit-dynamic-eid\n \
             ipv4 itr\n"
        ),
        "router lisp
         locator-set s
         192.0.2.1 priority 1 weight 100
         eid-table default instance-id 0
         database-mapping 10.1.0.0/16 locator-set s
         map-cache 0.0.0.0/0 map-request
         dynamic-eid ROAM
         database-mapping 10.1.1.0/24 locator-set s
         ipv4 itr",
    );
}

const SERVICE: &str = "\
itr map-resolver 192.0.2.9
itr
etr map-server 192.0.2.9 key 7 070C285F4D06
etr map-server 192.0.2.9 proxy-reply
etr
map-server
map-resolver
proxy-etr
use-petr 192.0.2.7 priority 2
map-cache-limit 500
solicit-map-request ignore
";

const SERVICE_PRINTED: &str = "
ipv4 map-server
ipv4 map-resolver
ipv4 itr map-resolver 192.0.2.9
ipv4 itr
ipv4 etr map-server 192.0.2.9 key cisco proxy-reply
ipv4 etr
ipv4 proxy-etr
ipv4 use-petr 192.0.2.7 priority 2 weight 100
ipv4 map-cache-limit 500
ipv4 solicit-map-request ignore
";

#[test]
fn the_lines_of_a_service_are_the_same_in_every_place() {
    let indented = |blanks: &str, before: &str| -> String {
        SERVICE.lines().map(|line| format!("{blanks}{before}{line}\n")).collect()
    };
    for (name, lines) in [
        ("under router lisp", indented(" ", "ipv4 ")),
        ("service", format!(" service ipv4\n{}  exit-service-ipv4\n", indented("  ", ""))),
        ("an EID-table", format!(" eid-table default instance-id 7\n{}", indented("  ", "ipv4 "))),
        ("an instance", format!(" instance-id 7\n{}", indented("  ", "ipv4 "))),
        (
            "the service of an instance",
            format!(
                " instance-id 7\n  service ipv4\n   eid-table default\n{}   exit-service-ipv4\n  \
                 exit-instance-id\n",
                indented("   ", "")
            ),
        ),
    ] {
        let printed = printed(&format!("router lisp\n{lines} exit-router-lisp\n"));
        let table = lines.contains(" 7\n").then_some("eid-table default instance-id 7");
        let expected: Vec<&str> = ["router lisp"]
            .into_iter()
            .chain(table)
            .chain(SERVICE_PRINTED.lines().skip(1))
            .collect();
        assert_eq!(printed, expected, "{name}");
    }
}

#[test]
fn one_instance_works_whatever_its_name_and_number() {
    let table = "  database-mapping 10.0.0.0/8 locator-set s\n";
    let expected = "router lisp
         locator-set s
         192.0.2.1 priority 1 weight 100
         eid-table vrf RED instance-id 4097
         database-mapping 10.0.0.0/8 locator-set s";
    for lines in [
        format!(" eid-table vrf RED instance-id 4097\n{table}  exit-eid-table\n"),
        format!(" instance-id 4097\n  service ipv4\n   eid-table vrf RED\n {table}"),
        format!(" instance-id 4097\n  eid-table vrf RED\n  service ipv4\n {table}"),
    ] {
        assert_prints(&format!("{SET}{lines}"), expected);
    }
    let first = format!("{SET} eid-table vrf RED instance-id 4097\n{table}  exit\n");
    for (second, wrong) in [
        (" eid-table vrf BLUE instance-id 4098\n", "4098"),
        (" instance-id 4098\n", "4098"),
        (" database-mapping 172.16.0.0/16 locator-set s\n", "database-mapping"),
        (" dynamic-eid X\n", "dynamic-eid"),
    ] {
        let (line, blamed, message) = refusal(&format!("{first}{second}"));
        assert_eq!(line, 8, "{second}");
        assert!(blamed.starts_with(wrong), "{second}: {blamed}");
        assert!(message.contains("instance-id 4097 already has an EID-table"), "{message}");
    }
}

#[test]
fn the_vrf_of_an_eid_table_is_named_in_every_title() {
    let text = format!(
        "{SET} instance-id 101\n  service ipv4\n   eid-table vrf CAMPUS\n   itr\n   etr\n\
         \x20  database-mapping 10.1.0.0/16 locator-set s\n"
    );
    let config = parse_config("typed", &text).unwrap_or_else(|error| panic!("{error}"));
    let (seed, now) = (Seed::from_number(1), Time::ZERO);
    let mut router = Router::new(Start { config, seed, wall_clock: 1, now });
    let (mut session, mut hosts) = (Session::new(), NoHosts);
    let mut client = Client::new(InProcess {
        session: &mut session,
        router: &mut router,
        hosts: &mut hosts,
        now,
    });
    for (command, title) in [
        ("show ip lisp map-cache", "for EID-table vrf CAMPUS (IID 101)"),
        ("show ip lisp database", "for EID-table vrf CAMPUS (IID 101)"),
        ("show ip lisp database json", "\"eid_table\":\"vrf CAMPUS\""),
        ("show ip lisp away", "router lisp 0 (CAMPUS) IID 101"),
        ("show ip lisp smr", "router lisp 0 (CAMPUS) IID 101"),
        ("show ip lisp dynamic-eid summary", "EID-table vrf CAMPUS"),
        ("show ip lisp", "vrf CAMPUS"),
        ("show lisp instance-id 101 ipv4 map-cache", "EID-table vrf CAMPUS (IID 101)"),
        ("show lisp instance-id 101 dynamic-eid summary", "EID-table VRF \"CAMPUS\""),
        ("show lisp service ipv4 summary", "CAMPUS "),
    ] {
        let text = client.command(command).unwrap().text;
        assert!(text.contains(title), "{command}: {text}");
    }
}

#[test]
fn a_vrf_is_kept_with_its_lines() {
    assert_prints(
        "vrf definition RED\n description site\n rd 1:1\n route-target both 1:1\n !\n \
         address-family ipv4\n  route-target export 1:2 stitching\n exit-address-family\n !\n \
         address-family ipv6\n exit-address-family\n!\nip vrf BLUE\n rd 2:2\n\
         interface Gi1\n vrf forwarding RED\n ip address 10.0.0.1 255.0.0.0\n\
         interface Gi2\n ip vrf forwarding BLUE\ninterface Gi3\n vrf forwarding RED\n no vrf forwarding\n",
        "vrf definition BLUE
         rd 2:2
         address-family ipv4
         vrf definition RED
         description site
         rd 1:1
         route-target export 1:1
         route-target import 1:1
         address-family ipv4
         route-target export 1:2 stitching
         address-family ipv6
         interface GigabitEthernet1
         vrf forwarding RED
         ip address 10.0.0.1 255.0.0.0
         interface GigabitEthernet2
         vrf forwarding BLUE
         interface GigabitEthernet3",
    );
}

#[test]
fn a_site_has_the_words_of_both_vintages() {
    assert_prints(
        "router lisp 0\n site A\n  description map-server of the campus\n  key 7 070C285F4D06\n  \
         eid-record 10.0.0.0/8 accept-more-specifics instance-id 7\n  \
         eid-record instance-id 8 10.0.0.0/8\n  eid-record 172.16.0.0/16 instance-id 9 \
         accept-more-specifics\n  eid-prefix 10.0.0.0/8\n  eid-record instance-id 8190 any-mac\n  \
         exit-site\n site B\n  authentication-key 0 7\n",
        "router lisp
         site A
         description map-server of the campus
         authentication-key cisco
         eid-prefix 10.0.0.0/8
         eid-prefix instance-id 7 10.0.0.0/8 accept-more-specifics
         eid-prefix instance-id 8 10.0.0.0/8
         eid-prefix instance-id 9 172.16.0.0/16 accept-more-specifics
         ! not supported: eid-record instance-id 8190 any-mac
         site B
         authentication-key 0 7",
    );
}

#[test]
fn a_locator_needs_neither_priority_nor_weight() {
    assert_prints(
        "interface lo0\n ip address 192.0.2.1 255.255.255.255\n ipv6 address 2001:db8::1/128\n\
         router lisp\n locator-set s\n  ipv4-interface lo0\n  IPv6-interface Loopback0 weight 7\n  \
         192.0.2.2 priority 3\n database-mapping 10.0.0.0/8 ipv4-interface Loopback 0\n \
         database-mapping 10.0.0.0/8 192.0.2.3 priority 2 weight 5\n",
        "interface Loopback0
         ip address 192.0.2.1 255.255.255.255
         ipv6 address 2001:db8::1/128
         router lisp
         locator-set s
         IPv4-interface Loopback0 priority 1 weight 100
         IPv6-interface Loopback0 priority 1 weight 7
         192.0.2.2 priority 3 weight 100
         eid-table default instance-id 0
         database-mapping 10.0.0.0/8 IPv4-interface Loopback0 priority 1 weight 100
         database-mapping 10.0.0.0/8 192.0.2.3 priority 2 weight 5",
    );
}

#[test]
fn a_locator_set_may_be_filled_after_its_use() {
    assert_prints(
        "router lisp\n database-mapping 10.0.0.0/8 locator-set s\n locator-set s\n  192.0.2.1\n",
        "router lisp
         locator-set s
         192.0.2.1 priority 1 weight 100
         eid-table default instance-id 0
         database-mapping 10.0.0.0/8 locator-set s",
    );
}

#[test]
fn static_routes_have_the_options_of_ios() {
    assert_prints(
        "ip route 10.0.0.0 255.0.0.0 Gi0/0 192.0.2.1 250 name backup\n\
         ip route 10.0.0.0 255.0.0.0 192.0.2.2 tag 7 name main\n\
         ip route 10.0.0.0 255.0.0.0 192.0.2.3 5\nip route 10.0.0.0 255.0.0.0 192.0.2.3 6\n\
         ip route 10.1.0.0 255.255.0.0 Null0 254\nip route 10.2.0.0 255.255.0.0 vlan 10\n\
         ipv6 route 2001:db8::/32 Gi0/0 2001:db8:1::1 200\nipv6 route ::/0 Null0\n\
         no ipv6 route ::/0 Null0\n",
        "ip route 10.0.0.0 255.0.0.0 192.0.2.2 tag 7 name main
         ip route 10.0.0.0 255.0.0.0 192.0.2.3 6
         ip route 10.0.0.0 255.0.0.0 GigabitEthernet0/0 192.0.2.1 250 name backup
         ip route 10.1.0.0 255.255.0.0 Null0 254
         ip route 10.2.0.0 255.255.0.0 Vlan10
         ipv6 route 2001:db8::/32 GigabitEthernet0/0 2001:db8:1::1 200",
    );
}

#[test]
fn names_of_hosts_and_commands_are_kept() {
    assert_prints(
        "ip host core 192.0.2.1 192.0.2.2\nipv6 host core 2001:db8::1\nip host gone 192.0.2.3\n\
         no ip host gone\nalias exec mc show ip lisp map-cache\nalias exec x show version\n\
         no alias exec x\n",
        "ip host core 192.0.2.1 192.0.2.2
         ipv6 host core 2001:db8::1
         alias exec mc show ip lisp map-cache",
    );
}

#[test]
fn every_line_can_be_undone() {
    for (lines, no) in [
        ("router lisp\n service ipv4\n  itr\n  etr\n", "router lisp\n no service ipv4\n"),
        (
            "router lisp\n etr map-server 192.0.2.1 key k\n",
            "router lisp\n no ipv4 etr map-server 192.0.2.1\n",
        ),
        ("vrf definition RED\n rd 1:1\n", "no vrf definition RED\n"),
        ("ip host a 192.0.2.1\n", "default ip host a\n"),
        ("ip route 10.0.0.0 255.0.0.0 192.0.2.1 7\n", "no ip route 10.0.0.0 255.0.0.0 192.0.2.1\n"),
    ] {
        let lines = lines.replace(" etr map-server", " ipv4 etr map-server");
        let undone = printed(&format!("{lines}{no}"));
        let bare =
            if lines.starts_with("router") { vec!["router lisp".to_owned()] } else { vec![] };
        assert_eq!(undone, bare, "{lines}{no}");
    }
    assert_prints(
        "router lisp\n instance-id 7\n  service ipv4\n   eid-table vrf RED\n   map-cache 10.0.0.0/8 \
         map-request\n   no eid-table vrf RED\n  no service ipv4\n site S\n  description x\n  \
         no description\n  key k\n  no key k\n ipv4 etr map-server 192.0.2.1 key k proxy-reply\n \
         no ipv4 etr map-server 192.0.2.1 proxy-reply\n",
        "router lisp
         eid-table default instance-id 7
         site S
         ipv4 etr map-server 192.0.2.1 key k",
    );
}

#[test]
fn what_cannot_be_done_is_refused_with_a_reason() {
    for (typed, blamed, why) in [
        (
            "router lisp 1\nrouter lisp 2\n ipv4 itr\n",
            "2",
            "a router has only one LISP process, and this router has `router lisp 1`",
        ),
        (
            "router lisp\nrouter lisp 1\n",
            "1",
            "a router has only one LISP process, and this router has `router lisp 0`",
        ),
        (
            "router lisp\n site A\n  key 6 ABCDEF\n",
            "ABCDEF",
            "only the router that made a key of type 6 can decrypt it: write the key in plain text",
        ),
        (
            "router lisp\n site A\n  key 7 nonsense\n",
            "nonsense",
            "this key of type 7 is not valid: its decoded text must be one word",
        ),
        (
            "router lisp\n ipv4 etr map-server 192.0.2.1 proxy-reply\n",
            "192.0.2.1",
            "there is no map-server 192.0.2.1: first enter `etr map-server 192.0.2.1 key KEY`",
        ),
        (
            "router lisp\n eid-table default instance-id 5\n ipv4 use-petr 192.0.2.1 instance-id 6\n",
            "6",
            "this router sends packets of instance-id 5 only",
        ),
        ("ip host a 192.0.2.1 b\n", "192.0.2.1 b", "b is not an IPv4 address"),
    ] {
        let (_, found, message) = refusal(typed);
        assert_eq!((found.as_str(), message.as_str()), (blamed, why), "{typed}");
    }
}
