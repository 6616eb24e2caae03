//! `parse_config` reads the output of `running_config` back. The configurations are random, but
//! each of them is a configuration that the console accepts.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use eidway::addr::{EidPrefix, Family, InstanceId, Rloc};
use eidway::console::{parse_config, running_config};
use eidway::router::config::{
    Config, ConfiguredLocator, DatabaseMapping, DynamicEid, EidTable, EmulatedHost, EtrMapServer,
    Interface, InterfaceName, Lisp, LocReach, LocatorSource, NonceOrder, Service, Site, SitePrefix,
    StaticRoute, StaticTarget, Vrf, VtyLines,
};
use eidway::router::io::Mac;
use eidway::router::unsupported::Place;
use eidway::wire::auth::{Algorithm, Key};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

/// The name of the dynamic-EID that the interfaces name. They name it only if the configuration has
/// it.
const ROAM: &str = "ROAM";

fn rlocs() -> impl Strategy<Value = Rloc> {
    prop_oneof![
        (1..224u8, any::<[u8; 3]>()).prop_map(|(a, [b, c, d])| {
            let a = if a == 127 { 126 } else { a };
            Rloc(std::net::Ipv4Addr::new(a, b, c, d).into())
        }),
        (any::<u64>()).prop_map(|low| {
            Rloc(
                std::net::Ipv6Addr::from(
                    0x2001_0db8_0000_0000_0000_0000_0000_0000 | u128::from(low),
                )
                .into(),
            )
        }),
    ]
}

fn prefixes() -> impl Strategy<Value = ipnet::IpNet> {
    prop_oneof![
        (any::<u32>(), 0..=32u8).prop_map(|(bits, len)| ipnet::Ipv4Net::new_assert(
            bits.into(),
            len
        )
        .trunc()
        .into()),
        (any::<u128>(), 0..=128u8).prop_map(|(bits, len)| ipnet::Ipv6Net::new_assert(
            bits.into(),
            len
        )
        .trunc()
        .into()),
    ]
}

/// The rest of a line: any characters, but no blank at an end.
fn texts() -> impl Strategy<Value = String> {
    "[!-~]([ -~]{0,20}[!-~])?"
}

fn words() -> impl Strategy<Value = String> {
    "[!-~]{1,12}"
}

fn keys() -> impl Strategy<Value = Key> {
    let algorithm = prop_oneof![Just(Algorithm::HmacSha1), Just(Algorithm::HmacSha256)];
    let kinds = ["0", "6", "7", "hash-function", "proxy-reply"].map(str::to_owned);
    let secret = prop_oneof![words(), proptest::sample::select(kinds.to_vec())];
    (algorithm, secret).prop_map(|(algorithm, secret)| Key {
        algorithm,
        secret: secret.into_bytes(),
        key_id: 0,
    })
}

fn interface_names() -> impl Strategy<Value = InterfaceName> {
    prop_oneof![
        (0..9u16, 0..4u16).prop_map(|(slot, port)| format!("Ethernet{slot}/{port}")),
        (0..99u16).prop_map(|number| format!("Loopback{number}")),
        (0..9u16).prop_map(|port| format!("GigabitEthernet0/0/{port}")),
        (0..9u16, 1..99u16).prop_map(|(port, of)| format!("TenGigabitEthernet1/{port}.{of}")),
        (1..4094u16).prop_map(|number| format!("Vlan{number}")),
        (0..9u16).prop_map(|number| format!("Port-channel{number}")),
    ]
    .prop_map(|name| name.parse().unwrap())
}

fn locators(interfaces: bool) -> impl Strategy<Value = Vec<ConfiguredLocator>> {
    let address = rlocs().prop_map(LocatorSource::Address);
    let source = if interfaces {
        let family = prop_oneof![Just(Family::Ipv4), Just(Family::Ipv6)];
        let interface = (family, interface_names());
        prop_oneof![address, interface.prop_map(|(f, n)| LocatorSource::Interface(f, n))].boxed()
    } else {
        address.boxed()
    };
    btree_map(source, (any::<u8>(), 0..=100u8), 1..4).prop_map(|locators| {
        let locators = locators.into_iter();
        locators
            .map(|(source, (priority, weight))| ConfiguredLocator { source, priority, weight })
            .collect()
    })
}

