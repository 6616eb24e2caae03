//! A link's settings: up or down, MTU, hardware address, sysctls and its link-local address.

use std::io;

use netlink_bindings::{rt_addr, rt_link};

use super::request::index;
use super::socket::RequestSocket;
use super::sysctl::{self, AddressGeneration};
use crate::driver::announce;
use crate::router::io::{Device, LISP_GROUP, Mac};

/// Packets that wait on `lisp0` for us, at most.
const LISP_QUEUE_LEN: u32 = 4096;
/// `IN6_ADDR_GEN_MODE_NONE`: the device makes up no link-local address.
const NO_GENERATED_ADDRESS: u8 = 1;
/// `IFAPROT_KERNEL_LL`: the kernel made the address up.
const GENERATED_LINK_LOCAL: u8 = 3;

/// What [`crate::router::io::KernelObject::Link`] wants.
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
/// made up or believed from an advertisement cannot be taken back.
pub fn set(socket: &mut RequestSocket, device: Device, settings: &Settings) -> io::Result<()> {
    let name = device.name();
    let index = index(socket, &name)?;
    sysctl::prepare_device(&name, settings.proxy_arp, settings.mobility)?;
    if let Some(mac) = settings.mac {
        set_mac(socket, index, mac)?;
    }
    let mut request = rt_link::Request::new().op_setlink_do(&header(index));
    encode(request.encode(), device, settings.mtu);
    socket.change(&request)?;
    // Local delivery of every address of the router goes over `lo`.
    set_up(socket, index, settings.up || name == "lo")
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

fn encode(mut attributes: rt_link::PushLinkAttrs<&mut Vec<u8>>, device: Device, mtu: Option<u16>) {
    if let Some(mtu) = mtu {
        attributes = attributes.push_mtu(u32::from(mtu));
    }
    if device == Device::Lisp {
        attributes
            .push_group(LISP_GROUP)
            .push_txqlen(LISP_QUEUE_LEN)
            .nested_af_spec()
            .nested_inet6()
            .push_addr_gen_mode(NO_GENERATED_ADDRESS);
    }
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
    let family = rt_addr::Ifaddrmsg { ifa_family: libc::AF_INET6 as u8, ..Default::default() };
    let dump = rt_addr::Request::new().op_getaddr_dump(&family);
    let generated = socket.dump(&dump, |message, rows| {
        let (header, attributes) = rt_addr::OpNewaddrDo::decode_request(message.payload);
        if header.ifa_index == index && attributes.get_proto() == Ok(GENERATED_LINK_LOCAL) {
            rows.extend(attributes.get_address().map(|address| (header, address)));
        }
    })?;
    for (header, address) in generated {
        let mut request = rt_addr::Request::new().op_deladdr_do(&header);
        request.encode().push_local(address);
        socket.change(&request)?;
    }
    Ok(())
}

/// Lets the kernel make a link-local address up again.
pub fn generate_address(device: Device) -> io::Result<()> {
    sysctl::set_address_generation(&device.name(), AddressGeneration::FromHardwareAddress)
}
