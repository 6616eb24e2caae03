//! The requests of a router to its kernel.

use std::time::Duration;

use eidway::router::config::InterfaceName;
use eidway::router::io::{
    Device, Input, KernelEvent, KernelObject, KernelRequest, RouteTarget, RuleSelector, Table,
};

use crate::bench::*;

fn routes(requests: &[KernelRequest], table: Table) -> Vec<(String, RouteTarget)> {
    let route = |request: &KernelRequest| match request {
        KernelRequest::Add(KernelObject::Route { table: at, prefix, target, .. })
            if *at == table =>
        {
            Some((prefix.to_string(), *target))
        }
        _ => None,
    };
    requests.iter().filter_map(route).collect()
}

fn next_hop(text: &str) -> RouteTarget {
    RouteTarget::NextHop(text.parse().unwrap())
}

fn started(config: &str) -> Vec<KernelRequest> {
    Bench::new(config).kernel_requests()
}

#[test]
fn the_default_of_an_itr_is_lisp0_and_the_native_way_out_stands_aside() {
    let requests = started(XTR2);
    let lisp = RouteTarget::Device(Device::Lisp);
    let main = routes(&requests, Table::Main);
    assert!(main.contains(&("0.0.0.0/0".to_owned(), lisp)), "{main:?}");
    assert!(main.contains(&("::/0".to_owned(), lisp)));
    assert!(!main.contains(&("0.0.0.0/0".to_owned(), next_hop("198.51.100.1"))));
    let native = routes(&requests, Table::Native);
    for expected in [
        ("0.0.0.0/0", next_hop("198.51.100.1")),
        ("192.168.0.0/24", RouteTarget::Blackhole),
        ("2001:db8:b::/64", RouteTarget::Blackhole),
        ("::/0", RouteTarget::Unreachable),
    ] {
        assert!(native.contains(&(expected.0.to_owned(), expected.1)), "{expected:?}");
    }
}

#[test]
fn the_guards_stand_before_anything_leads_into_lisp0() {
    let requests = started(XTR2);
    let at = |wanted: &dyn Fn(&KernelObject) -> bool| {
        requests.iter().position(|request| match request {
            KernelRequest::Add(object) => wanted(object),
            _ => false,
        })
    };
    let default = at(&|object| {
        matches!(object, KernelObject::Route { target: RouteTarget::Device(Device::Lisp), .. })
    });
    let last = |wanted: &dyn Fn(&KernelObject) -> bool| {
        let add = |request: &KernelRequest| match request {
            KernelRequest::Add(object) => wanted(object),
            _ => false,
        };
        requests.iter().take(default.unwrap()).filter(|request| add(request)).count()
    };
    assert_eq!(last(&|object| matches!(object, KernelObject::Rule { .. })), 6);
    let guard = |object: &KernelObject| {
        matches!(object, KernelObject::Route { target: RouteTarget::Blackhole, .. })
    };
    assert_eq!(last(&guard), 2);
}

#[test]
fn the_routers_own_packets_never_enter_lisp0() {
    let own = RuleSelector::Source(eidway::addr::Rloc(RLOC_2.parse().unwrap()));
    let tables: Vec<(u32, Table)> = started(XTR2)
        .iter()
        .filter_map(|request| match request {
            KernelRequest::Add(KernelObject::Rule { priority, selector, table, .. })
                if *selector == own =>
            {
                Some((*priority, *table))
            }
            _ => None,
        })
        .collect();
    assert_eq!(tables, [(102, Table::Main), (103, Table::Native)]);
}

#[test]
fn a_proxy_itr_leads_its_aggregates_and_nothing_else_into_lisp0() {
    let requests = started(PXTR1);
    let main = routes(&requests, Table::Main);
    assert!(main.contains(&("172.16.0.0/16".to_owned(), RouteTarget::Device(Device::Lisp))));
    assert!(main.contains(&("0.0.0.0/0".to_owned(), next_hop("192.0.2.1"))));
}

#[test]
fn a_map_server_needs_no_tunnel() {
    let device = |request: &KernelRequest| {
        matches!(
            request,
            KernelRequest::Add(
                KernelObject::Link { device: Device::Lisp, .. } | KernelObject::Rule { .. }
            )
        )
    };
    assert!(!started(MSMR).iter().any(device));
}

