//! Reads addresses with their address family: AFI, and LCAF (RFC 8060).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::walk::{Damage, Step, Walk};
use crate::wire::address::MAX_LCAF_DEPTH;

/// The names of the two fields of an address.
#[derive(Clone, Copy)]
pub struct Names {
    /// The name of the address family.
    pub afi: &'static str,
    /// The name of the address.
    pub address: &'static str,
}

/// The names of the fields of an EID-Prefix.
pub const EID_PREFIX: Names = Names { afi: "EID-Prefix-AFI", address: "EID-Prefix" };

/// The names of the fields after the ports in the LCAF for NAT traversal (RFC 8060 section 4.4).
const NAT: [&str; 3] = ["Global ETR RLOC", "MS RLOC", "Private ETR RLOC"];

/// Reads an AFI and the address after it. `mask_len` is the mask length of a prefix.
pub fn address(walk: &mut Walk<'_>, names: Names, mask_len: Option<u64>) -> Step {
    nested(walk, names, mask_len, None, MAX_LCAF_DEPTH)
}

/// Reads an IPv4 address of four octets or an IPv6 address of sixteen octets. Returns the address
/// as text.
pub fn ip(walk: &mut Walk<'_>, name: &str, is_v6: bool) -> Step<String> {
    let text = if is_v6 {
        let octets = walk.octets(name, 16)?;
        octets.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets).to_string())
    } else {
        let octets = walk.octets(name, 4)?;
        octets.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets).to_string())
    };
    let text = text.unwrap_or_default();
    walk.shows(&text);
    Ok(text)
}

fn nested(
    walk: &mut Walk<'_>,
    names: Names,
    mask_len: Option<u64>,
    instance: Option<u64>,
    depth: usize,
) -> Step {
    let at = walk.octet();
    let afi = walk.number(names.afi, 16)?;
    match afi {
        0 => walk.means("No address follows."),
        1 | 2 => {
            walk.means(if afi == 1 {
                "An IPv4 address follows."
            } else {
                "An IPv6 address follows."
            });
            let address = ip(walk, names.address, afi == 2)?;
            let within = instance.map_or(String::new(), |id| format!(" in instance {id}"));
            match mask_len {
                Some(len) => walk.means(format!("The prefix is {address}/{len}{within}.")),
                None if instance.is_some() => walk.means(format!("The address is{within}.")),
                None => {}
            }
        }
        17 => {
            walk.means("A distinguished name follows, up to a zero octet.");
            let rest = walk.rest();
            let len = rest.iter().position(|octet| *octet == 0);
            let len =
                len.ok_or_else(|| Damage(format!("the name at octet {} has no end", at + 2)))?;
            walk.octets(names.address, len + 1)?;
            walk.shows(String::from_utf8_lossy(&rest[..len]));
        }
        16389 => {
            walk.means("A MAC address of 48 bits follows.");
            walk.octets(names.address, 6)?;
        }
        16390 => {
            walk.means("A MAC address of 64 bits follows.");
            walk.octets(names.address, 8)?;
        }
        16387 if depth > 0 => lcaf(walk, names, mask_len, depth - 1)?,
        16387 => return Err(Damage(format!("LCAFs are nested too deeply, at octet {at}"))),
        afi => {
            let problem = format!("the length of addresses of AFI {afi} is unknown, at octet {at}");
            return Err(Damage(problem));
        }
    }
    Ok(())
}

fn lcaf(walk: &mut Walk<'_>, names: Names, mask_len: Option<u64>, depth: usize) -> Step {
    walk.means("An address in the LISP Canonical Address Format follows (RFC 8060).");
    walk.number("Rsvd1", 8)?;
    walk.number("Flags", 8)?;
    let lcaf_type = walk.number("LCAF Type", 8)?;
    walk.means(match lcaf_type {
        1 => "A list of addresses.",
        2 => "An address in an instance.",
        7 => "Addresses and ports of a router behind a NAT.",
        12 => "A prefix of sources and a prefix of destinations.",
        _ => "This type is not decoded. Eidway keeps the address as it is.",
    });
    walk.number(if lcaf_type == 2 { "IID mask-len" } else { "Rsvd2" }, 8)?;
    let len = walk.number("Length", 16)? as usize;
    walk.means("The number of octets that follow.");
    if len > walk.left() {
        let (left, at) = (walk.left(), walk.octet());
        let problem =
            format!("the LCAF needs {len} octets, but only {left} are left, at octet {at}");
        return Err(Damage(problem));
    }
    let plain = |address| Names { afi: "AFI", address };
    walk.part(len, |walk| {
        match lcaf_type {
            1 => {
                while walk.left() > 0 {
                    nested(walk, plain(names.address), None, None, depth)?;
                }
            }
            2 => {
                let instance = walk.number("Instance ID", 32)?;
                nested(walk, plain(names.address), mask_len, Some(instance), depth)?;
            }
            7 => {
                walk.number("MS UDP Port Number", 16)?;
                walk.number("ETR UDP Port Number", 16)?;
                for name in NAT {
                    nested(walk, plain(name), None, None, depth)?;
                }
                while walk.left() > 0 {
                    nested(walk, plain("RTR RLOC Address"), None, None, depth)?;
                }
            }
            12 => {
                walk.reserved(16)?;
                let source = walk.number("Source-ML", 8)?;
                let destination = walk.number("Dest-ML", 8)?;
                nested(walk, plain("Source-Prefix"), Some(source), None, depth)?;
                nested(walk, plain("Destination-Prefix"), Some(destination), None, depth)?;
            }
            _ => walk.to_end("Contents"),
        }
        Ok(())
    });
    Ok(())
}
