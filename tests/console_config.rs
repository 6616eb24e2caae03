//! Config files: the lines that are taken and those that are refused, with the errors.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use eidway::addr::{EidPrefix, InstanceId};
use eidway::console::{ProblemKind, Reading, parse_config, read_config, running_config};
use eidway::router::config::{DatabaseMapping, InterfaceName, NonceOrder};
use eidway::wire::auth::Algorithm;

const XTR: &str = "\
Building configuration...

Current configuration : 1234 bytes
!
version 15.5
service timestamps debug datetime msec
no service password-encryption
!
hostname xTR1
!
boot-start-marker
boot-end-marker
!
no aaa new-model
no ip domain lookup
ip cef
ipv6 unicast-routing
ipv6 cef
!
interface Loopback0
 ip address 203.0.113.200 255.255.255.255
!
interface ethernet 0/0
 description to Core1,  two blanks
 ip address 203.0.113.11 255.255.255.0
 no shutdown
 duplex auto
!
interface Ethernet1/0
 ip address 172.16.0.1/24
 ip address 172.16.1.1 255.255.255.0 secondary
 ipv6 address 2001:DB8:A::1/64
 ip proxy-arp
 shutdown
 mtu 1400
!
router lisp
 locator-table default
 locator-set set1
  203.0.113.11 priority 1 weight 100
  IPv4-interface Loopback0 priority 10 weight 10
  exit
 !
 eid-table default instance-id 0
  database-mapping 172.16.0.5/24 locator-set set1
  database-mapping 2001:db8:a::/64 locator-set set1
  database-mapping 10.10.10.0/24 203.0.113.11 priority 1 weight 50
  map-cache 172.16.0.0/16 map-request
  exit
 !
 site SITE_A
  authentication-key cisco
  eid-prefix 172.16.0.0/24 accept-more-specifics
  eid-prefix instance-id 7 2001:db8:a::/64
  exit
 !
 ipv4 map-server
 ipv4 map-resolver
 ipv4 itr map-resolver 209.165.201.41
 ipv4 itr map-resolver 209.165.201.31
 ipv4 itr
 ipv4 etr map-server 209.165.201.31 key 0 secret hash-function sha2 proxy-reply
 ipv4 etr map-server 209.165.201.41 key secret
 ipv4 etr
 ipv6 itr map-resolver 209.165.201.41
 ipv6 itr
 ipv4 use-petr 192.0.2.51
 ipv4 map-cache-limit 5000
 ipv4 etr map-cache-ttl 60
 ipv4 map-request-source 172.16.0.1
 exit
!
ip route 0.0.0.0 0.0.0.0 203.0.113.1
ip route 10.1.2.3 255.0.0.0 Null0
ipv6 route ::/0 2001:db8:c:1::1
!
line vty 0 4
 login
 transport input all
!
end
";

fn net(text: &str) -> ipnet::IpNet {
    text.parse().unwrap()
}

fn address(text: &str) -> std::net::IpAddr {
    text.parse().unwrap()
}

fn wrong(text: &str) -> String {
    parse_config("test.conf", text).unwrap_err().to_string()
}

#[test]
fn a_page_of_ios_configuration_pastes_in() {
    let config = parse_config("xtr1.conf", XTR).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.hostname, "xTR1");
    let e1: InterfaceName = "Ethernet1/0".parse().unwrap();
    let interface = &config.interfaces[&e1];
    let addresses = ["172.16.0.1/24", "172.16.1.1/24", "2001:db8:a::1/64"].map(net);
    assert_eq!(interface.addresses, addresses);
    assert!(interface.shutdown && interface.proxy_arp);
    assert_eq!(interface.mtu, Some(1400));
    let e0 = &config.interfaces[&"e0/0".parse().unwrap()];
    assert_eq!(e0.description.as_deref(), Some("to Core1,  two blanks"));
    assert!(!e0.shutdown);
    let lisp = config.lisp.as_ref().unwrap();
    assert_eq!(lisp.locator_sets["set1"].len(), 2);
    let table = &lisp.eid_tables[&InstanceId::DEFAULT];
    assert_eq!(
        table.database[&net("172.16.0.0/24")],
        DatabaseMapping::LocatorSet("set1".to_owned())
    );
    assert!(table.map_requests.contains(&net("172.16.0.0/16")));
    let site = &lisp.sites["SITE_A"];
    assert_eq!(site.key.as_ref().unwrap().secret, b"cisco");
    let more = EidPrefix::new(InstanceId::DEFAULT, net("172.16.0.0/24"));
    assert!(site.eid_prefixes[&more].accept_more_specifics);
    let server = &lisp.ipv4.etr_map_servers[&address("209.165.201.31")];
    assert_eq!(server.key.algorithm, Algorithm::HmacSha256);
    assert!(server.proxy_reply);
    let order = ["209.165.201.41", "209.165.201.31"].map(address);
    assert_eq!(lisp.ipv4.itr_map_resolvers, order);
    assert!(lisp.ipv6.itr && !lisp.ipv6.etr);
    assert_eq!(config.static_routes.len(), 3);
}

