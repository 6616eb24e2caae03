//! The core of the test: a map-resolver that answers each Map-Request for a site behind the other
//! xTR.

use std::net::{IpAddr, Ipv4Addr};

use eidway::addr::{EidPrefix, InstanceId};
use eidway::wire::{
    Action, CONTROL_PORT, Encapsulated, LocatorRecord, MapReply, MapRequest, MappingRecord, Message,
};

use crate::packets::{Ip, udp};
use crate::world::Port;

/// The map-resolver.
pub const RESOLVER: Ipv4Addr = Ipv4Addr::new(209, 165, 201, 31);

/// The mappings of the other site: each has a prefix, its locator, and a locator that is used if the
/// first one cannot be reached.
pub type Plan = &'static [(&'static str, [&'static str; 2])];

/// Returns the frame that answers a frame of the router, if it has a Map-Request.
pub fn answer(frame: &[u8], plan: Plan) -> Option<Vec<u8>> {
    let packet = frame.get(14..)?;
    // The router asks over IPv4, without options.
    if packet.first() != Some(&0x45) || packet[9] != 17 {
        return None;
    }
    let port = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
    if port(22)? != CONTROL_PORT {
        return None;
    }
    let Ok(Message::Encapsulated(Encapsulated { message, .. })) = Message::parse(&packet[28..])
    else {
        return None;
    };
    let request = MapRequest::parse(&message).ok()?;
    let to = request.itr_rlocs.iter().map(|rloc| rloc.0).find(IpAddr::is_ipv4)?;
    let asked = request.records.first()?.eid_prefix;
    let reply = MapReply {
        nonce: request.nonce,
        records: vec![mapping(asked, plan)],
        ..MapReply::default()
    };
    let from = IpAddr::V4(RESOLVER);
    let payload = udp(from, to, CONTROL_PORT, CONTROL_PORT, &reply.emit());
    Some(Port::Core.frame(Ip::new(from, to, 17, payload).emit()))
}

/// The mapping of an EID: that of the plan, or a negative one.
fn mapping(asked: EidPrefix, plan: Plan) -> MappingRecord {
    for (prefix, locators) in plan {
        let prefix = EidPrefix::new(InstanceId::DEFAULT, prefix.parse().unwrap());
        if prefix.covers(&asked) {
            let locator = |(priority, locator): (u8, &&str)| {
                LocatorRecord::unicast(locator.parse().unwrap(), priority, 100)
            };
            let locators = (1..).zip(locators).map(locator).collect();
            return MappingRecord::of_site(prefix, 1440, locators);
        }
    }
    let mut negative = MappingRecord::of_site(asked, 1440, Vec::new());
    negative.action = Action::NativelyForward;
    negative
}
