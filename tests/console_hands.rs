//! The commands that an IOS engineer types in the first ten minutes, at a router of the lab gsmr
//! that the simulator runs. Each of them gives an answer, or is refused with a reason that names
//! the command to use instead.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use eidway::lab::built_in;
use eidway::lab::running::RunningLab;
use eidway::rng::Seed;
use eidway::sim::stage::{Options, Simulated};

/// The largest number of the commands that may be refused.
const MOST_REFUSED: usize = 15;

/// All commands, and the part of the refusal of each command that is refused.
const TYPED: &[(&str, &str)] = &[
    ("enable", ""),
    ("en", ""),
    ("terminal length 0", ""),
    ("term len 0", ""),
    ("terminal width 0", ""),
    ("terminal monitor", ""),
    ("term mon", ""),
    ("terminal no monitor", ""),
    ("help", ""),
    ("ping 172.16.0.12", ""),
    ("ping 172.16.0.12 source 192.168.0.1", "IP address not on any of our up interfaces"),
    ("ping 172.16.0.12 source Ethernet1/0 repeat 100", ""),
    ("ping ipv6 2001:db8:a::12", ""),
    ("ping 203.0.113.11", ""),
    ("traceroute 172.16.0.12", ""),
    ("trace 172.16.0.12", ""),
    ("lig 172.16.0.12", ""),
    ("lig self ipv4", ""),
    ("lig 172.16.0.12 to 209.165.201.31", ""),
    ("show clock detail", ""),
    ("show users wide", ""),
    ("who", ""),
    ("enable 15", ""),
    ("show aliases", ""),
    ("show run brief", ""),
    ("show processes cpu sorted", ""),
    ("sh proc cpu sorted | exclude 0.00%", ""),
    ("show memory statistics", ""),
    ("show tcp brief all", ""),
    ("show ip vrf", ""),
    ("show ip route vrf RED", ""),
    ("show ip route ospf", ""),
    ("show ip ospf neighbor", ""),
    ("show ip bgp summary", ""),
    ("show isis neighbors", ""),
    ("show bfd neighbors", ""),
    ("show ipv6 protocols", ""),
    ("show ip prefix-list", ""),
    ("show route-map", ""),
    ("show access-lists", ""),
    ("show ip access-lists | count permit", ""),
    ("show policy-map interface", ""),
    ("show crypto isakmp sa", ""),
    ("show vlan brief", ""),
    ("show mac address-table", ""),
    ("show spanning-tree", ""),
    ("show etherchannel summary", ""),
    ("show interfaces trunk", ""),
    ("show lldp neighbors", ""),
    ("show adjacency detail", ""),
    ("show ip nat translations", ""),
    ("show ip mroute", ""),
    ("show ip sockets", ""),
    ("show standby brief", ""),
    ("show track", ""),
    ("show environment all", ""),
    ("show module", ""),
    ("show redundancy", ""),
    ("show license summary", ""),
    ("show ntp status", ""),
    ("show ip dhcp binding", ""),
    ("show snmp", ""),
    ("show line", ""),
    ("show cts role-based permissions", ""),
    ("show device-tracking database", ""),
    ("show lisp subscription", ""),
    ("show vlan | json", ""),
    ("clear ip arp 172.16.0.12", ""),
    ("terminal history size 100", ""),
    ("pwd", ""),
    ("show version", ""),
    ("show ver | inc uptime", ""),
    ("show clock", ""),
    ("show users", ""),
    ("show logging", ""),
    ("show history", ""),
    ("show inventory", ""),
    ("show platform", ""),
    ("show processes cpu", ""),
    ("show running-config", ""),
    ("sh run", ""),
    ("show run | sec lisp", ""),
    ("show run | section router lisp", ""),
    ("show run | s lisp", ""),
    ("show run interface Ethernet0/0", ""),
    ("show run int e0/0", ""),
    ("show running-config all", ""),
    ("show running-config section lisp", ""),
    ("show startup-config", ""),
    ("show interfaces", ""),
    ("show interfaces Ethernet0/0", ""),
    ("show int e0/0", ""),
    ("show int ethernet 0/0", ""),
    ("show interface", ""),
    ("show interfaces | inc line protocol", ""),
    ("show interfaces description", ""),
    ("show interfaces status", ""),
    ("show ip interface brief", ""),
    ("sh ip int br", ""),
    ("show ip interface", ""),
    ("show ip interface Ethernet0/0", ""),
    ("show ipv6 interface brief", ""),
    ("show ip route", ""),
    ("show ip route 172.16.0.12", ""),
    ("show ip route static", ""),
    ("show ip route lisp", ""),
    ("show ipv6 route", ""),
    ("show ip cef", ""),
    ("show ip cef 172.16.0.12 detail", ""),
    ("show arp", ""),
    ("show ip arp", ""),
    ("show ipv6 neighbors", ""),
    ("show ip protocols", ""),
    ("show protocols", ""),
    ("show cdp neighbors", ""),
    ("show vrf", ""),
    ("show tcp brief", ""),
    ("show ip traffic", ""),
    ("show controllers", ""),
    ("telnet 209.165.201.31", "use `eidway console LAB/ROUTER`"),
    ("ssh -l admin 209.165.201.31", "use `eidway console LAB/ROUTER`"),
    ("clear lisp session *", ""),
    ("clear lisp vrf default session *", ""),
    ("clear counters", ""),
    ("clear ip lisp map-cache", ""),
    ("clear ip lisp statistics", ""),
    ("clear ip route *", ""),
    ("clear logging", ""),
    ("clear arp-cache", ""),
    ("debug lisp control-plane all", ""),
    ("debug lisp control-plane map-server-registration", ""),
    ("debug lisp control-plane remote-eid-cache", ""),
    ("debug lisp forwarding all", ""),
    ("debug ip packet", "use `eidway lab capture LAB ROUTER`"),
    ("debug ip icmp", "use `eidway lab capture LAB ROUTER`"),
    ("show debugging", ""),
    ("show debug", ""),
    ("undebug all", ""),
    ("u all", ""),
    ("un all", ""),
    ("no debug all", ""),
    ("write memory", ""),
    ("write", ""),
    ("wr", ""),
    ("wr mem", ""),
    ("copy running-config startup-config", ""),
    ("copy run start", ""),
    ("write erase", "`dir nvram:` shows the file"),
    ("reload", ""),
    ("reload in 5", "use `reload` without options"),
    ("conf t", ""),
    ("end", ""),
    ("config terminal", ""),
    ("end", ""),
    ("configure", ""),
    ("end", ""),
    ("end", ""),
    ("show drops", ""),
    ("show ip lisp", ""),
    ("show ip lisp map-cache", ""),
    ("show ip lisp map-cache detail", ""),
    ("show ip lisp database", ""),
    ("show ip lisp statistics", ""),
    ("show ip lisp instance-id 0 map-cache", ""),
    ("show ipv6 lisp map-cache", ""),
    ("show lisp session", ""),
    ("show lisp site", ""),
    ("show lisp site summary", ""),
    ("show lisp site detail", ""),
    ("show lisp", ""),
    ("show lisp 0", ""),
    ("show lisp instance-id 0 ipv4", ""),
    ("show lisp instance-id 0 ipv4 map-cache", ""),
    ("show lisp instance-id 0 ipv4 database", ""),
    ("show lisp instance-id 0 ipv4 server", ""),
    ("show lisp instance-id 0 ipv4 statistics", ""),
    ("show lisp instance-id 0 ipv4 away", ""),
    ("show lisp service ipv4", ""),
    ("show lisp service ipv4 summary", ""),
    ("show lisp service ipv4 map-cache", ""),
    ("show lisp eid-table default ipv4 map-cache", ""),
    ("show ip lisp forwarding", ""),
    ("show ip lisp forwarding eid remote", ""),
    ("show ip lisp locator-hash 172.16.0.12", ""),
    ("show ip lisp eid-table default map-cache", ""),
    ("show ip lisp summary", ""),
    ("show ip lisp instance-id 0", ""),
    ("show ip lisp 0 map-cache", ""),
    ("show ip lisp map-cache 172.16.0.12", ""),
    ("show lisp session established", ""),
    ("show lisp session all", ""),
    ("show lisp site name SITE_1", "Could not find site SITE_1"),
    ("show lisp site instance-id 0", ""),
    ("show lisp locator-set", ""),
    ("show lisp remote-locator-set", ""),
    ("show lisp ddt", ""),
    ("show lisp extranet", ""),
    ("show lisp dynamic-eid", ""),
    ("show lisp dynamic-eid summary", ""),
    ("show lisp decapsulation filter", ""),
    ("show lisp platform", ""),
    ("show tech-support lisp", ""),
    ("show tech", ""),
    ("show alias", ""),
    ("show privilege", ""),
    ("show terminal", ""),
    ("show memory", ""),
    ("show file systems", ""),
    ("dir", ""),
    ("show flash:", ""),
    ("verify", "see `show version`"),
    ("disable", ""),
];