fn services(family: Family) -> impl Strategy<Value = Service> {
    let source = rlocs().prop_filter("its family", move |rloc| rloc.family() == family);
    (
        any::<[bool; 10]>(),
        vec(rlocs(), 0..3),
        vec(rlocs(), 0..3),
        btree_map(rlocs(), (keys(), any::<bool>()), 0..3),
        option::of(locators(false)),
        option::of(source),
        option::of(1..=u32::MAX),
        option::of(1..=10080u32),
        (btree_set(rlocs(), 0..3), option::of(0..=10_000u32)),
        (any::<bool>(), option::of(0..=family.bits())),
    )
        .prop_map(
            move |(flags, proxy, resolvers, servers, petrs, source, limit, ttl, smr, claims)| {
                let [itr, etr, petr, server, resolver, legacy, away, trust, deaf, routed] = flags;
                let mut proxy_itr = if itr { Vec::new() } else { proxy };
                proxy_itr.dedup_by_key(|rloc| rloc.family());
                proxy_itr.truncate(2);
                let mut itr_map_resolvers: Vec<_> =
                    resolvers.into_iter().map(|rloc| rloc.0).collect();
                itr_map_resolvers.dedup();
                Service {
                    itr,
                    etr,
                    proxy_itr,
                    proxy_etr: petr,
                    map_server: server,
                    map_server_legacy: server && legacy,
                    map_resolver: resolver,
                    itr_map_resolvers,
                    etr_map_servers: servers
                        .into_iter()
                        .map(|(rloc, (key, proxy_reply))| {
                            (rloc.0, EtrMapServer { key, proxy_reply })
                        })
                        .collect(),
                    use_petr: petrs.unwrap_or_default(),
                    map_request_source: source.map(|rloc| rloc.0),
                    map_cache_limit: limit,
                    ignores_smrs: deaf,
                    etr_map_cache_ttl: ttl,
                    etr_smr_peers: smr.0,
                    etr_no_forward_away: away,
                    etr_no_source_check: trust,
                    locator_excludes_default: routed,
                    itr_smr_delay_ms: smr.1,
                    itr_accept_default: claims.0,
                    itr_widest_mapping: claims.1,
                }
            },
        )
}

fn tables() -> impl Strategy<Value = EidTable> {
    let inline = locators(true).prop_map(DatabaseMapping::Inline);
    let named = prop_oneof![Just("set1"), Just("set2")]
        .prop_map(|name| DatabaseMapping::LocatorSet(name.to_owned()));
    let mapping = prop_oneof![inline, named];
    let database = btree_map(prefixes(), mapping.clone(), 0..4);
    let ranges = btree_map(prefixes(), mapping, 0..3);
    let name = prop_oneof![words(), Just(ROAM.to_owned())];
    let dynamic_eids = btree_map(name, ranges, 0..3);
    (database, btree_set(prefixes(), 0..3), dynamic_eids, option::of(words())).prop_map(
        |(database, map_requests, dynamic_eids, vrf)| {
            let mut taken: BTreeSet<ipnet::IpNet> = BTreeSet::new();
            let dynamic_eids = dynamic_eids.into_iter().map(|(name, mut ranges)| {
                ranges.retain(|range, _| {
                    !database.keys().any(|mapping| range.contains(mapping)) && taken.insert(*range)
                });
                (name, DynamicEid { database: ranges })
            });
            EidTable {
                vrf,
                dynamic_eids: dynamic_eids.collect(),
                database: database.into_iter().collect(),
                map_requests,
            }
        },
    )
}

fn sites() -> impl Strategy<Value = std::collections::BTreeMap<String, Site>> {
    let prefix = (0..=0xff_ffffu32, prefixes())
        .prop_map(|(id, net)| EidPrefix::new(InstanceId::new(id).unwrap(), net));
    let order = prop_oneof![Just(NonceOrder::Id), Just(NonceOrder::Strict), Just(NonceOrder::None)];
    let description = option::of(texts());
    let site = (option::of(keys()), btree_map(prefix, any::<bool>(), 0..3), order, description);
    btree_map(words(), site, 0..3).prop_map(|sites| {
        let mut taken = BTreeSet::new();
        let sites = sites.into_iter().map(|(name, (key, prefixes, nonce_order, description))| {
            let eid_prefixes = prefixes
                .into_iter()
                .filter(|(prefix, _)| taken.insert(*prefix))
                .map(|(prefix, more)| (prefix, SitePrefix { accept_more_specifics: more }))
                .collect();
            (name, Site { description, key, eid_prefixes, nonce_order })
        });
        sites.collect()
    })
}

