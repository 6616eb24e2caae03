//! The names of interfaces.
//!
//! A router uses the interface names of IOS. One rule makes the name of the Linux device: the short
//! name of the kind in small letters, then the numbers with `-` in place of `/`.
//!
//! ```text
//! Ethernet0/0              et0-0
//! GigabitEthernet0/0/1     gi0-0-1
//! GigabitEthernet0/0.100   gi0-0.100
//! TwentyFiveGigE1/0/1      twe1-0-1
//! Port-channel1            po1
//! Vlan10                   vl10
//! Loopback0                lo           all loopbacks: their addresses are on one device
//! ```
//!
//! The rule works in both directions. If the Linux device of a name would have more octets than
//! Linux allows, the name is refused.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use InterfaceKind as Kind;

/// The length of the longest name of a Linux device, in octets: IFNAMSIZ minus 1, because the name
/// ends with a zero.
const LONGEST_DEVICE: usize = 15;

/// The kinds of interface that a router can have, in the order in which `show` prints them. If an
/// abbreviation fits several kinds, it means the first of these kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each variant is the kind that has this name in IOS")]
pub enum InterfaceKind {
    Ethernet,
    FastEthernet,
    GigabitEthernet,
    TenGigabitEthernet,
    TwoGigabitEthernet,
    FiveGigabitEthernet,
    TwentyFiveGigE,
    FortyGigabitEthernet,
    HundredGigE,
    AppGigabitEthernet,
    Serial,
    PortChannel,
    Vlan,
    Bdi,
    Loopback,
}

impl InterfaceKind {
    /// All kinds.
    pub const ALL: [Kind; 15] = [
        Kind::Ethernet,
        Kind::FastEthernet,
        Kind::GigabitEthernet,
        Kind::TenGigabitEthernet,
        Kind::TwoGigabitEthernet,
        Kind::FiveGigabitEthernet,
        Kind::TwentyFiveGigE,
        Kind::FortyGigabitEthernet,
        Kind::HundredGigE,
        Kind::AppGigabitEthernet,
        Kind::Serial,
        Kind::PortChannel,
        Kind::Vlan,
        Kind::Bdi,
        Kind::Loopback,
    ];

    /// The name of the kind, as IOS prints it.
    pub const fn name(self) -> &'static str {
        self.names().0
    }

    /// The short name of the kind, as IOS prints it in tables.
    pub const fn short(self) -> &'static str {
        self.names().1
    }

    /// Whether an interface of this kind has a single number, as `Loopback0` has. Other kinds have
    /// a slot and a port.
    pub const fn has_one_number(self) -> bool {
        matches!(self, Kind::PortChannel | Kind::Vlan | Kind::Bdi | Kind::Loopback)
    }

    const fn has_subinterfaces(self) -> bool {
        !matches!(self, Kind::Vlan | Kind::Bdi | Kind::Loopback)
    }

    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Kind::Ethernet => ("Ethernet", "Et"),
            Kind::FastEthernet => ("FastEthernet", "Fa"),
            Kind::GigabitEthernet => ("GigabitEthernet", "Gi"),
            Kind::TenGigabitEthernet => ("TenGigabitEthernet", "Te"),
            Kind::TwoGigabitEthernet => ("TwoGigabitEthernet", "Tw"),
            Kind::FiveGigabitEthernet => ("FiveGigabitEthernet", "Fi"),
            Kind::TwentyFiveGigE => ("TwentyFiveGigE", "Twe"),
            Kind::FortyGigabitEthernet => ("FortyGigabitEthernet", "Fo"),
            Kind::HundredGigE => ("HundredGigE", "Hu"),
            Kind::AppGigabitEthernet => ("AppGigabitEthernet", "Ap"),
            Kind::Serial => ("Serial", "Se"),
            Kind::PortChannel => ("Port-channel", "Po"),
            Kind::Vlan => ("Vlan", "Vl"),
            Kind::Bdi => ("BDI", "BD"),
            Kind::Loopback => ("Loopback", "Lo"),
        }
    }

    /// The kind that a name or an abbreviation stands for.
    fn named(text: &str) -> Option<Kind> {
        let short = |kind: &Kind| kind.short().eq_ignore_ascii_case(text);
        let begins = |kind: &Kind| {
            let start = kind.name().get(..text.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(text))
        };
        if text.is_empty() {
            return None;
        }
        Kind::ALL.into_iter().find(short).or_else(|| Kind::ALL.into_iter().find(begins))
    }
}

