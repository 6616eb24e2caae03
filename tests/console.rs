//! Console sessions with complete routers. The tests type lines and check the output.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use eidway::addr::{EidPrefix, InstanceId};
use eidway::console::client::{Channel, InProcess};
use eidway::console::hosts::NoHosts;
use eidway::console::protocol::{Done, Request, Response};
use eidway::console::session::MOST_PENDING;
use eidway::console::{Session, parse_config, running_config};
use eidway::rng::Seed;
use eidway::router::io::{ControlDatagram, Input, KernelEvent, KernelRoute};
use eidway::router::{Router, Start};
use eidway::time::Time;
use eidway::wire::{Algorithm, Key, LocatorRecord, MapRegister, MappingRecord, Nonce, XtrIdentity};

const XTR1: &str = "\
hostname xTR1
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
interface Ethernet1/0
 ip address 172.16.0.1 255.255.255.0
 ipv6 address 2001:db8:a::1/64
interface Ethernet2/0
 ip address 10.10.10.1 255.255.255.0
interface Ethernet3/0
 ip address 10.20.20.1 255.255.255.0
router lisp
 locator-set set1
  203.0.113.11 priority 1 weight 100
  exit
 eid-table default instance-id 0
  database-mapping 172.16.0.0/24 locator-set set1
  database-mapping 10.10.10.0/24 locator-set set1
  database-mapping 10.20.20.0/24 locator-set set1
  database-mapping 2001:db8:a::/64 locator-set set1
  exit
 ipv4 itr map-resolver 209.165.201.41
 ipv4 itr
 ipv4 etr map-server 209.165.201.31 key cisco
 ipv4 etr
 ipv6 itr
 ipv6 etr
";

const MSMR: &str = "\
hostname NewMSMR
interface Ethernet0/0
 ip address 209.165.201.31 255.255.255.0
router lisp
 site SITE_1
  authentication-key cisco
  eid-prefix 172.16.0.0/24 accept-more-specifics
  eid-prefix 2001:db8:a::/64
 site SITE_2
  authentication-key other
  eid-prefix 192.168.0.0/24
 ipv4 map-server
 ipv4 map-resolver
 ipv6 map-server
";

/// A router and a user at its console.
struct Console {
    router: Router,
    session: Session,
    hosts: NoHosts,
    now: Time,
}

impl Console {
    /// A router and its console. The interfaces are up, and the kernel has routes to the connected
    /// networks.
    fn new(config: &str) -> Self {
        let config = parse_config("console.conf", config).unwrap_or_else(|error| panic!("{error}"));
        let start = Start { config, seed: Seed::from_number(1), wall_clock: 1, now: Time::ZERO };
        let router = Router::new(start);
        let mut console =
            Console { router, session: Session::new(), hosts: NoHosts, now: Time::ZERO };
        let addresses: Vec<_> = console.router.config().addresses().collect();
        for (name, _) in &addresses {
            console.link(&name.device(), true);
        }
        let routes = addresses.iter().map(|(name, net)| KernelRoute {
            prefix: net.trunc(),
            device: name.device(),
            gateway: None,
            metric: 0,
        });
        let routes = KernelEvent::Routes(routes.collect());
        console.router.handle(Input::Kernel(routes), console.now);
        console
    }

    /// The link to 172.16.0.0/24 goes down, and its route is removed.
    fn lose_site(&mut self) {
        self.link("et1-0", false);
        let route = |prefix: &str, device: &str| KernelRoute {
            prefix: prefix.parse().unwrap(),
            device: device.to_owned(),
            gateway: None,
            metric: 0,
        };
        let left = vec![
            route("203.0.113.0/24", "et0-0"),
            route("10.10.10.0/24", "et2-0"),
            route("10.20.20.0/24", "et3-0"),
        ];
        self.router.handle(Input::Kernel(KernelEvent::Routes(left)), self.now);
    }

    /// Gives the router a control message from xTR1 to the map-server.
    fn control(&mut self, payload: &[u8]) {
        let datagram = ControlDatagram {
            source: "203.0.113.11:4342".parse().unwrap(),
            destination: "209.165.201.31".parse().unwrap(),
            payload,
        };
        self.router.handle(Input::Control(datagram), self.now);
    }

