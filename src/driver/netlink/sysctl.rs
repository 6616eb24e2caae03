//! Settings of the namespace that netlink cannot change, through `/proc/sys`.
//!
//! Each setting is here because a lab failed without it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use crate::router::io::LISP_DEVICE;

/// Settings of the namespace. It forwards, and answers every probe of a traceroute. It does not
/// check a packet's source by the route back to the source, because that route leads into `lisp0`.
const NAMESPACE: [(&str, &str); 7] = [
    ("ipv4/ip_forward", "1"),
    ("ipv6/conf/all/forwarding", "1"),
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/all/send_redirects", "0"),
    ("ipv4/icmp_ratelimit", "0"),
    ("ipv6/icmp/ratelimit", "0"),
    ("ipv6/conf/all/accept_dad", "0"),
];

/// Settings of every device; through `default`, devices that are added later get them too.
///
/// IPv6 addresses remain after a `shutdown`, are usable immediately and come only from the
/// configuration. A link without carrier is not used by routes. When an IPv4 primary address is
/// removed, the others remain.
const DEVICE: [(&str, &str, &str); 14] = [
    ("ipv6", "disable_ipv6", "0"),
    ("ipv4", "forwarding", "1"),
    ("ipv6", "forwarding", "1"),
    ("ipv4", "rp_filter", "0"),
    ("ipv4", "send_redirects", "0"),
    ("ipv4", "promote_secondaries", "1"),
    ("ipv4", "ignore_routes_with_linkdown", "1"),
    ("ipv6", "ignore_routes_with_linkdown", "1"),
    ("ipv6", "keep_addr_on_down", "1"),
    ("ipv6", "accept_dad", "0"),
    ("ipv6", "accept_ra", "0"),
    ("ipv6", "autoconf", "0"),
    ("ipv4", "arp_notify", "0"),
    ("ipv6", "ndisc_notify", "0"),
];

/// Prepares the namespace for a router.
pub fn prepare_namespace() -> io::Result<()> {
    of_namespace().try_for_each(|(path, value)| set(&path, value))
}