/// The IOS name of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InterfaceName {
    kind: Kind,
    /// The numbers of the name: the slot and the port of `Ethernet1/0`. A number that the name does
    /// not have is zero.
    numbers: [u16; 3],
    /// The count of numbers in the name: 1 to 3.
    count: u8,
    /// The number after the dot, in the name of a subinterface.
    subinterface: Option<u32>,
}

impl InterfaceName {
    /// `EthernetSLOT/PORT`.
    pub const fn ethernet(slot: u16, port: u16) -> Self {
        let (kind, numbers) = (Kind::Ethernet, [slot, port, 0]);
        InterfaceName { kind, numbers, count: 2, subinterface: None }
    }

    /// `LoopbackNUMBER`.
    pub const fn loopback(number: u16) -> Self {
        let (kind, numbers) = (Kind::Loopback, [number, 0, 0]);
        InterfaceName { kind, numbers, count: 1, subinterface: None }
    }

    /// The kind of the interface.
    pub const fn kind(&self) -> InterfaceKind {
        self.kind
    }

    /// Whether the interface is a loopback. Every other interface has a Linux device of its own.
    pub const fn is_loopback(&self) -> bool {
        matches!(self.kind, Kind::Loopback)
    }

    /// Whether the interface is a subinterface: its name has a dot.
    pub const fn is_subinterface(&self) -> bool {
        self.subinterface.is_some()
    }

    /// The Linux device of the interface. The comment at the top of this file explains the rule.
    pub fn device(&self) -> String {
        match self.is_loopback() {
            true => "lo".to_owned(),
            false => self.kind.short().to_ascii_lowercase() + &self.number("-"),
        }
    }

    /// The interface of a Linux device, if the name of the device follows the rule.
    pub fn of_device(device: &str) -> Option<Self> {
        let (kind, number) = split(device);
        let kind = Kind::ALL.into_iter().find(|of| of.short().to_ascii_lowercase() == kind)?;
        let name = numbered(kind, number, '-')?;
        // The rule never makes names such as `et01-0` and `lo0`, so these names are refused.
        (name.device() == device).then_some(name)
    }

    /// The short name of the interface, as in the tables of IOS: `Et1/0`, `Lo0`.
    pub fn short(&self) -> String {
        self.kind.short().to_owned() + &self.number("/")
    }

    fn number(&self, between: &str) -> String {
        let numbers = &self.numbers[..usize::from(self.count)];
        let numbers: Vec<String> = numbers.iter().map(u16::to_string).collect();
        let subinterface = self.subinterface.map_or_else(String::new, |of| format!(".{of}"));
        numbers.join(between) + &subinterface
    }
}

/// The letters of a name before its first digit, and the rest of the name.
fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len()))
}

/// The interface of a kind with the number `text`. The character `between` separates the parts of
/// the number.
fn numbered(kind: Kind, text: &str, between: char) -> Option<InterfaceName> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let (text, subinterface) = match text.split_once('.') {
        None => (text, None),
        Some((text, number)) if kind.has_subinterfaces() && digits(number) => {
            (text, Some(number.parse().ok()?))
        }
        Some(_) => return None,
    };
    let mut numbers = [0; 3];
    let mut count: u8 = 0;
    for part in text.split(between) {
        let number = numbers.get_mut(usize::from(count)).filter(|_| digits(part))?;
        *number = part.parse().ok()?;
        count += 1;
    }
    let fits = count == 1 || !kind.has_one_number();
    fits.then_some(InterfaceName { kind, numbers, count, subinterface })
}

impl fmt::Display for InterfaceName {
    /// Prints a name like `Ethernet1/0` or `Loopback0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        f.write_str(&self.number("/"))
    }
}

impl FromStr for InterfaceName {
    type Err = String;