    fn link(&mut self, device: &str, up: bool) {
        let event = KernelEvent::Link { device: device.to_owned(), up, carrier: up, mtu: 1500 };
        self.router.handle(Input::Kernel(event), self.now);
    }

    fn channel(&mut self) -> InProcess<'_> {
        let Console { router, session, hosts, now } = self;
        InProcess { session, router, hosts, now: *now }
    }

    fn ask(&mut self, request: &Request) -> (Vec<Response>, Done) {
        let mut channel = self.channel();
        channel.send(request.clone()).unwrap();
        let mut responses = Vec::new();
        loop {
            match channel.receive().unwrap() {
                Response::Done(done) => return (responses, done),
                response => responses.push(response),
            }
        }
    }

    /// Types a line. Returns the output and the end of the answer.
    fn run(&mut self, line: &str) -> (String, Done) {
        let (responses, done) = self.ask(&Request::Line(line.to_owned()));
        let texts = responses.into_iter().map(|response| match response {
            Response::Text(text) => text,
            other => panic!("{other:?}"),
        });
        (texts.collect(), done)
    }

    fn text(&mut self, line: &str) -> String {
        let (text, done) = self.run(line);
        assert!(done.ok, "{line}: {text}");
        text
    }

    fn error(&mut self, line: &str) -> String {
        let (text, done) = self.run(line);
        assert!(!done.ok, "{line}: {text}");
        text
    }

    fn json(&mut self, line: &str) -> serde_json::Value {
        let text = self.text(line);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

const DATABASE: &str = "\
LISP ETR IPv4 Mapping Database for EID-table default (IID 0), LSBs: 0x1
Entries total 3, no-route 1, inactive 0

10.10.10.0/24, locator-set set1
  Locator       Pri/Wgt  Source     State
  203.0.113.11    1/100  cfg-addr   site-self, reachable
10.20.20.0/24, locator-set set1
  Locator       Pri/Wgt  Source     State
  203.0.113.11    1/100  cfg-addr   site-self, reachable
172.16.0.0/24, locator-set set1 *** NO ROUTE TO EID PREFIX ***
  Locator       Pri/Wgt  Source     State
  203.0.113.11    1/100  cfg-addr   site-self, reachable
";

#[test]
fn the_document_s_database_after_an_interface_was_shut_down() {
    let mut console = Console::new(XTR1);
    console.text("configure terminal");
    console.text("interface ethernet 1/0");
    let (_, done) = console.run("shutdown");
    assert_eq!(done.prompt, "xTR1(config-if)#");
    console.text("end");
    console.lose_site();
    assert_eq!(console.text("show ip lisp data"), DATABASE);
    assert_eq!(
        console.text("sh ip li database | count NO ROUTE"),
        "\
Number of lines which match regexp = 1
"
    );
}

#[test]
fn an_itr_has_a_static_entry_and_its_uptime_goes_on() {
    let mut console = Console::new(XTR1);
    console.now = Time::from_secs(12_765);
    let expected = "\
LISP IPv4 Mapping Cache for EID-table default (IID 0), 1 entries

0.0.0.0/0, uptime: 03:32:45, expires: never, via static send map-request
  Negative cache entry, action: send-map-request
";
    for line in ["show ip lisp map-cache", "sh ip li map", "  show ip lisp map-cache "] {
        assert_eq!(console.text(line), expected);
    }
    let json = console.json("show ipv6 lisp map-cache json");
    assert_eq!(json["instance_id"], 0);
    assert_eq!(json["entries"][0]["eid_prefix"], "::/0");
    assert_eq!(json["entries"][0]["uptime"], 12_765);
}

#[test]
fn show_ip_lisp_tells_roles_and_peers() {
    let mut console = Console::new(XTR1);
    let text = console.text("show ip lisp");
    for line in [
        "  Ingress Tunnel Router (ITR):              enabled\n",
        "  ITR Map-Resolver(s):                      209.165.201.41\n",
        "  ETR Map-Server(s):                        209.165.201.31\n",
        "  ITR local RLOC (last resort):             203.0.113.11\n",
        "    Total database mapping size:            3\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    let json = console.json("show ip lisp | json");
    assert_eq!(json["roles"]["etr"], true);
    assert_eq!(json["map_servers"][0]["address"], "209.165.201.31");
    assert_eq!(json["map_servers"][0]["prefixes"], 3);
    assert_eq!(json["map_servers"][0]["acknowledged"], 0);
    assert_eq!(console.json("show ip lisp statistics json")["map_cache_size"], 1);
}

fn register(prefix: &str, nonce: u64) -> Vec<u8> {
    let record = MappingRecord::of_site(
        EidPrefix::new(InstanceId::DEFAULT, prefix.parse().unwrap()),
        1440,
        vec![LocatorRecord::unicast("203.0.113.11".parse().unwrap(), 1, 100)],
    );
    let register = MapRegister {
        want_map_notify: true,
        nonce: Nonce(nonce),
        records: vec![record],
        xtr_identity: Some(XtrIdentity { xtr_id: 1, site_id: 0 }),
        ..MapRegister::default()
    };
    let secret = b"cisco".to_vec();
    register.emit_signed(&Key { algorithm: Algorithm::HmacSha1, secret, key_id: 0 })
}

fn registered() -> Console {
    let mut console = Console::new(MSMR);
    for (nonce, prefix) in [(10, "172.16.0.0/24"), (11, "172.16.0.12/32")] {
        console.control(&register(prefix, nonce));
    }
    console.now = Time::from_secs(51);
    console
}

#[test]
fn a_map_server_lists_its_sites_by_name_with_more_specifics_under_their_prefix() {
    let mut console = registered();
    let expected = "\
LISP Site Registration Information
* = Some locators are down or unreachable
# = Some registrations are sourced by reliable transport

Site Name      Last      Up     Who Last             Inst     EID Prefix
               Register         Registered           ID
SITE_1         00:00:51  yes    203.0.113.11:4342    0        172.16.0.0/24
               00:00:51  yes    203.0.113.11:4342    0        172.16.0.12/32
               never     no     --                   0        2001:db8:a::/64
SITE_2         never     no     --                   0        192.168.0.0/24
";
    assert_eq!(console.text("show lisp site"), expected);
    let json = console.json("show lisp site json");
    assert_eq!(json["entries"][1]["more_specific_of"], "172.16.0.0/24");
    assert_eq!(json["entries"][1]["registrations"][0]["etr"], "203.0.113.11");
    assert_eq!(json["entries"].as_array().unwrap().len(), 4);
}

#[test]
fn a_site_can_be_asked_for_by_name_by_eid_or_in_numbers() {
    let mut console = registered();
    let detail = console.text("show lisp site 172.16.0.12");
    for line in [
        "Site name: SITE_1\n",
        "  EID-prefix: 172.16.0.12/32 instance-id 0\n",
        "    Origin:               Dynamic, more specific of 172.16.0.0/24\n",
        "    ETR 203.0.113.11:4342, last registered 00:00:51, no proxy-reply, map-notify\n",
    ] {
        assert!(detail.contains(line), "{line}{detail}");
    }
    let named = console.text("show lisp site SITE_2");
    assert!(
        named.contains("  EID-prefix: 192.168.0.0/24 instance-id 0\n") && !named.contains("172.16")
    );
    let summary = console.text("show lisp site summary");
    let line = "SITE_1                        1          2      0          1          0      0 ";
    assert!(summary.contains(line), "{summary}");
    let missing = "% Could not find instance-id 0 EID 4.2.2.2 in site database.\n";
    assert_eq!(console.error("show lisp site 4.2.2.2"), missing);
}

#[test]
fn a_long_table_comes_in_pieces_that_make_one_document() {
    let mut config = String::from("router lisp\n eid-table default instance-id 101\n");
    for n in 0..1000 {
        config += &format!("  map-cache 10.{}.{}.0/24 map-request\n", n / 256, n % 256);
    }
    config += " ipv4 itr\n";
    let mut console = Console::new(&config);
    let (responses, _) = console.ask(&Request::Line("show ip lisp map-cache".to_owned()));
    assert_eq!(responses.len(), 4);
    let text = console.text("show ip lisp map-cache");
    let head =
        "LISP IPv4 Mapping Cache for EID-table default (IID 101), 1001 entries\n\n0.0.0.0/0,";
    assert!(text.starts_with(head), "{}", &text[..200]);
    assert_eq!(text.lines().count(), 2 + 2 * 1001);
    let json = console.json("show ip lisp map-cache json");
    assert_eq!(json["entries"].as_array().unwrap().len(), 1001);
    let filtered = console.text("show ip lisp map-cache | include ^10.3.231.0/24");
    assert_eq!(filtered.lines().count(), 1);
}

#[test]
fn wrong_lines_are_answered_as_by_ios() {
    let mut console = Console::new(XTR1);
    let invalid = "          ^\n% Invalid input detected at '^' marker.\n\n";
    assert_eq!(console.error("show zoo"), invalid);
    let invalid = "           ^\n% Invalid input detected at '^' marker.\n\n";
    assert_eq!(console.error("show rinning-config"), invalid);
    assert_eq!(console.error("e"), "% Ambiguous command:  \"e\"\n");
    assert_eq!(console.error("sh i l"), "% Ambiguous command:  \"sh i l\"\n");
    assert_eq!(console.error("show ip"), "% Incomplete command.\n\n");
    assert!(console.error("show ip lisp map-cache 2001:db8::1").contains("IPv4 address"));
    console.text("conf t");
    let invalid = "                    ^\n% Invalid input detected at '^' marker.\n\n";
    assert_eq!(console.error("router foo"), invalid);
    console.text("router lisp");
    assert_eq!(
        console.error("ipv4 proxy-itr 203.0.113.11"),
        "% Disable ITR functionality first.\n"
    );
}

#[test]
fn a_second_eid_table_is_refused_with_a_caret_and_changes_nothing() {
    let mut console = Console::new(XTR1);
    console.text("conf t");
    console.text("router lisp");
    let config = console.router.config().clone();
    let caret = " ".repeat("xTR1(config-router-lisp)#eid-table default instance-id ".len());
    let refused = console.error("eid-table default instance-id 7");
    let expected = format!("{caret}^\n% only one EID-table is supported, and instance-id");
    assert!(refused.starts_with(&expected), "{refused}");
    assert_eq!(*console.router.config(), config);
    // Another session removes the EID-table of this session's mode, and makes another EID-table.
    console.text("eid-table default instance-id 0");
    let mut other =
        parse_config("other", " router lisp\n eid-table default instance-id 7\n").unwrap();
    other.hostname = "xTR1".to_owned();
    console.router.handle(Input::Configure(Box::new(other)), console.now);
    let refused = console.error("map-cache 10.0.0.0/8 map-request");
    assert!(refused.starts_with("% only one EID-table is supported"), "{refused}");
}

#[test]
fn configuration_takes_effect_line_by_line_and_modes_are_left_as_in_ios() {
    let mut console = Console::new(XTR1);
    for (line, prompt) in [
        ("conf t", "xTR1(config)#"),
        ("router lisp", "xTR1(config-router-lisp)#"),
        ("eid-table default instance-id 0", "xTR1(config-router-lisp-eid-table)#"),
        (
            "no database-mapping 172.16.0.0/24 locator-set set1",
            "xTR1(config-router-lisp-eid-table)#",
        ),
        ("locator-set set2", "xTR1(config-router-lisp-locator-set)#"),
        ("IPv4-interface Ethernet0/0 priority 1 weight 1", "xTR1(config-router-lisp-locator-set)#"),
        ("site S", "xTR1(config-router-lisp-site)#"),
        ("interface e0/0", "xTR1(config-if)#"),
        ("! a comment", "xTR1(config-if)#"),
        ("hostname Other", "Other(config)#"),
        ("exit", "Other#"),
    ] {
        let (text, done) = console.run(line);
        assert!(done.ok, "{line}: {text}");
        assert_eq!(done.prompt, prompt, "{line}");
    }
    assert!(console.text("show ip lisp database").contains("Entries total 2, no-route 0"));
    let running = console.text("show running-config");
    assert!(running.ends_with(&running_config(console.router.config())));
    assert!(running.contains("  IPv4-interface Ethernet0/0 priority 1 weight 1\n"));
    let section = console.text("show run | section locator-set set2");
    let expected = " locator-set set2
  IPv4-interface Ethernet0/0 priority 1 weight 1
  exit-locator-set
";
    assert_eq!(section, expected);
    let (_, done) = console.run("exit");
    assert!(done.closed);
}

#[test]
fn a_refused_line_changes_nothing() {
    let mut console = Console::new(XTR1);
    console.text("conf t");
    let before = console.router.config().clone();
    for line in [
        "ip route 10.0.0.0 255.0.255.0 Null0",
        "interface Some0/0",
        "hostname a/b",
        "show version",
        "no router foo",
    ] {
        console.error(line);
        assert_eq!(*console.router.config(), before, "{line}");
    }
    assert!(console.text("do show version").starts_with("Eidway"));
}

#[test]
fn interfaces_are_shown_with_their_state() {
    let mut console = Console::new(XTR1);
    console.link("et2-0", false);
    let brief = console.text("show ip interface brief");
    let up = "Ethernet1/0                172.16.0.1      YES manual up                    up\n";
    let down = "Ethernet2/0                10.10.10.1      YES manual down                  down\n";
    assert!(brief.contains(up) && brief.contains(down), "{brief}");
    let one = console.text("show interfaces ethernet 1/0");
    assert!(one.starts_with("Ethernet1/0 is up, line protocol is up\n"), "{one}");
    let other = console.text("show interfaces ethernet 2/0");
    let by_hand = "Ethernet2/0 is down (set down by hand), line protocol is down\n";
    assert!(other.starts_with(by_hand), "{other}");
    assert_eq!(console.json("sh int e1/0 json")["interfaces"][0]["mtu"], 1500);
    console.error("show interfaces e9/0");
}

#[test]
fn help_and_completion_come_over_the_same_wire() {
    let mut console = Console::new(XTR1);
    let (responses, done) = console.ask(&Request::Complete("sh ip li".to_owned()));
    assert_eq!(responses, [Response::Completions(vec!["lisp".to_owned()])]);
    assert_eq!(done.prompt, "xTR1#");
    let (responses, _) = console.ask(&Request::Help("debug lisp ".to_owned()));
    let expected = "  control-plane  Control messages and their effects\n  forwarding     Decisions \
                    on packets of EIDs (the first packets of a flow)\n\n";
    assert_eq!(responses, [Response::Text(expected.to_owned())]);
    let (_, done) = console.ask(&Request::Help("xyz ".to_owned()));
    assert!(!done.ok);
}

#[test]
fn what_is_no_request_is_answered_with_an_error() {
    let mut console = Console::new(XTR1);
    console.session.refuse("no request".to_owned(), &console.router);
    let mut channel = console.channel();
    assert_eq!(channel.receive().unwrap(), Response::Error("no request".to_owned()));
    let done = Done { prompt: "xTR1#".to_owned(), ok: false, closed: false };
    assert_eq!(channel.receive().unwrap(), Response::Done(done));
    assert!(console.session.is_idle());
}

#[test]
fn requests_that_nobody_reads_the_answers_of_are_bounded_and_each_is_answered() {
    let mut console = Console::new(XTR1);
    let mut channel = console.channel();
    for _ in 0..MOST_PENDING + 9 {
        channel.send(Request::Line("show version".to_owned())).unwrap();
    }
    channel.session.refuse("no request".to_owned(), channel.router);
    let mut answered = (0, 0);
    while let Ok(response) = channel.receive() {
        match response {
            Response::Done(Done { ok: true, .. }) => answered.0 += 1,
            Response::Done(_) => answered.1 += 1,
            _ => {}
        }
    }
    assert_eq!(answered, (MOST_PENDING, 10));
    assert!(console.session.is_idle());
    console.text("show version");
}

#[test]
fn clear_forgets_and_says_nothing() {
    let mut console = Console::new(XTR1);
    assert_eq!(console.text("clear ip lisp map-cache"), "");
    assert_eq!(console.text("clear ipv6 lisp map-cache 2001:db8::/32"), "");
    assert!(console.error("clear ip lisp map-cache 2001:db8::/32").starts_with("% an IPv4 prefix"));
}

#[test]
fn debugging_is_the_router_s_and_listening_to_it_the_session_s() {
    let mut console = Console::new(XTR1);
    assert_eq!(console.text("show debugging"), "");
    let on = "LISP control plane debugging is on\n";
    assert_eq!(console.text("debug lisp control-plane all"), on);
    assert_eq!(console.text("show debugging"), format!("LISP:\n  {on}"));
    assert_eq!(console.json("show debugging json")["lisp_control_plane"], true);
    for off in ["u all", "no debug lisp control-plane all", "no debug all", "undebug all"] {
        console.text("debug lisp control-plane all");
        assert_eq!(console.text(off), "All possible debugging has been turned off\n", "{off}");
        assert_eq!(console.text("show debugging"), "", "{off}");
    }
    assert!(!console.session.monitors());
    console.text("terminal monitor");
    assert!(console.session.monitors());
    console.text("terminal no monitor");
    assert!(!console.session.monitors());
    console.error("no show version");
}

/// xTR1 without the route to one EID prefix.
fn without_route() -> Console {
    let mut console = Console::new(XTR1);
    console.lose_site();
    console.now = Time::from_secs(5);
    console
}

#[test]
fn an_eid_without_route_is_away_and_solicited_for() {
    let mut console = without_route();
    let away = "\
LISP Away Table for router lisp 0 (default) IID 0
Entries: 1

Prefix                                  Producer                       Created
172.16.0.0/24                           local EID                      00:00:05
";
    assert_eq!(console.text("show ip lisp away"), away);
    assert_eq!(console.text("show ip lisp away 172.16.0.12"), away);
    let json = console.json("show ip lisp away json");
    assert_eq!(json["entries"][0]["cause"], "no-route");
    let smr = "\
LISP SMR Table for router lisp 0 (default) IID 0
Entries: 3

Prefix                                  Producer
10.10.10.0/24                           local EID
10.20.20.0/24                           local EID
172.16.0.0/24                           away table, local EID
";
    assert_eq!(console.text("show ip lisp smr"), smr);
    assert!(console.error("show ip lisp away 10.10.10.10").starts_with("% Could not find"));
}

#[test]
fn a_deconfigured_eid_is_counted_as_inactive() {
    let mut console = Console::new(XTR1);
    for line in ["conf t", "router lisp", "eid-table default instance-id 0"] {
        console.text(line);
    }
    console.text("no database-mapping 172.16.0.0/24");
    console.text("end");
    let database = console.text("show ip lisp database");
    assert!(database.contains("Entries total 2, no-route 0, inactive 1\n"), "{database}");
    let size = "    Inactive (deconfig/away) size:          1\n";
    assert!(console.text("show ip lisp").contains(size));
    let away = console.text("show ip lisp away");
    assert!(away.contains("172.16.0.0/24                           local EID  "), "{away}");
}

#[test]
fn a_dynamic_eid_is_configured_in_its_own_mode_and_named_by_a_port() {
    let mut console = Console::new(XTR1);
    for (line, prompt) in [
        ("conf t", "xTR1(config)#"),
        ("router lisp", "xTR1(config-router-lisp)#"),
        ("eid-table default instance-id 0", "xTR1(config-router-lisp-eid-table)#"),
        ("no database-mapping 172.16.0.0/24", "xTR1(config-router-lisp-eid-table)#"),
        ("dynamic-eid ROAM", "xTR1(config-router-lisp-eid-table-dynamic-eid)#"),
        (
            "database-mapping 172.16.0.0/24 locator-set set1",
            "xTR1(config-router-lisp-eid-table-dynamic-eid)#",
        ),
        ("exit-dynamic-eid", "xTR1(config-router-lisp-eid-table)#"),
        ("interface e1/0", "xTR1(config-if)#"),
        ("lisp mobility ROAM", "xTR1(config-if)#"),
    ] {
        let (text, done) = console.run(line);
        assert!(done.ok, "{line}: {text}");
        assert_eq!(done.prompt, prompt, "{line}");
    }
    let missing =
        "% Warning: Ethernet1/0 has `lisp mobility OTHER`, but there is no dynamic-eid OTHER\n";
    assert_eq!(console.text("lisp mobility OTHER"), "", "a later line may define it");
    assert_eq!(console.text("end"), missing);
    console.text("conf t");
    assert_eq!(console.text("end"), "", "it warns once");
    let detail = console.text("show lisp instance-id 0 dynamic-eid detail");
    assert!(detail.contains("\nDynamic-EID name: ROAM\n"), "{detail}");
    let ranges = console.json("show ip lisp dynamic-eid summary json");
    assert_eq!(ranges["ranges"][0]["eid_prefix"], "172.16.0.0/24");
    assert_eq!(
        console.json("show ipv6 lisp dynamic-eid summary json")["ranges"],
        serde_json::json!([])
    );
}

#[test]
fn what_show_running_config_prints_can_be_pasted_into_a_router_that_has_nothing() {
    let port = |name: &str| {
        format!("interface {name}\n ip address 172.16.0.1 255.255.255.0\n lisp mobility ROAM\n")
    };
    let roaming = XTR1
        .replace("interface Ethernet1/0\n ip address 172.16.0.1 255.255.255.0\n", &port("e1/0"))
        .replace("  database-mapping 172.16.0.0/24 locator-set set1\n", "")
        .replace("  exit\n ipv4 itr map", "  dynamic-eid ROAM\n   database-mapping 172.16.0.0/24 locator-set set1\n  exit\n ipv4 itr map")
        + &port("e4/0");
    let config = parse_config("roaming.conf", &roaming).unwrap_or_else(|error| panic!("{error}"));
    let mut console = Console::new("");
    console.text("configure terminal");
    for line in running_config(&config).lines() {
        let (text, done) = console.run(line);
        assert!(done.ok, "{line}: {text}");
        let warns = line.contains("lisp mobility") || line.contains("172.16.0.1");
        assert!(text.is_empty() || warns, "{line}: {text}");
    }
    assert_eq!(*console.router.config(), config);
}

#[test]
fn a_map_server_tells_what_was_registered_and_by_which_sessions() {
    let mut console = registered();
    let history = console.text("show lisp registration-history");
    let event = "\
00:00:00.000                0 UDP   No   203.0.113.11
                                       + 172.16.0.0/24
";
    assert!(history.contains(event), "{history}");
    let events = console.json("show lisp registration-history json");
    assert_eq!(events["events"].as_array().unwrap().len(), 2);
    let sessions = console.text("show lisp session");
    assert!(sessions.starts_with("Sessions for VRF default, total: "), "{sessions}");
    assert_eq!(console.json("show lisp session json")["established"], 0);
}

#[test]
fn the_clock_is_the_wall_clock_of_the_start_and_the_time_since_then() {
    let config = parse_config("console.conf", XTR1).unwrap();
    let (wall_clock, now) = (1_795_850_615_500_000, Time::from_secs(10));
    let router = Router::new(Start { config, seed: Seed::from_number(1), wall_clock, now });
    let mut console =
        Console { router, session: Session::new(), hosts: NoHosts, now: Time::from_secs(11) };
    assert_eq!(console.text("show clock"), "*07:23:36.500 UTC Sat Nov 28 2026\n");
    let json = console.text("show clock json");
    assert!(json.contains("\"wall_clock\":1795850616500000"), "{json}");
}

#[test]
fn what_was_refused_is_shown_with_its_source_its_cause_and_the_remedy() {
    let mut console = Console::new(MSMR);
    assert_eq!(console.text("show lisp refusals"), "LISP control messages refused: 0 entries\n");
    for at in [10, 75] {
        console.now = Time::from_secs(at);
        console.control(&[0x10; 5]);
    }
    console.now = Time::from_secs(80);
    let expected = "LISP control messages refused: 1 entries

203.0.113.11, Format errors: 2, first 00:01:10 ago, last 00:00:05 ago
  Map-Request: the message ends before its Nonce is complete
  capture the message, and report the fault to the vendor of the sender
";
    assert_eq!(console.text("show lisp refusals"), expected);
    let json = console.json("show lisp refusals json");
    assert_eq!(json["refusals"][0]["source"], "203.0.113.11");
    assert_eq!(json["refusals"][0]["reason"], "malformed");
    assert_eq!(json["refusals"][0]["count"], 2);
}