#[test]
fn a_link_that_comes_back_gets_its_addresses_and_routes_again() {
    let mut bench = Bench::new(XTR2);
    bench.kernel_requests();
    bench.link("et0-0", false);
    bench.kernel_requests();
    bench.link("et0-0", true);
    let requests = bench.kernel_requests();
    let native = routes(&requests, Table::Native);
    assert!(native.contains(&("0.0.0.0/0".to_owned(), next_hop("198.51.100.1"))));
    let address = |request: &KernelRequest| {
        matches!(request, KernelRequest::Add(KernelObject::Address { address, .. })
            if address.to_string() == "198.51.100.21/24")
    };
    assert!(requests.iter().any(address));
}

#[test]
fn shutdown_takes_the_link_down_and_nothing_else_away() {
    let mut bench = Bench::new(XTR2);
    bench.kernel_requests();
    bench.configure(&format!("{XTR2}\ninterface Ethernet1/0\n shutdown\n"));
    let requests = bench.kernel_requests();
    let down = |request: &KernelRequest| {
        matches!(request, KernelRequest::Add(KernelObject::Link { up: false, .. }))
    };
    assert!(requests.iter().any(down), "{requests:?}");
    let address = |request: &KernelRequest| {
        matches!(request, KernelRequest::Remove(KernelObject::Address { .. }))
    };
    assert!(!requests.iter().any(address));
}

#[test]
fn lisp0_is_smaller_than_the_core_by_the_encapsulation_and_never_under_1280() {
    let mtu = |requests: &[KernelRequest]| {
        requests.iter().rev().find_map(|request| match request {
            KernelRequest::Add(KernelObject::Link { device: Device::Lisp, mtu, .. }) => *mtu,
            _ => None,
        })
    };
    let mut bench = Bench::new(XTR2);
    assert_eq!(mtu(&bench.kernel_requests()), Some(1464));
    let device = "et0-0".to_owned();
    let small =
        eidway::router::io::KernelEvent::Link { device, up: true, carrier: true, mtu: 1300 };
    bench.kernel(small);
    assert_eq!(mtu(&bench.kernel_requests()), Some(1280));
}

/// Two interfaces of the site. The address of the first is the source of the default route.
const TWO_SITES: &str = "
interface Ethernet2/0
 ip address 192.168.1.1 255.255.255.0
router lisp
 eid-table default instance-id 0
  database-mapping 192.168.1.0/24 locator-set set1
";

#[test]
fn the_default_into_lisp0_takes_another_source_when_its_interface_has_gone() {
    let source = |requests: &[KernelRequest]| {
        requests.iter().rev().find_map(|request| match request {
            KernelRequest::Add(KernelObject::Route {
                target: RouteTarget::Device(Device::Lisp),
                source: Some(source),
                prefix,
                ..
            }) if prefix.to_string() == "0.0.0.0/0" => Some(source.to_string()),
            _ => None,
        })
    };
    let mut bench = Bench::new(&[XTR2, TWO_SITES].concat());
    assert_eq!(source(&bench.kernel_requests()).as_deref(), Some("192.168.0.1"));
    let device = "et1-0".to_owned();
    bench.kernel(eidway::router::io::KernelEvent::LinkGone { device });
    assert_eq!(source(&bench.kernel_requests()).as_deref(), Some("192.168.1.1"));
    bench.link("et1-0", true);
    assert_eq!(source(&bench.kernel_requests()).as_deref(), Some("192.168.0.1"));
    // The address of a port that is down may not be the source. The router replaces the old route
    // in one step.
    bench.link("et1-0", false);
    let requests = bench.kernel_requests();
    assert_eq!(source(&requests).as_deref(), Some("192.168.1.1"));
    let default = |request: &KernelRequest| {
        matches!(request, KernelRequest::Remove(KernelObject::Route { prefix, .. })
            if prefix.to_string() == "0.0.0.0/0")
    };
    assert!(!requests.iter().any(default), "{requests:?}");
}

#[test]
fn an_rloc_on_a_loopback_takes_the_mtu_of_the_links() {
    let config = XTR2.replace(
        "interface Ethernet0/0\n ip address 198.51.100.21 255.255.255.0",
        "interface Loopback0\n ip address 198.51.100.21 255.255.255.255\ninterface Ethernet0/0\n \
         ip address 10.0.0.2 255.255.255.0",
    );
    let mut bench = Bench::new(&config);
    let device = "lo".to_owned();
    let up = eidway::router::io::KernelEvent::Link { device, up: true, carrier: true, mtu: 65536 };
    bench.kernel(up);
    let requests = bench.kernel_requests();
    let mtus: Vec<u16> = requests
        .iter()
        .filter_map(|request| match request {
            KernelRequest::Add(KernelObject::Link { device: Device::Lisp, mtu, .. }) => *mtu,
            _ => None,
        })
        .collect();
    assert!(mtus.iter().all(|mtu| *mtu == 1464), "{mtus:?}");
}

