//! Tests that compare the map with a simple map. The tests make random sequences of changes.

use proptest::collection::vec;
use proptest::prelude::*;

use super::PrefixMap;
use crate::addr::{Eid, EidPrefix, Family, InstanceId};

/// Makes prefixes of any length. Many of these prefixes have their first bits in common.
fn prefix() -> impl Strategy<Value = EidPrefix> {
    let v4 = (prop_oneof![0_u32..16, any::<u32>()], 0_u32..=32, 0_u8..=32)
        .prop_map(|(bits, shift, len)| net(v4_address(bits, shift), len));
    let v6 = (prop_oneof![0_u128..16, any::<u128>()], 0_u32..=128, 0_u8..=128).prop_map(
        |(bits, shift, len)| {
            let bits = bits.checked_shl(shift).unwrap_or(0);
            net(std::net::Ipv6Addr::from_bits(bits).into(), len)
        },
    );
    (prop_oneof![3 => v4, 1 => v6], 0_u32..2)
        .prop_map(|(net, id)| EidPrefix::new(InstanceId::new(id).expect("it is small"), net))
}

fn v4_address(bits: u32, shift: u32) -> std::net::IpAddr {
    std::net::Ipv4Addr::from_bits(bits.checked_shl(shift).unwrap_or(0)).into()
}

fn net(address: std::net::IpAddr, len: u8) -> ipnet::IpNet {
    ipnet::IpNet::new(address, len).expect("the length fits")
}

/// A simple map: a list of entries. The order of this list is the order that the real map must
/// have.
#[derive(Default)]
struct Naive(Vec<(EidPrefix, u32)>);

impl Naive {
    fn insert(&mut self, prefix: EidPrefix, value: u32) -> Option<u32> {
        let before = self.remove(&prefix);
        self.0.push((prefix, value));
        self.0.sort_by_key(|(prefix, _)| order(prefix));
        before
    }

    fn remove(&mut self, prefix: &EidPrefix) -> Option<u32> {
        let at = self.0.iter().position(|(own, _)| own == prefix)?;
        Some(self.0.remove(at).1)
    }

    fn those(&self, wanted: impl Fn(&EidPrefix) -> bool) -> Vec<(EidPrefix, u32)> {
        self.0.iter().copied().filter(|(prefix, _)| wanted(prefix)).collect()
    }

    fn longest_match(&self, eid: Eid) -> Option<(EidPrefix, u32)> {
        self.those(|prefix| prefix.contains(eid))
            .into_iter()
            .max_by_key(|(prefix, _)| prefix.mask_len())
    }
}

fn order(prefix: &EidPrefix) -> (InstanceId, Family, std::net::IpAddr, u8) {
    (prefix.instance_id(), prefix.family(), prefix.network().address, prefix.mask_len())
}

fn copied<'a>(entries: impl Iterator<Item = (EidPrefix, &'a u32)>) -> Vec<(EidPrefix, u32)> {
    entries.map(|(prefix, value)| (prefix, *value)).collect()
}

/// Checks that all functions of both maps return the same results for the prefix `about`.
fn agree(map: &PrefixMap<u32>, naive: &Naive, about: EidPrefix) -> Result<(), TestCaseError> {
    let eid = about.network();
    let found = map.longest_match(eid).map(|(prefix, value)| (prefix, *value));
    prop_assert_eq!(found, naive.longest_match(eid));
    prop_assert_eq!(map.get(&about).copied(), naive.those(|own| *own == about).pop().map(|e| e.1));
    prop_assert_eq!(copied(map.covering(&about)), naive.those(|own| own.covers(&about)));
    prop_assert_eq!(copied(map.covered_by(&about)), naive.those(|own| about.covers(own)));
    let (id, family) = (about.instance_id(), about.family());
    let rest = copied(map.iter_after(id, family, Some(about)));
    let same_table = |own: &EidPrefix| (own.instance_id(), own.family()) == (id, family);
    let after = |own: &EidPrefix| same_table(own) && order(own) > order(&about);
    prop_assert_eq!(rest, naive.those(after));
    prop_assert_eq!(map.len_of(id, family), naive.those(same_table).len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_map_is_what_a_sorted_list_is(
        inserted in vec(prefix(), 1..80),
        removed in vec(any::<prop::sample::Index>(), 0..80),
        others in vec(prefix(), 10),
    ) {
        let (mut map, mut naive) = (PrefixMap::new(), Naive::default());
        for (value, &prefix) in (0_u32..).zip(&inserted) {
            prop_assert_eq!(map.insert(prefix, value), naive.insert(prefix, value));
        }
        prop_assert_eq!(copied(map.iter()), naive.0.clone());
        for &about in inserted.iter().chain(&others) {
            agree(&map, &naive, about)?;
        }
        for (value, index) in (1000_u32..).zip(&removed) {
            let prefix = *index.get(&inserted);
            prop_assert_eq!(map.remove(&prefix), naive.remove(&prefix));
            // The map stores this value in a slot from which an earlier value was removed.
            if value % 3 == 0 {
                let back = others[value as usize % others.len()];
                prop_assert_eq!(map.insert(back, value), naive.insert(back, value));
            }
        }
        prop_assert_eq!(copied(map.iter()), naive.0.clone());
        for &about in inserted.iter().chain(&others) {
            agree(&map, &naive, about)?;
        }
        map.retain(|_, value| value % 2 == 0);
        naive.0.retain(|(_, value)| value % 2 == 0);
        prop_assert_eq!(copied(map.iter()), naive.0.clone());
        prop_assert_eq!(map.len(), naive.0.len());
        let mut all: Vec<_> = map.iter_mut().map(|(prefix, value)| (prefix, *value)).collect();
        all.sort_by_key(|(prefix, _)| order(prefix));
        prop_assert_eq!(all, naive.0);
    }
}
