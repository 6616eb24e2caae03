use super::*;

const DAY: Duration = Duration::from_secs(24 * 3600);
const MINUTE: Duration = Duration::from_secs(60);

fn prefix(text: &str) -> EidPrefix {
    EidPrefix::new(InstanceId::DEFAULT, text.parse().unwrap())
}

fn eid(text: &str) -> Eid {
    Eid::new(InstanceId::DEFAULT, text.parse().unwrap())
}

fn to(rloc: &str, now: Time) -> Mapping {
    let rloc = Rloc(rloc.parse().unwrap());
    let source = crate::router::reachability::Source::RBit;
    let locator =
        Locator { rloc, priority: 1, weight: 100, ordinal: 0, up: true, source, since: now };
    Mapping::Locators([locator].into())
}

/// The cache of an ITR with its default entry.
fn cache() -> MapCache {
    let mut cache = MapCache::default();
    cache.reconcile_static(&BTreeSet::from([prefix("0.0.0.0/0")]), Time::ZERO);
    cache
}

fn learn(cache: &mut MapCache, text: &str, mapping: Mapping, ttl: Duration, at: u64) -> bool {
    let map_source = "209.165.201.31".parse().unwrap();
    let learned = Learned { prefix: prefix(text), mapping, ttl, map_source, solicited: false };
    cache.learn(learned, eid("172.16.0.12"), 4, Time::from_secs(at))
}

fn prefixes(cache: &MapCache) -> Vec<String> {
    cache.entries().iter().map(|(prefix, _)| prefix.to_string()).collect()
}

#[test]
fn an_entry_is_small_for_there_may_be_a_million() {
    assert_eq!(size_of::<Entry>() + size_of::<EidPrefix>(), 136);
}

#[test]
fn a_mapping_that_is_learned_again_keeps_its_uptime() {
    let mut cache = cache();
    let mapping = to("203.0.113.11", Time::ZERO);
    learn(&mut cache, "172.16.0.0/24", mapping, DAY, 0);
    learn(&mut cache, "172.16.0.0/24", Mapping::ForwardNative, MINUTE, 3588);
    let (_, entry) = cache.lookup(eid("172.16.0.12")).unwrap();
    assert_eq!(entry.mapping, Mapping::ForwardNative);
    assert_eq!(entry.created_at, Time::ZERO);
    assert_eq!(entry.modified_at, Time::from_secs(3588));
    assert_eq!(entry.expires_at, Some(Time::from_secs(3648)));
}

#[test]
fn a_locator_that_stays_keeps_its_uptime() {
    let mut cache = cache();
    learn(&mut cache, "172.16.0.0/24", to("203.0.113.11", Time::ZERO), DAY, 0);
    let again = to("203.0.113.11", Time::from_secs(100));
    learn(&mut cache, "172.16.0.0/24", again, DAY, 100);
    let (_, entry) = cache.lookup(eid("172.16.0.12")).unwrap();
    assert_eq!(entry.mapping, to("203.0.113.11", Time::ZERO));
    assert_eq!(entry.modified_at, Time::ZERO);
}

#[test]
fn a_less_specific_reply_ends_the_more_specific_that_holds_what_was_asked_and_no_other() {
    let mut cache = cache();
    learn(&mut cache, "172.16.0.12/32", to("198.51.100.21", Time::ZERO), DAY, 0);
    learn(&mut cache, "172.16.0.128/25", to("198.51.100.21", Time::ZERO), MINUTE, 0);
    learn(&mut cache, "172.16.0.0/24", to("203.0.113.11", Time::ZERO), DAY, 10);
    assert_eq!(prefixes(&cache), ["0.0.0.0/0", "172.16.0.0/24", "172.16.0.128/25"]);
    let covering = cache.entries().get(&prefix("172.16.0.0/24")).unwrap();
    assert_eq!(covering.expires_at, Some(Time::from_secs(60)), "it outlives no inner one");
}

#[test]
fn entries_go_when_their_time_has_come_and_static_ones_stay() {
    let mut cache = cache();
    learn(&mut cache, "172.16.0.0/24", Mapping::ForwardNative, MINUTE, 0);
    assert_eq!(cache.next_expiry(), Some(Time::from_secs(60)));
    cache.expire(Time(59_999_999));
    assert_eq!(prefixes(&cache).len(), 2);
    cache.expire(Time::from_secs(60));
    assert_eq!(prefixes(&cache), ["0.0.0.0/0"]);
    assert_eq!(cache.next_expiry(), None);
}

