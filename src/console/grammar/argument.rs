//! The kinds of values in commands. The help of each kind is the placeholder that IOS shows.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::router::config::{InterfaceKind, InterfaceName};
use crate::router::io::Mac;

/// A kind of value. [`Kind::named`] contains the name of each kind in patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `ipv4`: an IPv4 address.
    Ipv4,
    /// `ipv6`: an IPv6 address.
    Ipv6,
    /// `address`: an address of either family.
    Address,
    /// `prefix4`: `A.B.C.D/nn`.
    Prefix4,
    /// `prefix6`: `X:X::X/nnn`.
    Prefix6,
    /// `prefix`: a prefix of either family.
    Prefix,
    /// `mask`: four octets. This kind also accepts a mask that is not contiguous. The function of
    /// the command refuses this mask, because the function can explain the error.
    Mask,
    /// `LOW-HIGH`: a decimal number from LOW to HIGH.
    Number(u64, u64),
    /// `mac`: a hardware address in the notation of [`mac`].
    Mac,
    /// `word`: any single word.
    Word,
    /// `line`: the rest of the line.
    Line,
    /// `interface`: the name of an interface, as one word.
    Interface,
    /// `lisp-interface`: the name of a LISP interface of IOS, with or without its number.
    LispInterface,
    /// `virtual-interface`: the name of an interface, with or without its number. Only IOS has this
    /// kind of interface.
    VirtualInterface,
    /// The number of an interface. The kind of the interface precedes the number, as in `ethernet
    /// 1/0`.
    InterfaceNumber(InterfaceKind),
}

impl Kind {
    /// The kind with this name in patterns. Panics if no kind has this name: see `Pattern::new`.
    pub fn named(name: &str) -> Self {
        match name {
            "ipv4" => Kind::Ipv4,
            "ipv6" => Kind::Ipv6,
            "address" => Kind::Address,
            "prefix4" => Kind::Prefix4,
            "prefix6" => Kind::Prefix6,
            "prefix" => Kind::Prefix,
            "mask" => Kind::Mask,
            "mac" => Kind::Mac,
            "word" => Kind::Word,
            "line" => Kind::Line,
            "lisp-interface" => Kind::LispInterface,
            "virtual-interface" => Kind::VirtualInterface,
            range => {
                let (low, high) = range.split_once('-').expect("a kind or LOW-HIGH");
                let number = |text: &str| text.parse().expect("a number of a range");
                Kind::Number(number(low), number(high))
            }
        }
    }

    /// Whether `text`, a word without blanks, is a value of this kind.
    pub fn accepts(&self, text: &str) -> bool {
        match self {
            Kind::Ipv4 | Kind::Mask => text.parse::<Ipv4Addr>().is_ok(),
            Kind::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Kind::Address => text.parse::<IpAddr>().is_ok(),
            Kind::Prefix4 => text.parse::<Ipv4Net>().is_ok(),
            Kind::Prefix6 => text.parse::<Ipv6Net>().is_ok(),
            Kind::Prefix => text.parse::<IpNet>().is_ok(),
            Kind::Number(low, high) => {
                text.parse::<u64>().is_ok_and(|number| (*low..=*high).contains(&number))
            }
            Kind::Mac => mac(text).is_some(),
            Kind::Word | Kind::Line => true,
            Kind::Interface => text.parse::<InterfaceName>().is_ok(),
            Kind::LispInterface => is_of_kind(text, &["LISP", "L2LISP"]),
            Kind::VirtualInterface => is_of_kind(text, VIRTUAL_INTERFACES),
            Kind::InterfaceNumber(kind) => {
                (kind.name().to_owned() + text).parse::<InterfaceName>().is_ok()
            }
        }
    }

    /// Whether this kind accepts any word. Keywords have precedence over a kind that accepts any
    /// word.
    pub fn takes_anything(&self) -> bool {
        matches!(self, Kind::Word | Kind::Line)
    }
}

/// The kinds of interface that IOS has and this router does not have.
const VIRTUAL_INTERFACES: &[&str] = &[
    "Tunnel",
    "nve",
    "Dialer",
    "Virtual-Template",
    "Virtual-Access",
    "VirtualPortGroup",
    "Multilink",
    "Cellular",
    "Async",
    "ATM",
    "BVI",
    "Embedded-Service-Engine",
    "ucse",
    "pseudowire",
    "Wlan-GigabitEthernet",
    "Bluetooth",
    "MgmtEthernet",
    "mgmt",
    "Group-Async",
    "Vif",
    "Dot11Radio",
    "SDR",
    "EOBC",
    "Null",
];
/// The minimum number of letters in an abbreviation of the kind of an interface.
const SHORTEST: usize = 2;

/// Whether a word is the name of an interface whose kind is one of `kinds`. The name may have no
/// number.
fn is_of_kind(text: &str, kinds: &[&str]) -> bool {
    // The kind ends at the last letter. A name such as `L2LISP0` has a digit before its last
    // letter.
    let letters = text.rfind(|c: char| c.is_ascii_alphabetic()).map_or(0, |last| last + 1);
    let (kind, number) = text.split_at(letters);
    let begins = |name: &&str| {
        let start = name.get(..kind.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(kind))
    };
    kind.len() >= SHORTEST
        && number.bytes().all(|octet| octet.is_ascii_digit() || b"/.:".contains(&octet))
        && kinds.iter().any(begins)
}

/// Reads a hardware address in the notation of IOS: three groups of one to four hexadecimal digits.
pub fn mac(text: &str) -> Option<Mac> {
    let mut groups = text.split('.');
    let mut octets = [0; 6];
    for pair in octets.chunks_exact_mut(2) {
        let group = groups.next()?;
        let digits = (1..=4).contains(&group.len());
        if !digits || !group.chars().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        pair.copy_from_slice(&u16::from_str_radix(group, 16).ok()?.to_be_bytes());
    }
    groups.next().is_none().then_some(Mac(octets))
}

impl fmt::Display for Kind {
    /// Writes the placeholder that `?` shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Ipv4 | Kind::Mask => "A.B.C.D",
            Kind::Ipv6 => "X:X:X:X::X",
            Kind::Address => "A.B.C.D|X:X:X:X::X",
            Kind::Prefix4 => "A.B.C.D/nn",
            Kind::Prefix6 => "X:X:X:X::X/<0-128>",
            Kind::Prefix => "A.B.C.D/nn|X:X:X:X::X/<0-128>",
            Kind::Number(low, high) => return write!(f, "<{low}-{high}>"),
            Kind::Mac => "H.H.H",
            Kind::Word => "WORD",
            Kind::Line => "LINE",
            Kind::Interface | Kind::LispInterface | Kind::VirtualInterface => "INTERFACE",
            Kind::InterfaceNumber(kind) if kind.has_one_number() => "<0-65535>",
            Kind::InterfaceNumber(_) => "slot/port",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hardware_address_has_three_groups_of_up_to_four_digits() {
        let address = Mac([0, 0, 0x5e, 0, 1, 1]);
        assert_eq!(mac("0000.5e00.0101"), Some(address));
        assert_eq!(mac("0.5E00.101"), Some(address));
        for wrong in ["0000.5e00", "0000.5e00.0101.0", "00000.5e00.0101", "0..1", "+1.2.3", ""] {
            assert_eq!(mac(wrong), None, "{wrong}");
        }
    }
}
