//! Changes the settings of the namespace that netlink cannot change. These settings are files in
//! `/proc/sys`.
//!
//! Each setting is necessary: without it, a lab has failed.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use crate::router::io::LISP_DEVICE;

/// The settings of the whole namespace. With these settings, the namespace forwards packets, and
/// answers every probe of a traceroute. The kernel's check of source addresses (`rp_filter`) is
/// off, because the route back to a source address may lead into `lisp0`.
const NAMESPACE: [(&str, &str); 7] = [
    ("ipv4/ip_forward", "1"),
    ("ipv6/conf/all/forwarding", "1"),
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/all/send_redirects", "0"),
    ("ipv4/icmp_ratelimit", "0"),
    ("ipv6/icmp/ratelimit", "0"),
    ("ipv6/conf/all/accept_dad", "0"),
];

/// The settings of every device. The router also sets them for `default`, so that new devices get
/// the same settings.
///
/// With these settings, IPv6 addresses remain after a `shutdown`, can be used immediately and come
/// only from the configuration. Routes do not use a link that has no carrier. When the primary IPv4
/// address is removed, the secondary addresses remain.
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

/// The settings of the namespace, each with an open file. Each entry has a path under `net/`, a
/// value and the file.
#[derive(Debug, Default)]
pub struct NamespaceFiles(Vec<(String, &'static str, File)>);

impl NamespaceFiles {
    /// Returns true if at least one of these settings has another value than the router has set.
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

/// Returns the settings of the namespace. Each setting has a path under `net/` and a value.
pub fn of_namespace() -> impl Iterator<Item = (String, &'static str)> {
    let namespace = NAMESPACE.map(|(path, value)| (path.to_owned(), value)).into_iter();
    let devices = DEVICE
        .map(|(family, name, value)| (format!("{family}/conf/default/{name}"), value))
        .into_iter();
    namespace.chain(devices)
}

/// The settings that differ for ports of hosts that move. The first value is for other devices, and
/// the second value is for these ports. With the second value, the router learns an address from
/// the announcement of a host, and answers in place of hosts that have moved away. The router must
/// not answer in place of every host. Otherwise it would answer a host that announces its own
/// address, and this host would conclude that another host has the address.
const MOBILITY: [(&str, &str, [&str; 2]); 3] = [
    ("ipv4", "arp_accept", ["0", "1"]),
    ("ipv6", "accept_untracked_na", ["0", "1"]),
    ("ipv6", "proxy_ndp", ["0", "1"]),
];

/// The timers of the neighbour table. The first value is for an ordinary port, and is the default
/// of Linux. The second value is for a port of hosts that move. When the entry of a watched host is
/// older than about `base_reachable_time_ms`, the kernel waits for the time
/// `delay_first_probe_time`. Then the kernel asks the host three times, once a second. With the
/// default values, the router would treat a host that has left as present for more than half a
/// minute.
const NEIGHBOUR_CLOCKS: [(&str, [&str; 2]); 3] = [
    ("base_reachable_time_ms", ["30000", "2000"]),
    ("delay_first_probe_time", ["5", "1"]),
    ("interval_probe_time_ms", ["5000", "1000"]),
];

/// The method by which the kernel makes an IPv6 link-local address (`IN6_ADDR_GEN_MODE_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressGeneration {
    /// The kernel makes the address from the hardware address, without delay.
    FromHardwareAddress = 0,
    /// The kernel makes no address.
    Off = 1,
}

/// Sets the method by which the kernel makes the link-local address of a device.
pub fn set_address_generation(device: &str, generation: AddressGeneration) -> io::Result<()> {
    let value = (generation as u8).to_string();
    set(&format!("ipv6/conf/{device}/addr_gen_mode"), &value)
}

/// Returns true if the kernel makes the link-local address of a device from the hardware address.
pub fn generates_address(device: &str) -> bool {
    let mode = fs::read_to_string(format!("/proc/sys/net/ipv6/conf/{device}/addr_gen_mode"));
    let wanted = (AddressGeneration::FromHardwareAddress as u8).to_string();
    mode.is_ok_and(|mode| mode.trim() == wanted)
}

/// Returns true if the method of address generation of a device differs from `generation`.
pub fn is_generation_turned(device: &str, generation: AddressGeneration) -> bool {
    let value = (generation as u8).to_string();
    is_turned(&format!("ipv6/conf/{device}/addr_gen_mode"), &value)
}

/// Applies the settings of a router to a device. `mobility` is true for a port of hosts that move.
pub fn prepare_device(device: &str, proxy_arp: bool, mobility: bool) -> io::Result<()> {
    let settings = of_device(device, proxy_arp, mobility);
    settings.into_iter().try_for_each(|(path, value)| set(&path, value))
}

/// Returns true if at least one setting of a device has another value than the router has set. The
/// parameters are the same as for [`prepare_device`].
pub fn is_device_turned(device: &str, proxy_arp: bool, mobility: bool) -> bool {
    let settings = of_device(device, proxy_arp, mobility);
    settings.into_iter().any(|(path, value)| is_turned(&path, value))
}

/// Returns the settings of a device. Each setting has a path under `net/` and a value.
pub fn of_device(device: &str, proxy_arp: bool, mobility: bool) -> Vec<(String, &'static str)> {
    let conf = |family: &str, name: &str| format!("{family}/conf/{device}/{name}");
    let mut settings: Vec<(String, &'static str)> =
        DEVICE.iter().map(|(family, name, value)| (conf(family, name), *value)).collect();
    for (family, name, values) in MOBILITY {
        settings.push((conf(family, name), values[usize::from(mobility)]));
    }
    for family in ["ipv4", "ipv6"] {
        // By default, the kernel delays its proxy answers by up to 0.8 s, so that the answer of the
        // real owner of the address arrives first. Here the owner is not on the link and does not
        // answer, so no delay is necessary.
        settings.push((format!("{family}/neigh/{device}/proxy_delay"), "0"));
        for (name, values) in NEIGHBOUR_CLOCKS {
            let path = format!("{family}/neigh/{device}/{name}");
            settings.push((path, values[usize::from(mobility)]));
        }
    }
    let proxy_arp = if proxy_arp && !mobility { "1" } else { "0" };
    settings.push((conf("ipv4", "proxy_arp"), proxy_arp));
    if device == LISP_DEVICE {
        // Native packets of the router itself arrive on `lisp0`. The kernel must accept these
        // packets, although their source address belongs to the router.
        settings.push((conf("ipv4", "accept_local"), "1"));
    }
    settings
}

/// Sets the setting with the path `path` under `net/` to `value`. Does nothing if the kernel does
/// not have this setting.
pub fn set(path: &str, value: &str) -> io::Result<()> {
    let path = format!("/proc/sys/net/{path}");
    match fs::write(&path, value) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io::Error::new(error.kind(), format!("{path}: {error}")))
        }
        _ => Ok(()),
    }
}

/// Whether a setting under `net/` differs from `value`. Returns false if the setting cannot be
/// read.
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
        log::info!("another program changed net/{path}, and this router sets it to {value} again");
    }
    turned
}