#[test]
fn a_router_that_stops_leaves_the_kernel_as_it_found_it() {
    let mut bench = Bench::new(XTR2);
    let mut standing = std::collections::BTreeSet::new();
    let mut apply = |requests: Vec<KernelRequest>| {
        for request in requests {
            match request {
                KernelRequest::Add(object) => standing.insert(object),
                KernelRequest::Remove(object) => standing.remove(&object),
                other => panic!("{other:?} without mobility"),
            };
        }
        standing.len()
    };
    assert!(apply(bench.kernel_requests()) > 10);
    bench.router.handle(Input::Stop, bench.now);
    let mut requests = Vec::new();
    while let Some(output) = bench.router.poll_output() {
        if let eidway::router::io::Output::Kernel(request) = output {
            requests.push(request);
        }
    }
    assert_eq!(apply(requests), 0);
}

/// The static routes that are added (`true`) and removed (`false`), in order, each with its target
/// and metric.
fn metrics(requests: &[KernelRequest]) -> Vec<(bool, RouteTarget, u32)> {
    let route = |request: &KernelRequest| match request {
        KernelRequest::Add(KernelObject::Route { target, metric, .. }) => {
            Some((true, *target, *metric))
        }
        KernelRequest::Remove(KernelObject::Route { target, metric, .. }) => {
            Some((false, *target, *metric))
        }
        _ => None,
    };
    requests.iter().filter_map(route).collect()
}

#[test]
fn of_two_routes_of_one_prefix_both_stand_and_one_is_preferred() {
    let route = |last: u8| format!("ipv6 route 2001:db8:99::/48 2001:db8::{last}\n");
    let interface = "interface e0/0\n ipv6 address 2001:db8::9/64\n";
    let mut bench = Bench::new(&[interface, &route(1), &route(2)].concat());
    let (first, second) = (next_hop("2001:db8::1"), next_hop("2001:db8::2"));
    // The kernel changes an IPv6 metric of 0 to 1024.
    let started = metrics(&bench.kernel_requests());
    assert_eq!(started[..2], [(true, first, 0), (true, second, 1025)]);
    bench.configure(&[interface, &route(2)].concat());
    let left = metrics(&bench.kernel_requests());
    // The second route replaces the first route in one step.
    assert_eq!(left, [(false, second, 1025), (true, second, 0)]);
}

#[test]
fn a_link_whose_configured_mtu_goes_gets_its_own_back() {
    let mtu_of = |requests: &[KernelRequest]| {
        requests.iter().find_map(|request| match request {
            KernelRequest::Add(KernelObject::Link { mtu, .. }) => Some(*mtu),
            _ => None,
        })
    };
    let plain = "interface e0/0\n ip address 192.0.2.1 255.255.255.0\n";
    let small = [plain, " mtu 1400\n"].concat();
    let mut bench = Bench::new(plain);
    assert_eq!(mtu_of(&bench.kernel_requests()), Some(None), "left alone");
    let link = |mtu| eidway::router::io::KernelEvent::Link {
        device: "et0-0".to_owned(),
        up: true,
        carrier: true,
        mtu,
    };
    bench.kernel(link(9000));
    bench.outputs();
    bench.configure(&small);
    assert_eq!(mtu_of(&bench.kernel_requests()), Some(Some(1400)));
    bench.kernel(link(1400));
    bench.outputs();
    bench.configure(plain);
    assert_eq!(mtu_of(&bench.kernel_requests()), Some(Some(9000)));

    let mut bench = Bench::new(&small);
    bench.outputs();
    bench.configure(plain);
    assert_eq!(mtu_of(&bench.kernel_requests()), Some(Some(1500)), "an Ethernet's");
}

/// The default route into `lisp0` that xTR2 requests after its start.
fn default_into_lisp(requests: &[KernelRequest]) -> KernelObject {
    let into_lisp = |request: &KernelRequest| match request {
        KernelRequest::Add(object @ KernelObject::Route { target, prefix, .. })
            if *target == RouteTarget::Device(Device::Lisp)
                && prefix.to_string() == "0.0.0.0/0" =>
        {
            Some(*object)
        }
        _ => None,
    };
    requests.iter().find_map(into_lisp).unwrap()
}