#[test]
fn the_order_of_nonces_is_that_of_xtr_ids_unless_said_otherwise() {
    let order = |lines: &str| {
        let text = format!("router lisp\n site S\n{lines}");
        parse_config("s.conf", &text).unwrap().lisp.unwrap().sites["S"].nonce_order
    };
    assert_eq!(order(""), NonceOrder::Id);
    assert_eq!(order("  nonce-order id\n"), NonceOrder::Id);
    assert_eq!(order("  nonce-order strict\n"), NonceOrder::Strict);
    assert_eq!(order("  nonce-order none\n"), NonceOrder::None);
    assert_eq!(order("  nonce-order none\n  no nonce-order\n"), NonceOrder::Id);
    assert!(wrong("router lisp\n site S\n  nonce-order some\n").contains("nonce-order some"));
}

#[test]
fn a_fixed_page_reads_back() {
    let config = parse_config("xtr1.conf", XTR).unwrap();
    let text = running_config(&config);
    assert_eq!(parse_config("running", &text), Ok(config), "{text}");
}

#[test]
fn newer_service_blocks_say_the_same() {
    let old = "\
router lisp
 locator-set s
  192.0.2.1 priority 1 weight 1
  exit
 eid-table default instance-id 5
  database-mapping 10.0.0.0/24 locator-set s
  exit
 ipv4 itr map-resolver 192.0.2.9
 ipv4 itr
 ipv6 etr
";
    let new = "\
router lisp
 locator-set s
  192.0.2.1 priority 1 weight 1
  exit-locator-set
 service ipv4
  itr map-resolver 192.0.2.9
  itr
  exit-service-ipv4
 service ipv6
  etr
  exit-service-ipv6
 instance-id 5
  service ipv4
   eid-table default
   database-mapping 10.0.0.0/24 locator-set s
   exit-service-ipv4
  exit-instance-id
 exit-router-lisp
";
    let old = parse_config("old", old).unwrap_or_else(|error| panic!("{error}"));
    let new = parse_config("new", new).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(old, new);
}

#[test]
fn the_old_style_in_the_global_configuration_says_the_same() {
    let old = "\
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
ip lisp database-mapping 10.1.0.0/16 203.0.113.11 priority 1 weight 50
ip lisp map-cache 10.0.0.0/8 map-request
ip lisp itr map-resolver 203.0.113.9
ip lisp etr map-server 203.0.113.9 key cisco
ip lisp itr-etr
ipv6 lisp map-server
lisp loc-reach-algorithm lsb-reports
ip lisp alt-vrf RED
lisp site S
 authentication-key cisco
 eid-prefix 10.1.0.0/16
 exit
lisp site T
 eid-prefix 10.2.0.0/16
";
    let new = "\
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
router lisp
 database-mapping 10.1.0.0/16 203.0.113.11 priority 1 weight 50
 map-cache 10.0.0.0/8 map-request
 ipv4 itr map-resolver 203.0.113.9
 ipv4 etr map-server 203.0.113.9 key cisco
 ipv4 itr
 ipv4 etr
 ipv6 map-server
 loc-reach-algorithm lsb-reports
 ! not supported: ip lisp alt-vrf RED
 site S
  authentication-key cisco
  eid-prefix 10.1.0.0/16
  exit
 site T
  eid-prefix 10.2.0.0/16
";
    let config = parse_config("old.conf", old).unwrap();
    assert_eq!(config, parse_config("new.conf", new).unwrap());
    let without = [old, "no ip lisp itr-etr\n"].concat();
    let lisp = parse_config("old.conf", &without).unwrap().lisp.unwrap();
    assert!(!lisp.ipv4.itr && !lisp.ipv4.etr);
}

