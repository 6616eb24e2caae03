//! The settings of a link: up or down, MTU, hardware address, sysctls and link-local address.

use std::io;
use std::net::IpAddr;

use netlink_bindings::{rt_addr, rt_link};

use super::request::{self, index};
use super::socket::RequestSocket;
use super::sysctl::{self, AddressGeneration};
use crate::addr::is_ipv6_link_local;
use crate::driver::announce;
use crate::router::io::{Device, LISP_GROUP, Mac};

/// The maximum number of packets that wait on `lisp0` until the router reads them.
pub const LISP_QUEUE_LEN: u32 = 4096;
/// The value `IN6_ADDR_GEN_MODE_NONE`: the kernel generates no link-local address for the device.
const NO_GENERATED_ADDRESS: u8 = 1;
/// The value `IFAPROT_KERNEL_LL`: the kernel has generated the address.
const GENERATED_LINK_LOCAL: u8 = 3;

/// The settings of a [`crate::router::io::KernelObject::Link`].
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Whether the link is administratively up.
    pub up: bool,
    /// The MTU in octets. If it is `None`, the MTU of the device does not change.
    pub mtu: Option<u16>,
    /// Whether the port answers ARP requests in place of other hosts.
    pub proxy_arp: bool,
    /// The hardware address. If it is `None`, the hardware address of the device does not change.
    pub mac: Option<Mac>,
    /// Whether the router detects hosts that arrive on the link.
    pub mobility: bool,
}

/// Applies the settings to a link, before the link is set up. If the settings were applied later,
/// some effects could not be undone: a check for duplicate addresses, a generated address, or an
/// address from a router advertisement. The MTU is the first setting. With an MTU below 1280, the
/// kernel removes IPv6 and all IPv6 settings from the device. So a larger MTU must be set first, to
/// restore IPv6.
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
    // `lo` is always up, because the kernel delivers packets to the router's own addresses through
    // `lo`.
    set_up(socket, index, settings.up || name == "lo")?;
    if settings.up && is_port(device) { keep_link_local(socket, index, &name) } else { Ok(()) }
}

/// Whether a device is a port. The devices `lo` and `lisp0` are not ports.
pub fn is_port(device: Device) -> bool {
    matches!(device, Device::Interface(name) if !name.is_loopback())
}

/// Restores the link-local address that the kernel has made for a port, or the connected route of
/// this address. A user may have removed the address or the route.
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

/// Applies the settings that only `lisp0` has.
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
    // If IPv6 was just restored on the device, the kernel has already generated a link-local
    // address. `lisp0` must not have such an address.
    remove_generated(socket, index)
}

/// Sets the hardware address. Does nothing if the device already has this address, because a change
/// removes all neighbours of the device.
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

/// Removes the link-local address that the kernel has generated for a device. A configured
/// link-local address must be the only link-local address of the port, because hosts that move
/// recognise their gateway by this address.
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

/// Returns the IPv6 link-local addresses of a device. Each row has the header of the netlink
/// message, the address, and the origin of the address (`IFAPROT_*`).
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

/// Lets the kernel generate a link-local address for the device again.
pub fn generate_address(device: Device) -> io::Result<()> {
    sysctl::set_address_generation(&device.name(), AddressGeneration::FromHardwareAddress)
}