#[test]
fn what_vanishes_is_put_back_at_once_and_after_three_times_every_thirty_seconds() {
    let mut bench = Bench::new(XTR2);
    let default = default_into_lisp(&bench.kernel_requests());
    bench.link("lisp0", true);
    bench.advance(Duration::from_secs(1));
    bench.outputs();
    for _ in 0..3 {
        bench.kernel(KernelEvent::Lost(vec![default]));
        assert_eq!(bench.kernel_requests(), [KernelRequest::Add(default)]);
        bench.advance(Duration::from_secs(1));
    }
    bench.kernel(KernelEvent::Lost(vec![default]));
    assert_eq!(bench.kernel_requests(), []);
    let put_back = |bench: &mut Bench, span| {
        let outputs = bench.advance(Duration::from_secs(span));
        let mut outputs = outputs.into_iter().flat_map(|(_, outputs)| outputs);
        let add = eidway::router::io::Output::Kernel(KernelRequest::Add(default));
        outputs.any(|output| output == add)
    };
    assert!(!put_back(&mut bench, 29));
    assert!(put_back(&mut bench, 2));
}

#[test]
fn what_is_not_wanted_any_more_is_not_put_back() {
    let mut bench = Bench::new(XTR2);
    let default = default_into_lisp(&bench.kernel_requests());
    bench.link("lisp0", true);
    bench.configure(&XTR2.replace(" ipv4 itr\n", ""));
    bench.outputs();
    bench.kernel(KernelEvent::Lost(vec![default]));
    assert_eq!(bench.kernel_requests(), []);
}

#[test]
fn what_is_lost_with_its_link_comes_back_with_its_link() {
    let mut bench = Bench::new(XTR2);
    let default = default_into_lisp(&bench.kernel_requests());
    bench.link("lisp0", true);
    bench.kernel(KernelEvent::LinkGone { device: "lisp0".to_owned() });
    bench.outputs();
    bench.kernel(KernelEvent::Lost(vec![default]));
    assert_eq!(bench.kernel_requests(), []);
    bench.link("lisp0", true);
    assert!(bench.kernel_requests().contains(&KernelRequest::Add(default)));
}

#[test]
fn a_refused_wish_is_asked_again_and_does_not_spin() {
    let mut bench = Bench::new(XTR2);
    let default = default_into_lisp(&bench.kernel_requests());
    bench.link("lisp0", true);
    bench.outputs();
    let request = KernelRequest::Add(default);
    let mut asked = 0;
    for _ in 0..600 {
        let error = "Invalid argument".to_owned();
        bench.kernel(KernelEvent::Refused { request, error });
        let outputs = bench.advance(Duration::from_millis(100));
        let outputs = outputs.into_iter().flat_map(|(_, outputs)| outputs);
        let again = eidway::router::io::Output::Kernel(request);
        asked += outputs.filter(|output| *output == again).count();
    }
    assert!((4..=5).contains(&asked), "asked again {asked} times in a minute");
}

#[test]
fn a_port_that_is_set_down_by_hand_is_left_so_until_it_is_set_up() {
    let port = InterfaceName::ethernet(1, 0);
    let ups = |requests: &[KernelRequest]| -> Vec<bool> {
        let up = |request: &KernelRequest| match request {
            KernelRequest::Add(KernelObject::Link { device, up, .. })
                if *device == Device::Interface(port) =>
            {
                Some(*up)
            }
            _ => None,
        };
        requests.iter().filter_map(up).collect()
    };
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    bench.link("et1-0", false);
    assert!(bench.router.is_down_by_hand(&port));
    // A change of the configured MTU does not set the port up.
    let small = format!("{XTR2}\ninterface Ethernet1/0\n mtu 1400\n");
    bench.configure(&small);
    assert_eq!(ups(&bench.kernel_requests()), [false]);
    bench.link("et1-0", true);
    assert!(!bench.router.is_down_by_hand(&port));
    assert_eq!(ups(&bench.kernel_requests()), [true]);
    // If the router itself sets a port down, the port is not down by hand.
    bench.configure(&format!("{small} shutdown\n"));
    bench.outputs();
    bench.link("et1-0", false);
    assert!(!bench.router.is_down_by_hand(&port));
    bench.configure(&small);
    assert_eq!(ups(&bench.kernel_requests()), [true]);
}

#[test]
fn of_two_that_the_kernel_takes_for_one_the_other_comes_back_when_one_goes() {
    // The blackhole route of the EID prefix 0.0.0.0/0 is at the place of the native default route.
    let everything = XTR2.replace("192.168.0.0/24", "0.0.0.0/0");
    let mut bench = Bench::new(&everything);
    bench.outputs();
    bench.configure(XTR2);
    let native = routes(&bench.kernel_requests(), Table::Native);
    let default = ("0.0.0.0/0".to_owned(), next_hop("198.51.100.1"));
    assert!(native.contains(&default), "{native:?}");
}