    /// Accepts the spellings that IOS accepts: capital or small letters, the kind in full or
    /// shortened, with or without a space before the number.
    fn from_str(text: &str) -> Result<Self, String> {
        let text: String = text.split_whitespace().collect();
        let (kind, number) = split(&text);
        let name = Kind::named(kind).and_then(|kind| numbered(kind, number, '/'));
        let Some(name) = name else {
            return Err(format!(
                "{text:?} is not an interface: write a name of IOS, for example Ethernet0/0, \
                 GigabitEthernet0/0/1, Vlan10 or Loopback0"
            ));
        };
        let device = name.device();
        match device.len() > LONGEST_DEVICE {
            true => Err(format!(
                "the Linux device of {name} is {device}, and Linux allows {LONGEST_DEVICE} octets"
            )),
            false => Ok(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_name_takes_the_spellings_of_ios_and_has_one_device() {
        for (spellings, name, short, device) in [
            ("Ethernet1/0 e1/0 ETH1/0", "Ethernet1/0", "Et1/0", "et1-0"),
            ("Gi1 gig1 GigabitEthernet1", "GigabitEthernet1", "Gi1", "gi1"),
            ("g0/0/1 Gi0/0/1", "GigabitEthernet0/0/1", "Gi0/0/1", "gi0-0-1"),
            ("gi0/0.100", "GigabitEthernet0/0.100", "Gi0/0.100", "gi0-0.100"),
            ("f0/1 Fa0/1 fast0/1", "FastEthernet0/1", "Fa0/1", "fa0-1"),
            ("t1/1 te1/1 tengig1/1", "TenGigabitEthernet1/1", "Te1/1", "te1-1"),
            ("tw1/0/1 twog1/0/1", "TwoGigabitEthernet1/0/1", "Tw1/0/1", "tw1-0-1"),
            ("twe1/0/1 twenty1/0/1", "TwentyFiveGigE1/0/1", "Twe1/0/1", "twe1-0-1"),
            ("fo1/1/1", "FortyGigabitEthernet1/1/1", "Fo1/1/1", "fo1-1-1"),
            ("hu1/0/49 hundred1/0/49", "HundredGigE1/0/49", "Hu1/0/49", "hu1-0-49"),
            ("s0/0/0", "Serial0/0/0", "Se0/0/0", "se0-0-0"),
            ("po1.7 port-channel1.7", "Port-channel1.7", "Po1.7", "po1.7"),
            ("vlan10 vl10", "Vlan10", "Vl10", "vl10"),
            ("BDI300", "BDI300", "BD300", "bd300"),
            ("lo0 l0 loopback0", "Loopback0", "Lo0", "lo"),
        ] {
            for text in spellings.split_whitespace() {
                let parsed: InterfaceName = text.parse().unwrap_or_else(|why| panic!("{why}"));
                let found = (parsed.to_string(), parsed.short(), parsed.device());
                assert_eq!(found, (name.to_owned(), short.to_owned(), device.to_owned()));
                let back = InterfaceName::of_device(device);
                assert_eq!(back, (!parsed.is_loopback()).then_some(parsed), "{device}");
            }
        }
        assert_eq!("Ethernet 1/0".parse(), Ok(InterfaceName::ethernet(1, 0)));
        assert_eq!("loopback 7".parse(), Ok(InterfaceName::loopback(7)));
    }

    #[test]
    fn what_ios_does_not_name_so_is_no_interface() {
        for text in [
            "",
            "1/0",
            "Ethernet",
            "Ethernet1/x",
            "Ethernet1/",
            "Ethernet1/2/3/4",
            "Ethernet70000/0",
            "Ethernet+1/0",
            "Loopback1/0",
            "Loopback0.1",
            "Vlan10.1",
            "eth%d",
            "Gi0/0.",
            "Gi0/0.x",
        ] {
            assert!(text.parse::<InterfaceName>().is_err(), "{text}");
        }
        for device in ["eth0", "et01-0", "lo", "lo0", "lisp0", "et0-0x", "et-0", "et0/0", "ET0-0"] {
            assert_eq!(InterfaceName::of_device(device), None, "{device}");
        }
        let long = "TwentyFiveGigE10/20/30.4000".parse::<InterfaceName>().unwrap_err();
        assert!(long.contains("twe10-20-30.4000, and Linux allows 15"), "{long}");
    }

    #[test]
    fn no_two_kinds_have_one_name() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
            assert_eq!(Kind::named(kind.short()), Some(kind));
        }
    }
}