#[test]
fn a_comment_may_follow_a_command_but_not_a_text() {
    let commented = "\
hostname R1  ! the router
interface Ethernet0/0 ! the core
 description up! and down ! here
 ip address 10.0.0.1 255.255.255.0   ! RLOC
";
    let config = parse_config("test.conf", commented).unwrap();
    assert_eq!(config.hostname, "R1");
    let interface = config.interfaces.values().next().unwrap();
    assert_eq!(interface.description.as_deref(), Some("up! and down ! here"));
    assert_eq!(interface.addresses, [net("10.0.0.1/24")]);
    let wrong = wrong("interface Ethernet0/0\n ip adress 10.0.0.1 255.255.255.0 ! RLOC\n");
    assert!(wrong.contains("^^^^^^ expected one of"), "{wrong}");
}

#[test]
fn exec_commands_around_a_configuration_are_ignored() {
    let text = "enable\nconf t\nhostname R1\nrouter lisp\n ipv4 itr\n do show ip lisp\n exit\n\
                do wr\nip host a 10.0.0.1\nend\nwrite memory\ncopy run start\n";
    let reading = read_config("test.conf", text);
    let ignored: Vec<(usize, &str)> =
        reading.report.problems.iter().map(|problem| (problem.line, problem.text.trim())).collect();
    let expected = [
        (1, "enable"),
        (2, "conf t"),
        (6, "do show ip lisp"),
        (8, "do wr"),
        (11, "write memory"),
        (12, "copy run start"),
    ];
    assert_eq!(ignored, expected);
    assert!(!reading.report.is_refused());
    let expected = "hostname R1\nip host a 10.0.0.1\nrouter lisp\n ipv4 itr\n";
    assert_eq!(reading.config, parse_config("test.conf", expected).unwrap());
}

#[test]
fn a_second_eid_table_is_refused_where_it_stands() {
    let first = "router lisp\n eid-table default instance-id 5\n";
    for second in ["eid-table default instance-id 7", "instance-id 7"] {
        let text =
            format!("{first}  exit\n {second}\n  database-mapping 10.0.0.0/8 locator-set s\n");
        let error = parse_config("two.conf", &text).unwrap_err();
        let [problem] = &error.problems[..] else { panic!("{error}") };
        assert_eq!((problem.line, &text[problem.span_in_file()]), (4, "7"));
        let cure = "remove it first with `no eid-table default instance-id 5`";
        assert!(problem.message.ends_with(cure), "{error}");
        let again = format!("{first} no eid-table default instance-id 5\n {second}\n");
        let config = parse_config("one.conf", &again).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(config.instance_of_command(None), InstanceId::new(7).unwrap());
    }
    let same = format!("{first} instance-id 5\n eid-table default instance-id 5\n");
    assert!(parse_config("same.conf", &same).is_ok());
}

#[test]
fn a_no_form_undoes_its_command() {
    let undone = "\
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
 ip address 203.0.114.11 255.255.255.0 secondary
 no ip address 203.0.114.11 255.255.255.0 secondary
 shutdown
 no shutdown
 mtu 1400
 no mtu
router lisp
 locator-set s
  192.0.2.1 priority 1 weight 1
  192.0.2.2 priority 1 weight 1
  no 192.0.2.2 priority 1 weight 1
 eid-table default instance-id 0
  database-mapping 10.0.0.0/24 locator-set s
  database-mapping 10.1.0.0/24 192.0.2.1 priority 1 weight 1
  no database-mapping 10.0.0.0/24 locator-set s
  no database-mapping 10.1.0.0/24
 ipv4 itr
 no ipv4 itr
 ipv4 proxy-itr 192.0.2.1
 ipv4 itr map-resolver 192.0.2.9
 no ipv4 itr map-resolver 192.0.2.9
ip route 10.0.0.0 255.0.0.0 192.0.2.3
no ip route 10.0.0.0 255.0.0.0
";
    let expected = "\
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
!
router lisp
 locator-set s
  192.0.2.1 priority 1 weight 1
  exit-locator-set
 !
 eid-table default instance-id 0
  exit-eid-table
 !
 ipv4 proxy-itr 192.0.2.1
 exit-router-lisp
!
end
";
    let config = parse_config("undone", undone).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(running_config(&config), expected);
}

#[test]
fn a_wrong_word_is_shown_in_its_line_with_what_was_expected() {
    let shown = wrong("hostname x\nrouter lisp\n ipv4 etr map-sorver 192.0.2.1 key k\n");
    let expected = "\
error: invalid input
 --> test.conf:3:11
  |
3 |  ipv4 etr map-sorver 192.0.2.1 key k
  |           ^^^^^^^^^^ expected one of map-server, map-cache-ttl, smr-peer, forward-away, source-check, <cr>
  |
  = note: the line stands in the mode `config-router-lisp`";
    assert_eq!(shown, expected);
}

