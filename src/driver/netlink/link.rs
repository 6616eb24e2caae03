//! A link's settings: up or down, MTU, hardware address, sysctls and its link-local address.

use std::io;
use std::net::IpAddr;

use netlink_bindings::{rt_addr, rt_link};

use super::request::{self, index};
use super::socket::RequestSocket;
use super::sysctl::{self, AddressGeneration};
use crate::addr::is_ipv6_link_local;
use crate::driver::announce;
use crate::router::config::InterfaceKind;
use crate::router::io::{Device, LISP_GROUP, Mac};

/// Packets that wait on `lisp0` for us, at most.
pub const LISP_QUEUE_LEN: u32 = 4096;
/// `IN6_ADDR_GEN_MODE_NONE`: the device makes up no link-local address.
const NO_GENERATED_ADDRESS: u8 = 1;
/// `IFAPROT_KERNEL_LL`: the kernel made the address up.
const GENERATED_LINK_LOCAL: u8 = 3;

/// The settings of a [`crate::router::io::KernelObject::Link`].
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Administratively up.
    pub up: bool,
    /// Octets; the device's own when absent.
    pub mtu: Option<u16>,
    /// Answers ARP for others.
    pub proxy_arp: bool,
    /// The hardware address, when the device's own is not wanted.
    pub mac: Option<Mac>,
    /// Hosts that come are seen.
    pub mobility: bool,
}

/// Makes a link so. Settings come before it goes up: an address that is checked for duplicates,
/// made up or believed from an advertisement cannot be taken back. Before them comes the MTU: one below
/// 1280 has taken IPv6 off the device, with all its settings.
pub fn set(socket: &mut RequestSocket, device: Device, settings: &Settings) -> io::Result<()> {
    let name = device.name();
    let index = index(socket, &name)?;
    if let Some(mtu) = settings.mtu {
        let mut request = rt_link::Request::new().op_setlink_do(&header(index));
        request.encode().push_mtu(u32::from(mtu));
        socket.change(&request)?;
    }
    sysctl::prepare_device(&name, settings.proxy_arp, settings.mobility)?;
    if let Some(mac) = settings.mac {
        set_mac(socket, index, mac)?;
    }
    if device == Device::Lisp {
        set_up_lisp(socket, index)?;
    }
    // Local delivery of every address of the router goes over `lo`.
    set_up(socket, index, settings.up || name == "lo")?;
    if settings.up && is_port(device) { keep_link_local(socket, index, &name) } else { Ok(()) }
}

/// Whether a device is a port, and neither `lo` nor `lisp0`.
pub fn is_port(device: Device) -> bool {
    matches!(device, Device::Interface(name) if name.kind == InterfaceKind::Ethernet)
}

/// Restores the link-local address that the kernel makes for a port, and the route of its network, if
/// they were removed by hand.
fn keep_link_local(socket: &mut RequestSocket, index: u32, name: &str) -> io::Result<()> {
    if !sysctl::generates_address(name) {
        return Ok(());
    }
    if link_local_addresses(socket, index)?.is_empty() {
        sysctl::set_address_generation(name, AddressGeneration::Off)?;
        return sysctl::set_address_generation(name, AddressGeneration::FromHardwareAddress);
    }
    request::add_connected(socket, index, request::link_local_network(), None)
}

/// Makes the settings that `lisp0` has and other devices have not.
fn set_up_lisp(socket: &mut RequestSocket, index: u32) -> io::Result<()> {
    let mut request = rt_link::Request::new().op_setlink_do(&header(index));
    request
        .encode()
        .push_group(LISP_GROUP)
        .push_txqlen(LISP_QUEUE_LEN)
        .nested_af_spec()
        .nested_inet6()
        .push_addr_gen_mode(NO_GENERATED_ADDRESS);
    socket.change(&request)?;
    // IPv6 that has just come back to it has made one up already.
    remove_generated(socket, index)
}

/// A device that has the address already is left alone: to set it flushes all its neighbours.
fn set_mac(socket: &mut RequestSocket, index: u32, mac: Mac) -> io::Result<()> {
    if announce::hardware_address(index)? == mac {
        return Ok(());
    }
    let mut request = rt_link::Request::new().op_setlink_do(&header(index));
    request.encode().push_address(&mac.0);
    match socket.change(&request) {
        Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
            set_up(socket, index, false)?;
            socket.change(&request)
        }
        other => other,
    }
}

fn set_up(socket: &mut RequestSocket, index: u32, up: bool) -> io::Result<()> {
    let header = rt_link::Ifinfomsg {
        ifi_flags: if up { libc::IFF_UP as u32 } else { 0 },
        ifi_change: libc::IFF_UP as u32,
        ..header(index)
    };
    socket.change(&rt_link::Request::new().op_setlink_do(&header))
}

fn header(index: u32) -> rt_link::Ifinfomsg {
    rt_link::Ifinfomsg { ifi_index: index as i32, ..Default::default() }
}

/// Leaves room for a configured link-local address: it is to be the only one, because hosts that
/// move know their gateway by it.
pub fn take_generated_address(socket: &mut RequestSocket, device: Device) -> io::Result<()> {
    let name = device.name();
    let index = index(socket, &name)?;
    sysctl::set_address_generation(&name, AddressGeneration::Off)?;
    remove_generated(socket, index)
}

fn remove_generated(socket: &mut RequestSocket, index: u32) -> io::Result<()> {
    for (header, address, protocol) in link_local_addresses(socket, index)? {
        if protocol == Some(GENERATED_LINK_LOCAL) {
            let mut request = rt_addr::Request::new().op_deladdr_do(&header);
            request.encode().push_local(address);
            socket.change(&request)?;
        }
    }
    Ok(())
}

/// The IPv6 link-local addresses of a device, each with its origin (`IFAPROT_*`).
fn link_local_addresses(
    socket: &mut RequestSocket,
    index: u32,
) -> io::Result<Vec<(rt_addr::Ifaddrmsg, IpAddr, Option<u8>)>> {
    let family = rt_addr::Ifaddrmsg { ifa_family: libc::AF_INET6 as u8, ..Default::default() };
    let dump = rt_addr::Request::new().op_getaddr_dump(&family);
    socket.dump(&dump, |message, rows| {
        let (header, attributes) = rt_addr::OpNewaddrDo::decode_request(message.payload);
        if let Ok(address) = attributes.get_address()
            && header.ifa_index == index
            && is_ipv6_link_local(address)
        {
            rows.push((header, address, attributes.get_proto().ok()));
        }
    })
}

/// Lets the kernel make a link-local address up again.
pub fn generate_address(device: Device) -> io::Result<()> {
    sysctl::set_address_generation(&device.name(), AddressGeneration::FromHardwareAddress)
}
