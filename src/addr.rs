//! The two kinds of LISP addresses, and the instance of an EID.
//!
//! An endpoint identifier ([`Eid`]) names a host in a site. A routing locator ([`Rloc`]) names the
//! connection of a router to the core (RFC 9300 section 3). Both are IP addresses. They have
//! different types, so that the code cannot use an EID in place of an RLOC. Every EID has an
//! [`InstanceId`] (RFC 9300 section 8).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// Returns true if the address is valid only on one link. Such an address is in 169.254.0.0/16 (RFC
/// 3927) or in `fe80::/10` (RFC 4291 section 2.5.6).
pub fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// Returns true if `address` is in `fe80::/10` (RFC 4291 section 2.5.6). Every IPv6 interface has
/// an address in this prefix.
pub fn is_ipv6_link_local(address: IpAddr) -> bool {
    address.is_ipv6() && is_link_local(address)
}

/// A hardware address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    /// Writes the address as IOS does: `0000.5e00.0101`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}{b:02x}.{c:02x}{d:02x}.{e:02x}{g:02x}")
    }
}

/// An address family: IPv4 or IPv6. An EID, an RLOC and a `service` of the configuration have a
/// family.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IP version 4, AFI 1.
    Ipv4,
    /// IP version 6, AFI 2.
    Ipv6,
}

impl Family {
    /// Both families, in the order in which the console prints them.
    pub const BOTH: [Family; 2] = [Family::Ipv4, Family::Ipv6];

    /// Returns the family of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 }
    }

    /// Returns the number of bits of an address: 32 or 128.
    pub const fn bits(self) -> u8 {
        match self {
            Family::Ipv4 => 32,
            Family::Ipv6 => 128,
        }
    }

    /// Returns the prefix that covers every address: `0.0.0.0/0` or `::/0`.
    pub fn default_prefix(self) -> IpNet {
        match self {
            Family::Ipv4 => Ipv4Net::default().into(),
            Family::Ipv6 => Ipv6Net::default().into(),
        }
    }

    /// Returns the unspecified address: `0.0.0.0` or `::`.
    pub const fn unspecified(self) -> IpAddr {
        match self {
            Family::Ipv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Family::Ipv6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }
}

impl fmt::Display for Family {
    /// Writes `IPv4` or `IPv6`, as IOS does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::Ipv4 => "IPv4",
            Family::Ipv6 => "IPv6",
        })
    }
}

/// A 24-bit instance-ID (RFC 9300 section 8). 0 is the default instance.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema,
)]
pub struct InstanceId(u32);

impl InstanceId {
    /// The default instance. In messages, an EID of this instance is encoded as an address without
    /// an LCAF.
    pub const DEFAULT: InstanceId = InstanceId(0);
    /// The largest instance-ID that the data header can carry.
    pub const MAX: u32 = 0xff_ffff;

    /// Makes an instance-ID. Returns `None` if `number` has more than 24 bits.
    pub const fn new(number: u32) -> Option<Self> {
        if number <= Self::MAX { Some(InstanceId(number)) } else { None }
    }

    /// Returns the number of the instance.
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl<'de> Deserialize<'de> for InstanceId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(from)?;
        InstanceId::new(number)
            .ok_or_else(|| D::Error::custom("an instance-ID has at most 24 bits"))
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An endpoint identifier: the address of a host in an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Eid {
    /// The instance in which the address is valid.
    pub instance_id: InstanceId,
    /// The address of the host.
    pub address: IpAddr,
}

impl Eid {
    /// Makes an EID in the instance `instance_id`.
    pub const fn new(instance_id: InstanceId, address: IpAddr) -> Self {
        Eid { instance_id, address }
    }

    /// Returns the family of the address.
    pub fn family(&self) -> Family {
        Family::of(self.address)
    }

    /// Returns the prefix with the mask length `mask_len` that contains the EID. Returns the host
    /// prefix if the address has fewer bits.
    pub fn prefix(&self, mask_len: u8) -> EidPrefix {
        let host = self.host_prefix();
        let prefix = IpNet::new(self.address, mask_len.min(host.mask_len()));
        prefix.map_or(host, |prefix| EidPrefix::new(self.instance_id, prefix))
    }