#[test]
fn every_wrong_line_is_told_and_lines_under_one_are_not_judged() {
    let error = parse_config(
        "test.conf",
        "interface Some0/0\n ip address 10.0.0.1 255.0.0.0\nhost\nfoo\nrouter lisp\n ipv4 bar\n",
    )
    .unwrap_err();
    let lines: Vec<usize> = error.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 3, 4, 6]);
    assert_eq!(error.problems[1].message, "incomplete command");
    let many = parse_config("test.conf", &"foo\n".repeat(30)).unwrap_err();
    assert_eq!(many.problems.len(), 30);
}

#[test]
fn what_makes_no_sense_is_told_at_its_word() {
    let set = "router lisp\n locator-set s\n  192.0.2.1 priority 1 weight 1\n";
    for (text, message, blamed) in [
        (
            "interface e0/0\n ip address 10.0.0.1 255.0.255.0\n".to_owned(),
            "the mask is not contiguous",
            "255.0.255.0",
        ),
        (
            "interface e0/0\n ip address 10.0.0.1 255.0.0.0\ninterface e1/0\n ip address \
             10.0.0.1 255.0.0.0\n"
                .to_owned(),
            "Ethernet0/0 already has the address 10.0.0.1",
            "10.0.0.1",
        ),
        (
            "router lisp\n ipv4 itr\n ipv4 proxy-itr 192.0.2.1\n".to_owned(),
            "Disable ITR functionality first.",
            "proxy-itr",
        ),
        (
            "router lisp\n ipv4 proxy-itr 192.0.2.1\n ipv4 itr\n".to_owned(),
            "Disable PITR functionality first.",
            "itr",
        ),
        (
            "router lisp\n ipv4 map-request-source 2001:db8::1\n".to_owned(),
            "an IPv4 address is expected",
            "2001:db8::1",
        ),
        (
            "router lisp\n instance-id 1\n  service ipv4\n   map-cache 2001:db8::/32 map-request\n"
                .to_owned(),
            "an IPv4 prefix is expected",
            "2001:db8::/32",
        ),
        (
            format!(
                "{set} eid-table default instance-id 0\n  database-mapping 10.0.0.0/8 \
                     locator-set s\n no locator-set s\n"
            ),
            "database-mapping 10.0.0.0/8 uses the locator-set",
            "s",
        ),
    ] {
        let error = parse_config("test.conf", &text).unwrap_err();
        assert_eq!(error.problems.len(), 1, "{error}");
        let problem = &error.problems[0];
        assert_eq!(problem.message, message);
        assert_eq!(&text[problem.span_in_file()], blamed);
    }
}

#[test]
fn a_missing_key_is_incomplete_and_an_unknown_algorithm_is_not_ignored() {
    let shown = wrong("router lisp\n ipv4 etr map-server 192.0.2.1");
    assert!(
        shown.contains("incomplete command") && shown.contains("expected one of key"),
        "{shown}"
    );
    let shown = wrong("router lisp\n loc-reach-algorithm lsb\n loc-reach-algorithm probes\n");
    assert!(shown.contains("invalid input"), "{shown}");
    let shown = wrong("interface e0/0\n ip address 2001:db8::1 255.0.0.0\n");
    assert!(shown.contains("expected one of A.B.C.D, A.B.C.D/nn"), "{shown}");
}

const ROAMING: &str = "\
interface Ethernet1/0
 mac-address 0000.5e00.0101
 ip address 172.16.0.1 255.255.255.0
 ipv6 address fe80::1 link-local
 lisp mobility ROAM
!
interface Ethernet2/0
 ip address 172.16.0.1 255.255.255.0
 ipv6 address fe80::1 link-local
 lisp mobility ROAM
!
router lisp
 locator-set s
  192.0.2.1 priority 1 weight 1
  exit-locator-set
 !
 eid-table default instance-id 0
  database-mapping 172.16.0.0/16 locator-set s
  dynamic-eid ROAM
   database-mapping 172.16.0.0/24 locator-set s
   database-mapping 2001:db8:a::/64 192.0.2.1 priority 1 weight 1
   exit-dynamic-eid
  !
  exit-eid-table
 !
 ipv4 map-server legacy
 ipv4 itr smr-delay 250
 ipv4 itr accept-default
 ipv4 itr widest-mapping 12
 ipv4 etr smr-peer 192.0.2.9
 no ipv4 etr forward-away
 no ipv4 etr source-check
 exit-router-lisp
!
end
";