/// The settings of the namespace, with open files.
#[derive(Debug, Default)]
pub struct NamespaceFiles(Vec<(String, &'static str, File)>);

impl NamespaceFiles {
    /// Whether any of the settings was changed.
    pub fn are_turned(&mut self) -> bool {
        if self.0.is_empty() {
            let open = |(path, value)| {
                let file = File::open(format!("/proc/sys/net/{path}")).ok()?;
                Some((path, value, file))
            };
            self.0 = of_namespace().filter_map(open).collect();
        }
        self.0.iter().any(|(path, value, file)| is_other(path, value, file))
    }
}

/// The settings of the namespace, by their paths under `net/`.
pub fn of_namespace() -> impl Iterator<Item = (String, &'static str)> {
    let namespace = NAMESPACE.map(|(path, value)| (path.to_owned(), value)).into_iter();
    let devices = DEVICE
        .map(|(family, name, value)| (format!("{family}/conf/default/{name}"), value))
        .into_iter();
    namespace.chain(devices)
}

/// For ports of hosts that move, with the value on other devices. The router accepts the address
/// from a host's announcement, and answers for hosts that have moved away. (If the router answered
/// for all hosts, a host that announces its own address would think that another host has this
/// address.)
const MOBILITY: [(&str, &str, [&str; 2]); 3] = [
    ("ipv4", "arp_accept", ["0", "1"]),
    ("ipv6", "accept_untracked_na", ["0", "1"]),
    ("ipv6", "proxy_ndp", ["0", "1"]),
];

/// The timers of the neighbour table: for an ordinary port (Linux's defaults) and for a port of
/// hosts that move. A watched host is asked again after its entry has aged, then after the delay of
/// the first probe, then three times with a second between them. With the defaults, a host that has
/// left would count as present for more than half a minute.
const NEIGHBOUR_CLOCKS: [(&str, [&str; 2]); 3] = [
    ("base_reachable_time_ms", ["30000", "2000"]),
    ("delay_first_probe_time", ["5", "1"]),
    ("interval_probe_time_ms", ["5000", "1000"]),
];

/// The origin of an IPv6 link-local address (`IN6_ADDR_GEN_MODE_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressGeneration {
    /// The kernel makes the address from the hardware address, immediately.
    FromHardwareAddress = 0,
    /// No address is made.
    Off = 1,
}

/// Sets how the link-local address of a device is made.
pub fn set_address_generation(device: &str, generation: AddressGeneration) -> io::Result<()> {
    let value = (generation as u8).to_string();
    set(&format!("ipv6/conf/{device}/addr_gen_mode"), &value)
}

/// Whether the kernel makes a link-local address for a device from its hardware address.
pub fn generates_address(device: &str) -> bool {
    let mode = fs::read_to_string(format!("/proc/sys/net/ipv6/conf/{device}/addr_gen_mode"));
    let wanted = (AddressGeneration::FromHardwareAddress as u8).to_string();
    mode.is_ok_and(|mode| mode.trim() == wanted)
}

/// Whether the setting for making the link-local address of a device was changed.
pub fn is_generation_turned(device: &str, generation: AddressGeneration) -> bool {
    let value = (generation as u8).to_string();
    is_turned(&format!("ipv6/conf/{device}/addr_gen_mode"), &value)
}

/// Prepares a device for a router; `mobility` is for a port of hosts that move.
pub fn prepare_device(device: &str, proxy_arp: bool, mobility: bool) -> io::Result<()> {
    let settings = of_device(device, proxy_arp, mobility);
    settings.into_iter().try_for_each(|(path, value)| set(&path, value))
}

/// Whether a setting of a device was changed.
pub fn is_device_turned(device: &str, proxy_arp: bool, mobility: bool) -> bool {
    let settings = of_device(device, proxy_arp, mobility);
    settings.into_iter().any(|(path, value)| is_turned(&path, value))
}

/// The settings of a device, by their paths under `net/`.
pub fn of_device(device: &str, proxy_arp: bool, mobility: bool) -> Vec<(String, &'static str)> {
    let conf = |family: &str, name: &str| format!("{family}/conf/{device}/{name}");
    let mut settings: Vec<(String, &'static str)> =
        DEVICE.iter().map(|(family, name, value)| (conf(family, name), *value)).collect();
    for (family, name, values) in MOBILITY {
        settings.push((conf(family, name), values[usize::from(mobility)]));
    }
    for family in ["ipv4", "ipv6"] {
        // By default, proxy answers wait up to 0.8 s, so that the owner's answer arrives first.
        settings.push((format!("{family}/neigh/{device}/proxy_delay"), "0"));
        for (name, values) in NEIGHBOUR_CLOCKS {
            let path = format!("{family}/neigh/{device}/{name}");
            settings.push((path, values[usize::from(mobility)]));
        }
    }
    let proxy_arp = if proxy_arp && !mobility { "1" } else { "0" };
    settings.push((conf("ipv4", "proxy_arp"), proxy_arp));
    if device == LISP_DEVICE {
        // Native packets of the router itself arrive from `lisp0` with one of its own addresses as
        // source.
        settings.push((conf("ipv4", "accept_local"), "1"));
    }
    settings
}

/// Writes a setting under `net/`; ignores a setting that this kernel does not have.
pub fn set(path: &str, value: &str) -> io::Result<()> {
    let path = format!("/proc/sys/net/{path}");
    match fs::write(&path, value) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io::Error::new(error.kind(), format!("{path}: {error}")))
        }
        _ => Ok(()),
    }
}

/// Whether a setting under `net/` differs from the value that was set; false if it cannot be read.
fn is_turned(path: &str, value: &str) -> bool {
    let file = File::open(format!("/proc/sys/net/{path}"));
    file.is_ok_and(|file| is_other(path, value, &file))
}

fn is_other(path: &str, value: &str, file: &File) -> bool {
    let mut buffer = [0; 32];
    let read = file.read_at(&mut buffer, 0).ok();
    let found = read.and_then(|len| buffer.get(..len)).map(<[u8]>::trim_ascii);
    let turned = found.is_some_and(|found| found != value.as_bytes());
    if turned {
        log::info!("net/{path} was changed from outside; it is set to {value} again");
    }
    turned
}
