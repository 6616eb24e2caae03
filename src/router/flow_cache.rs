//! A cache of the flows that the router decided on recently. If the cache has the flow of a packet,
//! the router does not search the tables for the longest match.
//!
//! An entry contains the encapsulation of a flow from the site. The entry is valid in one
//! forwarding generation ([`Router::forwarding_generation`](super::Router::forwarding_generation)).
//! A lookup in another generation does not find the entry. The table has a fixed number of places.
//! If two flows have the same place, only the flow that was stored more recently has an entry. An
//! entry of an earlier generation still shows that a packet of the flow was sent to a locator. So
//! the router believes an ICMP error about that packet.

use std::net::IpAddr;

use super::io::Encapsulation;
use crate::addr::{InstanceId, Rloc};
use crate::packet::IpHeader;
use crate::prefix_map::Slot;

/// The number of places of the cache. It is a power of two.
const FLOWS: usize = 4096;

/// The values of a packet that determine its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Flow {
    flow_hash: u32,
    instance_id: InstanceId,
    source: IpAddr,
    destination: IpAddr,
}

impl Flow {
    fn of(instance_id: InstanceId, header: &IpHeader) -> Self {
        let IpHeader { source, destination, flow_hash, .. } = *header;
        Flow { flow_hash, instance_id, source, destination }
    }
}

#[derive(Debug)]
struct Remembered {
    generation: u64,
    flow: Flow,
    encapsulation: Encapsulation,
    /// The slot of the map-cache entry. The entry keeps its slot until the generation ends. `None`
    /// if the router has to decide on the next packet of the flow again.
    entry: Option<Slot>,
}

/// The recent flows, each with its encapsulation.
#[derive(Debug, Default)]
pub struct FlowCache {
    generation: u64,
    /// The places of the cache. The list is empty until the first flow is stored.
    places: Vec<Option<Remembered>>,
}

impl FlowCache {
    /// Sets the forwarding generation. Lookups find no entries of other generations.
    pub fn follow(&mut self, generation: u64) {
        self.generation = generation;
    }

    /// The encapsulation of a packet, and the map-cache entry that counts the packet. `None` if the
    /// cache does not have the flow of the packet.
    pub fn find(
        &self,
        instance_id: InstanceId,
        header: &IpHeader,
    ) -> Option<(Encapsulation, Slot)> {
        let place = self.places.get(place_of(header))?.as_ref()?;
        if place.generation != self.generation || place.flow != Flow::of(instance_id, header) {
            return None;
        }
        let (ttl, tos) = (header.ttl, header.tos);
        Some((Encapsulation { ttl, tos, ..place.encapsulation }, place.entry?))
    }

    /// Whether the latest packet of a flow went to this locator, in this generation or in an
    /// earlier generation.
    pub fn has_sent(&self, instance_id: InstanceId, header: &IpHeader, to: Rloc) -> bool {
        let place = self.places.get(place_of(header)).and_then(Option::as_ref);
        place.is_some_and(|place| {
            place.flow == Flow::of(instance_id, header) && place.encapsulation.destination == to
        })
    }

    /// Stores a flow. If `entry` is not `None`, the next packets of the flow are encapsulated in
    /// the same way.
    pub fn remember(
        &mut self,
        instance_id: InstanceId,
        header: &IpHeader,
        encapsulation: Encapsulation,
        entry: Option<Slot>,
    ) {
        if self.places.is_empty() {
            self.places.resize_with(FLOWS, || None);
        }
        let flow = Flow::of(instance_id, header);
        self.places[place_of(header)] =
            Some(Remembered { generation: self.generation, flow, encapsulation, entry });
    }
}

fn place_of(header: &IpHeader) -> usize {
    // The low bits of the hash choose the source port, and the high bits choose the locator.
    (header.flow_hash >> 4) as usize % FLOWS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix_map::PrefixMap;

    fn header(source: [u8; 4], flow_hash: u32) -> IpHeader {
        let destination = IpAddr::from([10, 0, 0, 2]);
        let source = IpAddr::from(source);
        IpHeader { source, destination, ttl: 64, tos: 0, total_len: 100, flow_hash }
    }

    fn entry() -> Slot {
        let prefix = crate::addr::Eid::new(InstanceId::DEFAULT, [10, 0, 0, 2].into());
        PrefixMap::new().insert_slot(prefix.host_prefix(), ()).0
    }

    fn encapsulation() -> Encapsulation {
        let [source, destination] = [1, 2].map(|last| Rloc(IpAddr::from([192, 0, 2, last])));
        Encapsulation { source, destination, flow_hash: 7, ttl: 9, tos: 9, header: [0; 8] }
    }

    #[test]
    fn a_flow_is_found_with_the_fields_of_its_packet_until_a_generation_ends() {
        let mut cache = FlowCache::default();
        let flow = header([10, 0, 0, 1], 7);
        assert!(cache.find(InstanceId::DEFAULT, &flow).is_none());
        cache.remember(InstanceId::DEFAULT, &flow, encapsulation(), Some(entry()));
        let later = IpHeader { ttl: 3, tos: 4, ..flow };
        let (found, _) = cache.find(InstanceId::DEFAULT, &later).unwrap();
        assert_eq!(found, Encapsulation { ttl: 3, tos: 4, ..encapsulation() });
        cache.follow(1);
        assert!(cache.find(InstanceId::DEFAULT, &flow).is_none());
    }

    #[test]
    fn a_flow_is_known_to_have_left_for_its_locator_also_in_later_generations() {
        let mut cache = FlowCache::default();
        let flow = header([10, 0, 0, 1], 7);
        let Encapsulation { source, destination, .. } = encapsulation();
        let sent = |cache: &FlowCache, to| cache.has_sent(InstanceId::DEFAULT, &flow, to);
        assert!(!sent(&cache, destination));
        cache.remember(InstanceId::DEFAULT, &flow, encapsulation(), None);
        assert!(cache.find(InstanceId::DEFAULT, &flow).is_none(), "it has no entry");
        cache.follow(1);
        assert_eq!((sent(&cache, destination), sent(&cache, source)), (true, false));
        assert!(!cache.has_sent(InstanceId::DEFAULT, &header([10, 0, 0, 9], 7), destination));
    }

    #[test]
    fn a_flow_is_never_taken_for_another_with_the_same_hash() {
        let mut cache = FlowCache::default();
        cache.remember(
            InstanceId::DEFAULT,
            &header([10, 0, 0, 1], 7),
            encapsulation(),
            Some(entry()),
        );
        assert!(cache.find(InstanceId::DEFAULT, &header([10, 0, 0, 9], 7)).is_none());
        let other = InstanceId::new(5).unwrap();
        assert!(cache.find(other, &header([10, 0, 0, 1], 7)).is_none());
    }
}