#[test]
fn what_roaming_needs_reads_back_as_it_is_written() {
    let config = parse_config("roaming", ROAMING).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(running_config(&config), ROAMING);
    let undone = ROAMING.replace("exit-router-lisp\n", "default ipv4 etr forward-away\n")
        + "router lisp\n ipv4 etr source-check\n no ipv4 map-server legacy\n no ipv4 itr smr-delay\n \
           no ipv4 itr widest-mapping\n no ipv4 itr accept-default\n";
    let lisp = parse_config("undone", &undone).unwrap().lisp.unwrap();
    assert!(!lisp.ipv4.itr_accept_default && lisp.ipv4.itr_widest_mapping.is_none());
    assert!(!lisp.ipv4.etr_no_source_check);
    assert!(!lisp.ipv4.etr_no_forward_away && lisp.ipv4.itr_smr_delay_ms.is_none());
    assert!(lisp.ipv4.map_server && !lisp.ipv4.map_server_legacy);
}

#[test]
fn a_dynamic_eid_may_stand_in_an_instance_of_newer_ios() {
    let new = "\
router lisp
 locator-set s
  192.0.2.1 priority 1 weight 1
 instance-id 0
  dynamic-eid ROAM
   database-mapping 172.16.0.0/24 locator-set s
   exit-dynamic-eid
  service ipv4
   database-mapping 172.16.0.0/16 locator-set s
";
    let config = parse_config("new", new).unwrap_or_else(|error| panic!("{error}"));
    let table = &config.lisp.as_ref().unwrap().eid_tables[&InstanceId::DEFAULT];
    assert!(table.dynamic_eids["ROAM"].database.contains_key(&net("172.16.0.0/24")));
    assert!(table.database.contains_key(&net("172.16.0.0/16")));
}

#[test]
fn a_range_of_roaming_hosts_is_more_specific_than_static_mappings() {
    let set = "router lisp\n locator-set s\n  192.0.2.1 priority 1 weight 1\n";
    let table = format!("{set} eid-table default instance-id 0\n");
    let range = "  dynamic-eid R\n   database-mapping 172.16.0.0/24 locator-set s\n";
    let line = |prefix: &str| format!("  database-mapping {prefix} locator-set s\n");
    let other = format!("{range}   exit\n  dynamic-eid Q\n {}", line("172.16.0.0/24"));
    for (text, message) in [
        (
            line("172.16.0.0/24") + range,
            "172.16.0.0/24 is not more specific than database-mapping 172.16.0.0/24",
        ),
        (
            line("172.16.0.128/25") + range,
            "172.16.0.0/24 is not more specific than database-mapping 172.16.0.128/25",
        ),
        (
            format!("{range}   exit\n{}", line("172.16.0.12/32")),
            "172.16.0.12/32 lies in the range 172.16.0.0/24 of dynamic-eid R",
        ),
        (other, "dynamic-eid R already has 172.16.0.0/24"),
    ] {
        let error = parse_config("test.conf", &format!("{table}{text}")).unwrap_err();
        assert_eq!(error.problems[0].message, message);
    }
    assert!(parse_config("test.conf", &format!("{table}{}{range}", line("172.16.0.0/16"))).is_ok());
}

#[test]
fn what_a_file_never_defines_is_told_at_the_line_that_names_it() {
    let text = "interface e1/0\n lisp mobility NOWHERE\n";
    let Reading { config, report } = read_config("test.conf", text);
    assert_eq!(config.interfaces.len(), 1);
    assert_eq!((report.problems[0].line, report.problems[0].kind), (2, ProblemKind::Contradiction));
    assert_eq!(&text[report.problems[0].span_in_file()], "lisp mobility NOWHERE");
    let shared = ROAMING.replacen(" lisp mobility ROAM\n!\nrouter", "!\nrouter", 1);
    let report = read_config("test.conf", &shared).report;
    assert_eq!((report.problems.len(), report.problems[0].line), (1, 8), "{report}");
    let no_set = ROAMING.replace(" locator-set s\n  192", " locator-set other\n  192");
    let report = read_config("test.conf", &no_set).report;
    let [problem] = &report.problems[..] else { panic!("{report}") };
    assert_eq!((problem.line, &*problem.mode), (18, "config-router-lisp-eid-table"), "{report}");
    assert!(problem.message.ends_with("the router does not register the prefix"), "{report}");
    let shown = wrong("interface e1/0\n ipv6 address fe80::1/64\n");
    assert!(shown.contains("needs the word link-local"), "{shown}");
    let shown = wrong("interface e1/0\n mac-address 0100.5e00.0101\n");
    assert!(shown.contains("not a unicast MAC address"), "{shown}");
}
