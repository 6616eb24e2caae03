//! The hosts on a link: the kernel's neighbour entries for these hosts, and the router's requests
//! about these hosts.
//!
//! A neighbour entry also changes when it ages, or after a request of the router itself. These
//! changes contain no information about the host. So a [`KernelEvent::Neighbour`] is sent only in
//! two cases: the state differs from the last reported state, or the host has just confirmed that
//! it is present.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

use netlink_bindings::rt_neigh::{
    Ndmsg, NtfExtFlags, NtfFlags, NudState, OpDelneighDo, OpGetneightblDump, OpNewneighDo,
    PushNeighbourAttrs, Request,
};

use super::socket::{Message, RequestSocket};
use crate::addr::Family;
use crate::router::io::{KernelEvent, Mac, NeighbourState};

/// The states in which the hardware address of the neighbour is known. The states in `IGNORED` are
/// ignored, because they contain no information about a host. They belong to entries that a user
/// has configured, and to entries of multicast groups.
const KNOWN: u16 = NudState::Reachable as u16
    | NudState::Stale as u16
    | NudState::Delay as u16
    | NudState::Probe as u16;
const IGNORED: u16 = NudState::Noarp as u16 | NudState::Permanent as u16;

/// The key of a host on a link: the index of the link's device, and the address of the host.
pub type Key = (u32, IpAddr);

/// A neighbour entry as the kernel describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    key: Key,
    state: NeighbourState,
    /// Whether the host has just confirmed that it is present.
    confirmed: bool,
}

/// The state of each neighbour that was last reported to the core. A host that is not in this map
/// is absent.
#[derive(Debug, Default)]
pub struct Neighbours {
    told: BTreeMap<Key, NeighbourState>,
}

impl Neighbours {
    /// Handles an event of the kernel. Returns the change for the core, or `None` if the event
    /// contains no new information. `own_port` is the netlink port of the socket that sends the
    /// router's requests.
    pub fn take(&mut self, message: &Message<'_>, own_port: u32) -> Option<(Key, NeighbourState)> {
        let Entry { key, state, confirmed } = decode(message)?;
        if message.port == own_port {
            return None;
        }
        let before = self.tell(key, state);
        (confirmed || before != state).then_some((key, state))
    }

    /// Handles a complete neighbour table, and returns the neighbours whose states have changed
    /// since the last report.
    pub fn replace(&mut self, found: BTreeMap<Key, NeighbourState>) -> Vec<(Key, NeighbourState)> {
        let gone = self.told.keys().filter(|key| !found.contains_key(key));
        let gone = gone.map(|&key| (key, NeighbourState::Absent));
        let changed = found.iter().filter(|&(key, state)| self.told.get(key) != Some(state));
        let news = gone.chain(changed.map(|(&key, &state)| (key, state))).collect();
        self.told = found;
        news
    }

    /// Removes the neighbours on devices that are not in `devices`, because these devices were
    /// deleted.
    pub fn retain_devices<T>(&mut self, devices: &BTreeMap<u32, T>) {
        self.told.retain(|(index, _), _| devices.contains_key(index));
    }

    fn tell(&mut self, key: Key, state: NeighbourState) -> NeighbourState {
        let before = match state {
            NeighbourState::Absent => self.told.remove(&key),
            _ => self.told.insert(key, state),
        };
        before.unwrap_or(NeighbourState::Absent)
    }
}

/// The state of the machine's neighbour tables that was last reported to the core.
#[derive(Debug, Default)]
pub struct Tables {
    told: BTreeMap<Family, Table>,
}

/// The neighbour table of one address family. The machine has one table for all namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Table {
    entries: u32,
    /// The maximum number of entries in the table (the setting `gc_thresh3`).
    limit: u32,
}

impl Tables {
    /// Reads the number of entries and the limit of each table. Returns an event for each table in
    /// which one of these numbers has changed since the last report.
    pub fn look(&mut self, socket: &mut RequestSocket) -> io::Result<Vec<KernelEvent>> {
        let request = Request::new().op_getneightbl_dump(&Default::default());
        let found = socket.dump(&request, |message, rows| rows.extend(decode_table(message)))?;
        let changed = found.into_iter().filter_map(|(family, table)| {
            let Table { entries, limit } = table;
            let before = self.told.insert(family, table);
            (before != Some(table)).then_some(KernelEvent::NeighbourTable {
                family,
                entries,
                limit,
            })
        });
        Ok(changed.collect())
    }
}

/// Decodes a row of a dump that lists the settings of neighbour tables. Returns `None` if the row
/// contains the settings of one device.
fn decode_table(message: &Message<'_>) -> Option<(Family, Table)> {
    let (header, attributes) = OpGetneightblDump::decode_request(message.payload);
    let family = match i32::from(header.family) {
        libc::AF_INET => Family::Ipv4,
        libc::AF_INET6 => Family::Ipv6,
        _ => return None,
    };
    let limit = attributes.get_thresh3().ok()?;
    let entries = attributes.get_config().ok()?.entries;
    Some((family, Table { entries, limit }))
}