    /// Returns the host prefix of the EID: /32 or /128.
    pub fn host_prefix(&self) -> EidPrefix {
        EidPrefix { instance_id: self.instance_id, prefix: IpNet::from(self.address) }
    }
}

impl fmt::Display for Eid {
    /// Writes only the address, as IOS does. IOS prints `IID n` in another place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// A block of EIDs in one instance. The bits of the address after the mask are always zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct EidPrefix {
    instance_id: InstanceId,
    prefix: IpNet,
}

impl EidPrefix {
    /// Makes the block of EIDs in `prefix`. Sets the bits of the address after the mask to zero.
    pub fn new(instance_id: InstanceId, prefix: IpNet) -> Self {
        EidPrefix { instance_id, prefix: prefix.trunc() }
    }

    /// Returns the instance.
    pub fn instance_id(&self) -> InstanceId {
        self.instance_id
    }

    /// Returns the prefix. The bits of its address after the mask are zero.
    pub fn prefix(&self) -> IpNet {
        self.prefix
    }

    /// Returns the family of the prefix.
    pub fn family(&self) -> Family {
        Family::of(self.prefix.addr())
    }

    /// Returns the mask length in bits.
    pub fn mask_len(&self) -> u8 {
        self.prefix.prefix_len()
    }

    /// Returns the first address of the block as an EID.
    pub fn network(&self) -> Eid {
        Eid { instance_id: self.instance_id, address: self.prefix.addr() }
    }

    /// Returns the last address of the block as an EID.
    pub fn last(&self) -> Eid {
        Eid { instance_id: self.instance_id, address: self.prefix.broadcast() }
    }

    /// Whether the block contains `eid`.
    pub fn contains(&self, eid: Eid) -> bool {
        self.instance_id == eid.instance_id && self.prefix.contains(&eid.address)
    }

    /// Whether this block contains all EIDs of `other`. The result is also true if both blocks are
    /// equal.
    pub fn covers(&self, other: &EidPrefix) -> bool {
        self.instance_id == other.instance_id && self.prefix.contains(&other.prefix)
    }

    /// Whether the two blocks have an address in common.
    pub fn overlaps(&self, other: &EidPrefix) -> bool {
        self.covers(other) || other.covers(self)
    }
}

impl<'de> Deserialize<'de> for EidPrefix {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "EidPrefix")]
        struct Parts {
            instance_id: InstanceId,
            prefix: IpNet,
        }
        let Parts { instance_id, prefix } = Parts::deserialize(from)?;
        Ok(EidPrefix::new(instance_id, prefix))
    }
}

impl fmt::Display for EidPrefix {
    /// Writes only the prefix, for example `172.16.0.0/24`. The outputs of IOS name the instance in
    /// another place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.prefix.fmt(f)
    }
}

/// A routing locator: the address of a router in the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rloc(pub IpAddr);

impl Rloc {
    /// Returns the family of the address.
    pub fn family(&self) -> Family {
        Family::of(self.0)
    }

    /// Returns true if the address can belong to another router. A router checks this before it
    /// answers a message, because a forged message may contain any address. An answer must not go
    /// to a multicast group, to the broadcast address, or to this machine itself.
    pub fn is_unicast(&self) -> bool {
        !self.0.is_unspecified()
            && !self.0.is_loopback()
            && !self.0.is_multicast()
            && self.0 != IpAddr::V4(Ipv4Addr::BROADCAST)
    }
}

impl fmt::Display for Rloc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> EidPrefix {
        EidPrefix::new(InstanceId::DEFAULT, text.parse().expect("a prefix"))
    }

    #[test]
    fn a_prefix_is_canonical() {
        assert_eq!(prefix("172.16.0.10/24"), prefix("172.16.0.0/24"));
        assert_eq!(prefix("2001:db8::5/64").to_string(), "2001:db8::/64");
    }

    #[test]
    fn an_rloc_of_nobody_is_told_from_a_routers() {
        let is_unicast = |text: &str| Rloc(text.parse().expect("an address")).is_unicast();
        for nobody in
            ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1"]
        {
            assert!(!is_unicast(nobody), "{nobody}");
        }
        assert!(is_unicast("203.0.113.11") && is_unicast("2001:db8:c:1::11"));
    }

    #[test]
    fn instances_and_families_never_cover_each_other() {
        let other = EidPrefix::new(InstanceId(7), "172.16.0.0/24".parse().expect("a prefix"));
        assert!(!prefix("0.0.0.0/0").covers(&other));
        assert!(!prefix("0.0.0.0/0").overlaps(&prefix("::/0")));
        assert!(prefix("0.0.0.0/0").overlaps(&prefix("10.0.0.0/8")));
    }

    #[test]
    fn an_instance_id_has_24_bits() {
        assert_eq!(InstanceId::new(0xff_ffff).map(InstanceId::number), Some(0xff_ffff));
        assert_eq!(InstanceId::new(0x100_0000), None);
    }
}