#[test]
fn a_reply_for_a_static_prefix_stands_in_front_of_it_and_gives_way_to_it() {
    let mut cache = cache();
    learn(&mut cache, "0.0.0.0/0", Mapping::ForwardNative, MINUTE, 0);
    let (_, entry) = cache.lookup(eid("8.8.8.8")).unwrap();
    assert_eq!(entry.mapping, Mapping::ForwardNative);
    cache.expire(Time::from_secs(60));
    let (_, entry) = cache.lookup(eid("8.8.8.8")).unwrap();
    assert_eq!((&entry.mapping, entry.source), (&Mapping::SendMapRequest, Source::Static));
}

#[test]
fn a_ttl_of_zero_and_a_clear_take_out_what_was_learned() {
    let mut cache = cache();
    learn(&mut cache, "172.16.0.0/24", Mapping::ForwardNative, MINUTE, 0);
    learn(&mut cache, "172.16.0.0/24", Mapping::ForwardNative, Duration::ZERO, 1);
    assert_eq!(prefixes(&cache), ["0.0.0.0/0"]);
    learn(&mut cache, "172.16.0.0/24", Mapping::ForwardNative, MINUTE, 0);
    cache.clear(InstanceId::DEFAULT, Family::Ipv6, None);
    assert_eq!(prefixes(&cache).len(), 2);
    cache.clear(InstanceId::DEFAULT, Family::Ipv4, None);
    assert_eq!(prefixes(&cache), ["0.0.0.0/0"]);
    assert_eq!(cache.next_expiry(), None);
}

fn packets(cache: &mut MapCache, address: &str, count: u64, at: u64) {
    for _ in 0..count {
        let load = Load { packets: 1, bytes: 100 };
        let (slot, ..) = cache.find(eid(address)).expect("there is a default entry");
        cache.count_use(slot, load, Time::from_secs(at));
    }
}

#[test]
fn a_full_family_of_entries_in_use_turns_away_what_it_does_not_hold() {
    let mut cache = cache();
    for third in 0..3 {
        let text = format!("10.0.{third}.0/24");
        assert!(learn(&mut cache, &text, Mapping::ForwardNative, DAY, 0));
        packets(&mut cache, &format!("10.0.{third}.1"), 2, 1);
    }
    assert!(!learn(&mut cache, "10.0.9.0/24", Mapping::ForwardNative, MINUTE, 60));
    assert!(learn(&mut cache, "10.0.0.0/24", Mapping::Drop, DAY, 60));
    assert_eq!((cache.rejected, cache.evicted), (1, 0));
    assert!(learn(&mut cache, "10.0.9.0/24", Mapping::ForwardNative, MINUTE, 61));
    assert_eq!((cache.rejected, cache.evicted), (1, 1), "a minute after its last packet");
}

#[test]
fn what_was_used_least_recently_gives_way_first() {
    let mut cache = cache();
    for third in 0..3 {
        learn(&mut cache, &format!("10.0.{third}.0/24"), Mapping::ForwardNative, DAY, third);
    }
    // The first entry was used once. The second entry was used many times, but not recently.
    packets(&mut cache, "10.0.0.1", 1, 90);
    packets(&mut cache, "10.0.1.1", 9, 20);
    learn(&mut cache, "10.0.3.0/24", Mapping::ForwardNative, DAY, 100);
    assert_eq!(prefixes(&cache)[1..], ["10.0.0.0/24", "10.0.1.0/24", "10.0.3.0/24"]);
    learn(&mut cache, "10.0.4.0/24", Mapping::ForwardNative, DAY, 101);
    assert_eq!(prefixes(&cache)[1..], ["10.0.0.0/24", "10.0.3.0/24", "10.0.4.0/24"]);
    assert_eq!((cache.rejected, cache.evicted), (0, 2));
}

#[test]
fn a_scan_pushes_out_only_what_was_scanned() {
    let mut cache = cache();
    learn(&mut cache, "172.16.0.0/24", to("203.0.113.11", Time::ZERO), DAY, 0);
    for number in 0..10_000_u32 {
        let seconds = u64::from(number / 500);
        if number % 500 == 0 {
            packets(&mut cache, "172.16.0.12", 2, seconds);
        }
        let scanned = std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).to_string();
        let one = format!("{scanned}/32");
        learn(&mut cache, &one, Mapping::ForwardNative, 15 * MINUTE, seconds);
        packets(&mut cache, &scanned, 1, seconds);
        assert!(cache.entries().len() <= 4);
    }
    assert!(cache.entries().contains(&prefix("172.16.0.0/24")));
    assert_eq!((cache.rejected, cache.evicted), (0, 10_000 - 2));
    assert_eq!(cache.expiries.len(), 3);
    assert_eq!(cache.evictions.values().map(BTreeSet::len).sum::<usize>(), 3);
}
