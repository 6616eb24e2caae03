//! A host sends packets to many addresses of a /8 through a proxy ITR. The map-cache has a limit.

use std::net::Ipv4Addr;
use std::time::Duration;

use eidway::addr::{Family, InstanceId};
use eidway::router::io::Outbound;

use crate::bench::*;

const LIMIT: usize = 100;

fn pitr() -> Bench {
    let change = "  map-cache 11.0.0.0/8 map-request\n  map-cache 172";
    let config = PXTR1.replacen("  map-cache 172", change, 1);
    let limited = " ipv4 map-cache-limit 100\n ipv4 proxy-etr";
    let mut bench = Bench::new(&config.replacen(" ipv4 proxy-etr", limited, 1));
    bench.outputs();
    bench
}

/// Sends a packet for which the map-cache has no entry, and answers the Map-Request that it causes.
fn resolve(bench: &mut Bench, destination: &str, eids: &str, rlocs: &[&str]) {
    let mut first = packet("10.0.0.9", destination, 63, b"first");
    assert_eq!(bench.encapsulate(&mut first), Outbound::Held, "{destination}");
    let (_, request) = only_request(&bench.messages());
    let answer = reply(request.nonce, vec![record(eids, 15, rlocs)]);
    bench.control(OLD, "192.0.2.51", &answer);
    bench.outputs();
}

fn size(bench: &Bench) -> usize {
    bench.router.map_cache().entries().len_of(InstanceId::DEFAULT, Family::Ipv4)
}

#[test]
fn a_scan_of_a_slash_8_stays_within_the_limit_and_evicts_no_entry_in_use() {
    let mut bench = pitr();
    let flows: Vec<String> = (1..=20).map(|last| format!("172.16.{last}.12")).collect();
    for flow in &flows {
        resolve(&mut bench, flow, &format!("{flow}/32"), &[RLOC_1]);
        let second = bench.encapsulate(&mut packet("10.0.0.9", flow, 63, b"second"));
        assert!(matches!(second, Outbound::Encapsulate(_)), "{second:?}");
    }
    for number in 0..5_000_u32 {
        // A probe takes 5 ms. Each flow sends a hundred packets in half a second and then pauses
        // for ten seconds.
        let flow = &flows[number as usize / 100 % flows.len()];
        let mut used = packet("10.0.0.9", flow, 63, b"used");
        let outbound = bench.encapsulate(&mut used);
        assert!(matches!(outbound, Outbound::Encapsulate(_)), "{flow} at {number}: {outbound:?}");
        let scanned = Ipv4Addr::from_bits(0x0b00_0000 + number * 3331).to_string();
        resolve(&mut bench, &scanned, &format!("{scanned}/32"), &[]);
        assert!(size(&bench) <= LIMIT);
        bench.advance(Duration::from_millis(5));
    }
    assert_eq!(size(&bench), LIMIT);
    let map_cache = bench.router.map_cache();
    let (kept, statics) = (flows.len(), 2);
    assert_eq!(map_cache.evicted as usize, 5_000 + kept + statics - LIMIT);
    assert_eq!(map_cache.rejected, 0);
}

#[test]
fn a_limit_that_is_lowered_is_met_a_little_at_a_time() {
    let mut bench = pitr();
    let unlimited = PXTR1.replacen("172.16.0.0/16", "11.0.0.0/8", 1);
    bench.configure(&unlimited);
    bench.outputs();
    for number in 0..300_u32 {
        let host = Ipv4Addr::from_bits(0x0b00_0000 + number).to_string();
        resolve(&mut bench, &host, &format!("{host}/32"), &[]);
    }
    bench.configure(&unlimited.replacen(
        " ipv4 proxy-etr",
        " ipv4 map-cache-limit 9\n ipv4 proxy-etr",
        1,
    ));
    bench.outputs();
    for number in 300..310_u32 {
        let host = Ipv4Addr::from_bits(0x0b00_0000 + number).to_string();
        resolve(&mut bench, &host, &format!("{host}/32"), &[]);
    }
    assert_eq!(size(&bench), 9);
}
