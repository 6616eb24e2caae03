//! The names of interfaces.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The kinds of interface that a router can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum InterfaceKind {
    /// `EthernetS/P` (slot S, port P): the Linux device `etS-P`.
    Ethernet,
    /// `LoopbackN`: its addresses are on the Linux device `lo`.
    Loopback,
}

/// An interface as IOS names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InterfaceName {
    /// The kind of the interface.
    pub kind: InterfaceKind,
    /// The slot; zero for a loopback.
    pub slot: u16,
    /// The port in the slot, or the loopback's number.
    pub port: u16,
}

impl InterfaceName {
    /// The Linux device of the interface (`/` is not allowed in the name of a device).
    pub fn device(&self) -> String {
        match self.kind {
            InterfaceKind::Ethernet => format!("et{}-{}", self.slot, self.port),
            InterfaceKind::Loopback => "lo".to_owned(),
        }
    }

    /// The interface of a Linux device, if the name of the device has our format.
    pub fn of_device(device: &str) -> Option<Self> {
        let (slot, port) = device.strip_prefix("et")?.split_once('-')?;
        Some(InterfaceName {
            kind: InterfaceKind::Ethernet,
            slot: slot.parse().ok()?,
            port: port.parse().ok()?,
        })
    }
}

impl fmt::Display for InterfaceName {
    /// Prints a name like `Ethernet1/0` or `Loopback0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            InterfaceKind::Ethernet => write!(f, "Ethernet{}/{}", self.slot, self.port),
            InterfaceKind::Loopback => write!(f, "Loopback{}", self.port),
        }
    }
}

impl FromStr for InterfaceName {
    type Err = String;

    /// Accepts the spellings that IOS accepts: capital or small letters, the kind in full or
    /// shortened, with or without a space before the number.
    fn from_str(text: &str) -> Result<Self, String> {
        let text: String = text.split_whitespace().collect();
        let digits = text.find(|c: char| c.is_ascii_digit());
        let (kind, number) = text.split_at(digits.unwrap_or(text.len()));
        let kind = kind.to_ascii_lowercase();
        let wrong =
            || format!("{text:?} is not an interface: write EthernetSLOT/PORT or LoopbackNUMBER");
        if kind.is_empty() || number.is_empty() {
            return Err(wrong());
        }
        if "ethernet".starts_with(&kind) {
            let (slot, port) = number.split_once('/').ok_or_else(wrong)?;
            let slot = slot.parse().map_err(|_| wrong())?;
            let port = port.parse().map_err(|_| wrong())?;
            Ok(InterfaceName { kind: InterfaceKind::Ethernet, slot, port })
        } else if "loopback".starts_with(&kind) {
            let port = number.parse().map_err(|_| wrong())?;
            Ok(InterfaceName { kind: InterfaceKind::Loopback, slot: 0, port })
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_name_takes_the_spellings_of_ios() {
        let expected = InterfaceName { kind: InterfaceKind::Ethernet, slot: 1, port: 0 };
        for text in ["Ethernet1/0", "ethernet 1/0", "e1/0", "ETH1/0"] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert_eq!(expected.device(), "et1-0");
        assert_eq!(InterfaceName::of_device("et1-0"), Some(expected));
        assert_eq!("lo0".parse::<InterfaceName>().unwrap().to_string(), "Loopback0");
        for text in ["", "1/0", "Ethernet", "Ethernet1", "Serial0/0", "Ethernet1/x"] {
            assert!(text.parse::<InterfaceName>().is_err(), "{text}");
        }
    }
}