fn lab() -> Simulated {
    let lab = built_in::find("gsmr").unwrap().unwrap();
    Simulated::up(lab, Options::new(Seed::from_number(1))).unwrap()
}

#[test]
fn each_command_of_the_first_ten_minutes_answers_or_says_what_to_do_instead() {
    let mut lab = lab();
    let mut wrong = Vec::new();
    for (line, refusal) in TYPED {
        let answer = lab.console("xTR1", line).unwrap();
        let is_right = match *refusal {
            "" => answer.done.ok,
            part => !answer.done.ok && answer.text.starts_with('%') && answer.text.contains(part),
        };
        if !is_right {
            wrong.push(format!("{line}: {}", answer.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let refused = TYPED.iter().filter(|(_, refusal)| !refusal.is_empty()).count();
    assert!(refused <= MOST_REFUSED, "{refused}");
}

#[test]
fn a_saved_configuration_is_shown_and_is_there_after_a_restart() {
    let mut lab = lab();
    let mut run = |line: &str| lab.console("xTR1", line).unwrap().text;
    for line in ["conf t", "hostname Edge", "end"] {
        run(line);
    }
    assert!(run("show startup-config").contains("\nhostname xTR1\n"));
    assert!(run("wr").contains("[OK]"));
    assert!(run("show startup-config").contains("\nhostname Edge\n"));
    for line in ["conf t", "hostname Lost", "end"] {
        run(line);
    }
    lab.stop("xTR1", false, &mut |_| ()).unwrap();
    lab.start("xTR1", &mut |_| ()).unwrap();
    assert_eq!(lab.console("xTR1", "show clock").unwrap().done.prompt, "Edge#");
}

#[test]
fn reload_restarts_the_router_and_asks_whether_to_save_what_is_not_saved() {
    let mut lab = lab();
    let mut run = |line: &str| {
        let answer = lab.console("xTR1", line).unwrap();
        (answer.text, answer.done)
    };
    let question = "System configuration has been modified. Save? [yes/no]: ";
    let shutdown = "\n***\n*** --- SHUTDOWN NOW ---\n***\n";
    let (text, done) = run("reload");
    assert_eq!((text.as_str(), done.ok, done.closed), (shutdown, true, true));
    assert!(run("show version").0.contains("uptime is 0 minutes"), "{}", run("show version").0);
    for (answers, name) in
        [(&["", "maybe", "end"][..], "Edge#"), (&["no"], "xTR1#"), (&["yes"], "Edge#")]
    {
        for line in ["conf t", "hostname Edge", "interface Loopback9", "end"] {
            run(line);
        }
        let (_, done) = run("reload");
        assert_eq!((done.prompt.as_str(), done.ok), (question, true), "{answers:?}");
        let mut last = String::new();
        for answer in answers {
            last = run(answer).0;
        }
        let restarts = *answers != ["", "maybe", "end"];
        assert_eq!(last.ends_with(shutdown), restarts, "{answers:?}: {last}");
        assert_eq!(run("show clock").1.prompt, name, "{answers:?}");
    }
}

#[test]
fn routes_have_the_codes_of_ios() {
    let mut lab = lab();
    let mut run = |line: &str| lab.console("xTR1", line).unwrap().text;
    let text = run("show ip route");
    for line in [
        "Gateway of last resort is 203.0.113.1 to network 0.0.0.0",
        "S*    0.0.0.0/0 [1/0] via 203.0.113.1",
        "l     0.0.0.0/0 is directly connected, LISP0",
        "      172.16.0.0/16 is variably subnetted, 2 subnets, 2 masks",
        "C        172.16.0.0/24 is directly connected, Ethernet1/0",
        "L        172.16.0.1/32 is directly connected, Ethernet1/0",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}\n{text}");
    }
    let text = run("show ip route 172.16.0.12");
    assert!(
        text.starts_with("Routing entry for 172.16.0.0/24\n  Known via \"connected\""),
        "{text}"
    );
    assert!(!run("show ip route static").contains("Ethernet1/0"));
    assert_eq!(run("show ip route summary | inc static"), "static          1\n");
    let text = run("show ip cef 172.16.0.12");
    assert_eq!(text, "172.16.0.0/24\n  attached to Ethernet1/0\n");
}

#[test]
fn a_kind_of_debugging_is_on_by_itself() {
    let mut lab = lab();
    let mut run = |line: &str| lab.console("xTR1", line).unwrap().text;
    let smr = "LISP control plane solicit-map-request debugging is";
    assert_eq!(run("debug lisp control-plane solicit-map-request"), format!("{smr} on\n"));
    assert_eq!(run("debug lisp forwarding"), "LISP forwarding debugging is on\n");
    let both = format!("LISP:\n  {smr} on\n  LISP forwarding debugging is on\n");
    assert_eq!(run("show debugging"), both);
    assert_eq!(run("no debug lisp control-plane solicit"), format!("{smr} off\n"));
    assert_eq!(run("show debugging"), "LISP:\n  LISP forwarding debugging is on\n");
    assert_eq!(run("undebug all"), "All possible debugging has been turned off\n");
}

#[test]
fn counters_and_sessions_are_cleared() {
    let mut lab = lab();
    lab.pass(std::time::Duration::from_secs(30)).unwrap();
    let mut run = |line: &str| lab.console("xTR1", line).unwrap().text;
    assert!(run("show ip lisp statistics").contains("last cleared: never"));
    run("clear counters");
    let text = run("show ip lisp statistics");
    assert!(text.contains("last cleared: 00:00:00"), "{text}");
    assert!(text.contains("  Map-Register records in/out:                      0/0\n"), "{text}");
    assert!(run("show lisp session").contains("established: 1"));
    run("clear lisp session *");
    assert!(run("show lisp session").contains("established: 0"));
    lab.pass(std::time::Duration::from_secs(180)).unwrap();
    let text = lab.console("xTR1", "show lisp session").unwrap().text;
    assert!(text.contains("established: 1"), "{text}");
}

#[test]
fn a_dropped_packet_is_shown_with_its_addresses_and_a_remedy() {
    let mut lab = lab();
    let mut configure = |lines: &[&str]| {
        for line in lines {
            assert!(lab.console("xTR1", line).unwrap().done.ok, "{line}");
        }
    };
    configure(&["conf t", "router lisp", "no ipv4 itr map-resolver 209.165.201.31"]);
    configure(&["no ipv4 itr map-resolver 209.165.201.41", "end", "clear ip lisp map-cache"]);
    let to = "192.168.0.22".parse().unwrap();
    let echos = eidway::lab::ping::Echos { count: 1, size: 100, df: false };
    lab.ping("A", to, echos, &mut |_| ()).unwrap();
    let text = lab.console("xTR1", "show drops").unwrap().text;
    for part in
        ["No Map-Resolver configured: 1\n", " to 192.168.0.22, from the site", "To do: configure"]
    {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