/// Decodes a row of a dump that lists neighbours. Returns `None` if the core does not need this
/// neighbour.
pub fn decode_row(message: &Message<'_>) -> Option<(Key, NeighbourState)> {
    let entry = decode(message)?;
    (entry.state != NeighbourState::Absent).then_some((entry.key, entry.state))
}

/// Decodes a row of a dump that lists proxy entries.
pub fn decode_proxy(message: &Message<'_>) -> Option<Key> {
    let (header, attributes) = OpNewneighDo::decode_request(message.payload);
    let is_proxy = header.ndm_flags & NtfFlags::Proxy as u8 != 0;
    let index = u32::try_from(header.ndm_ifindex).ok().filter(|_| is_proxy)?;
    Some((index, attributes.get_dst().ok()?))
}

fn decode(message: &Message<'_>) -> Option<Entry> {
    let is_there = i32::from(message.kind) == i32::from(libc::RTM_NEWNEIGH);
    let (header, attributes) = OpNewneighDo::decode_request(message.payload);
    let is_ip = [libc::AF_INET, libc::AF_INET6].contains(&i32::from(header.ndm_family));
    if !is_ip || header.ndm_flags & NtfFlags::Proxy as u8 != 0 {
        return None;
    }
    let key = (u32::try_from(header.ndm_ifindex).ok()?, attributes.get_dst().ok()?);
    let nud = header.ndm_state;
    let state = if !is_there {
        NeighbourState::Absent
    } else if nud & IGNORED != 0 {
        return None;
    } else if nud & KNOWN != 0 {
        NeighbourState::Known(Mac(attributes.get_lladdr().ok()?.try_into().ok()?))
    } else if nud & NudState::Failed as u16 != 0 {
        NeighbourState::Failed
    } else {
        NeighbourState::Absent
    };
    let confirmed = is_there && nud & NudState::Reachable as u16 != 0;
    Some(Entry { key, state, confirmed })
}

/// Asks a host whether it is present. If the host's hardware address is known, the request is
/// unicast. A unicast request also corrects the gateway's hardware address in the host's cache. If
/// the host's hardware address is not known, the request goes to all nodes of the link.
pub fn probe(socket: &mut RequestSocket, (index, address): Key) -> io::Result<()> {
    let mut header = header(index, address);
    header.ndm_state = NudState::Probe as u16;
    let mut request = Request::new().op_newneigh_do(&header);
    request.encode().push_dst(address);
    match socket.change(&request) {
        // A unicast request is not possible, because there is no entry for the host, or the entry
        // has no hardware address.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINVAL)) => {}
        other => return other,
    }
    header.ndm_state = 0;
    header.ndm_flags = NtfFlags::Use as u8;
    create(socket, &header, |attributes| drop(attributes.push_dst(address)))
}

/// Requests that the kernel asks a host at regular intervals whether it is present
/// (`NTF_EXT_MANAGED`).
pub fn watch(socket: &mut RequestSocket, (index, address): Key) -> io::Result<()> {
    create(socket, &header(index, address), |attributes| {
        attributes.push_dst(address).push_flags_ext(NtfExtFlags::Managed as u32);
    })
}

/// Deletes the entry of a host.
///
/// # Errors
/// ENOENT if there is no entry.
pub fn forget(socket: &mut RequestSocket, (index, address): Key) -> io::Result<()> {
    delete(socket, &header(index, address), address)
}

/// Requests that the kernel answers in place of a host (proxy ARP, proxy neighbour discovery).
pub fn add_proxy(socket: &mut RequestSocket, (index, address): Key) -> io::Result<()> {
    let header = Ndmsg { ndm_flags: NtfFlags::Proxy as u8, ..header(index, address) };
    create(socket, &header, |attributes| drop(attributes.push_dst(address)))
}

/// Requests that the kernel no longer answers in place of a host.
///
/// # Errors
/// ENOENT if the kernel does not answer in place of this host.
pub fn remove_proxy(socket: &mut RequestSocket, (index, address): Key) -> io::Result<()> {
    let header = Ndmsg { ndm_flags: NtfFlags::Proxy as u8, ..header(index, address) };
    delete(socket, &header, address)
}

fn create(
    socket: &mut RequestSocket,
    header: &Ndmsg,
    encode: impl FnOnce(PushNeighbourAttrs<&mut Vec<u8>>),
) -> io::Result<()> {
    let mut request = Request::new().set_create().op_newneigh_do(header);
    encode(request.encode());
    socket.change(&request)
}

fn delete(socket: &mut RequestSocket, header: &Ndmsg, address: IpAddr) -> io::Result<()> {
    let mut request: OpDelneighDo<'_> = Request::new().op_delneigh_do(header);
    request.encode().push_dst(address);
    socket.change(&request)
}

fn header(index: u32, address: IpAddr) -> Ndmsg {
    Ndmsg {
        ndm_family: super::request::address_family(Family::of(address)),
        ndm_ifindex: index as i32,
        ..Default::default()
    }
}