fn lisps() -> impl Strategy<Value = Lisp> {
    let id = (0..=0xff_ffffu32).prop_map(|id| InstanceId::new(id).unwrap());
    (
        (locators(true), locators(true)),
        btree_map(id, tables(), 0..=1),
        services(Family::Ipv4),
        services(Family::Ipv6),
        sites(),
        any::<[bool; 3]>(),
        prop_oneof![Just(0), any::<u16>()],
    )
        .prop_map(|((set1, set2), eid_tables, ipv4, ipv6, sites, flags, process)| Lisp {
            process,
            locator_sets: [("set1".to_owned(), set1), ("set2".to_owned(), set2)].into(),
            eid_tables,
            ipv4,
            ipv6,
            sites,
            loc_reach: LocReach { lsb_reports: flags[0], echo_nonce: flags[1] },
            no_reliable_registration: flags[2],
        })
}

fn interfaces() -> impl Strategy<Value = std::collections::BTreeMap<InterfaceName, Interface>> {
    let interface = (
        (option::of(texts()), option::of(words())),
        vec((1..=126u8, any::<u8>(), 8..=24u8), 0..3),
        vec((any::<u16>(), 1..=128u8), 0..3),
        any::<[bool; 4]>(),
        option::of(576..=9216u16),
        option::of(any::<[u8; 5]>()),
        any::<bool>(),
    );
    btree_map(interface_names(), interface, 0..4).prop_map(|interfaces| {
        let mut number = 0u16;
        let interfaces = interfaces.into_iter().map(|(name, settings)| {
            let ((description, vrf), v4, v6, flags, mtu, mac, plays) = settings;
            // Two interfaces cannot have a host of one name.
            let hosts = plays.then(|| name.short().replace(['/', '.'], "-"));
            let v4 = v4.into_iter().map(|(a, b, len)| {
                number += 1;
                let [high, low] = number.to_be_bytes();
                let host = std::net::Ipv4Addr::new(a, b, high, low);
                ipnet::IpNet::new(host.into(), len).unwrap()
            });
            let mut addresses: Vec<_> = v4.collect();
            addresses.extend(v6.into_iter().map(|(part, len)| {
                number += 1;
                let host = std::net::Ipv6Addr::new(0x2001, 0xdb8, part, 0, 0, 0, 0, number);
                ipnet::IpNet::new(host.into(), len).unwrap()
            }));
            let [shutdown, proxy_arp, mobility, link_local] = flags;
            if link_local {
                addresses.push("fe80::1/64".parse().unwrap());
            }
            let interface = Interface {
                description,
                vrf,
                addresses,
                shutdown,
                proxy_arp,
                mtu,
                vlan: mtu.filter(|_| name.is_subinterface()).map(|mtu| mtu % 4094 + 1),
                mac: mac.map(|[a, b, c, d, e]| Mac([2, a, b, c, d, e])),
                lisp_mobility: mobility.then(|| ROAM.to_owned()).into_iter().collect(),
                emulated_hosts: hosts.into_iter().map(|name| (name, roamer(number))).collect(),
            };
            (name, interface)
        });
        interfaces.collect()
    })
}

/// A host with addresses of both families and a gateway of one family.
fn roamer(number: u16) -> EmulatedHost {
    let addresses = ["10.1.0.2/16", "10.2.0.2/24", "2001:db8::2/64"];
    EmulatedHost {
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        gateways: BTreeMap::from([(Family::Ipv4, "10.1.0.1".parse().unwrap())]),
        mac: number.is_multiple_of(2).then_some(Mac([2, 0, 0, 0, 0, 1])),
    }
}

fn configs() -> impl Strategy<Value = Config> {
    let target = prop_oneof![
        rlocs().prop_map(|rloc| StaticTarget::NextHop(rloc.0)),
        interface_names().prop_map(StaticTarget::Interface),
        Just(StaticTarget::Null),
    ];
    let options = (
        prop_oneof![Just(1), 1..=255u8],
        option::of(interface_names()),
        option::of(1..=u32::MAX),
        option::of(words()),
    );
    let route = (prefixes(), target, options).prop_map(|(prefix, target, options)| {
        let (distance, interface, tag, name) = options;
        let is_next_hop = matches!(target, StaticTarget::NextHop(_));
        let interface = interface.filter(|_| is_next_hop);
        StaticRoute { prefix, distance, target, interface, tag, name }
    });
    let route = route.prop_filter("one family", |route| match route.target {
        StaticTarget::NextHop(address) => address.is_ipv4() == route.prefix.addr().is_ipv4(),
        _ => true,
    });
    let hostname = prop_oneof![Just(String::new()), "[A-Za-z][A-Za-z0-9_.-]{0,10}"];
    let comment = (any::<usize>(), "(no )?[a-z]{1,8}( [ -~]{0,9}[!-~])?", any::<bool>());
    let others = (names(), vty_lines(), vec(comment, 0..6));
    (hostname, interfaces(), vec(route, 0..4), option::of(lisps()), others).prop_map(
        |(
            hostname,
            mut interfaces,
            routes,
            lisp,
            ((vrfs, hosts, aliases), vty_lines, comments),
        )| {
            let mut tables = lisp.iter().flat_map(|lisp: &Lisp| lisp.eid_tables.values());
            if !tables.any(|table| table.dynamic_eids.contains_key(ROAM)) {
                interfaces.values_mut().for_each(|interface| interface.lisp_mobility.clear());
            }
            let mut known = BTreeSet::new();
            let is_new =
                |route: &StaticRoute| known.insert((route.prefix, route.target, route.interface));
            let static_routes = routes.into_iter().filter(is_new).collect();
            let mut config = Config {
                hostname,
                vrfs,
                hosts,
                aliases,
                interfaces,
                static_routes,
                lisp,
                vty_lines,
                ..Config::default()
            };
            keep_lines(&mut config, comments);
            config
        },
    )
}

fn vty_lines() -> impl Strategy<Value = VtyLines> {
    let password = prop_oneof!["[ -~]{0,6}[!-~]", "[07]( [07]){0,2}"].prop_map(|text: String| {
        // Blanks around a password are not part of it.
        text.trim().to_owned()
    });
    (option::of(password), any::<bool>())
        .prop_map(|(password, no_login)| VtyLines { password, no_login })
}

/// Adds lines that the router does not carry out: each at a place of the configuration, or below the
/// line before it.
fn keep_lines(config: &mut Config, lines: Vec<(usize, String, bool)>) {
    let mut places: Vec<Place> = config.interfaces.keys().copied().map(Place::Interface).collect();
    if let Some(lisp) = &config.lisp {
        places.push(Place::Lisp);
        places.extend(lisp.locator_sets.keys().cloned().map(Place::LocatorSet));
        places.extend(lisp.sites.keys().cloned().map(Place::Site));
        for (id, table) in &lisp.eid_tables {
            places.push(Place::EidTable(*id));
            let names = table.dynamic_eids.keys().cloned();
            places.extend(names.map(|name| Place::DynamicEid(*id, name)));
        }
    }
    if places.is_empty() {
        return;
    }
    let mut before: Option<(Place, String)> = None;
    for (number, line, is_below) in lines {
        match &before {
            Some((place, opener)) if is_below => {
                config.unsupported.add_below(place.clone(), opener, &format!(" {line}"));
            }
            _ => {
                let place = places[number % places.len()].clone();
                config.unsupported.add(place.clone(), &line);
                before = Some((place, line));
            }
        }
    }
}

type Names = (BTreeMap<String, Vrf>, BTreeMap<String, Vec<IpAddr>>, BTreeMap<String, String>);

/// The VRFs, the names of hosts and the aliases of commands.
fn names() -> impl Strategy<Value = Names> {
    let target = ("(export|import)", words(), "( stitching)?");
    let target = target.prop_map(|(direction, word, end)| format!("{direction} {word}{end}"));
    let targets = btree_set(target, 0..3).boxed();
    let family = prop_oneof![Just(Family::Ipv4), Just(Family::Ipv6)];
    let families = btree_map(family, targets.clone(), 0..3);
    let vrf = (option::of(texts()), option::of(words()), targets, families).prop_map(
        |(description, rd, route_targets, families)| Vrf {
            description,
            rd,
            route_targets,
            families,
        },
    );
    let addresses = btree_set(rlocs().prop_map(|rloc| rloc.0), 1..5);
    let addresses = addresses.prop_map(|addresses| addresses.into_iter().collect());
    (
        btree_map(words(), vrf, 0..3),
        btree_map(words(), addresses, 0..3),
        btree_map(words(), texts(), 0..3),
    )
}

/// The number of generated configurations. In a debug build they take 16 seconds of one processor.
const CONFIGURATIONS: u32 = 10_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CONFIGURATIONS))]

    #[test]
    fn what_is_written_reads_back(config in configs()) {
        let text = running_config(&config);
        match parse_config("running", &text) {
            Ok(read) => prop_assert_eq!(read, config, "{}", text),
            Err(error) => prop_assert!(false, "{}\n{}", error, text),
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(
        text in "([ a-z0-9./:-]|[ip]p|no |lisp|router|\\PC|\n){0,80}"
    ) {
        let _ = parse_config("fuzz", &text).map_err(|error| error.to_string());
    }
}
