//! Carries out commands of a user in a namespace: the commands of iproute2 and `sysctl` that this
//! kernel supports.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::table::{Entry, Rule};
use super::{DeviceId, Kernel};
use crate::addr::Family;
use crate::router::io::{LISP_GROUP, Table};

/// The error if this kernel does not know the command, or if the object that the command names does
/// not exist.
const UNKNOWN: &str =
    "this kernel does not know the command, or the object in the command does not exist";

impl Kernel {
    /// Carries out `command`: `ip address|link|route|rule|neigh ...` or `sysctl -w NAME=VALUE`.
    ///
    /// # Errors
    /// An error if this kernel does not know the command, or if the object that the command names
    /// does not exist.
    pub fn by_hand(&mut self, command: &str) -> Result<(), &'static str> {
        let words: Vec<&str> = command.split_whitespace().collect();
        let (family, words) = match words[..] {
            ["ip", "-6", ref rest @ ..] => (Family::Ipv6, rest.to_vec()),
            ["ip", ref rest @ ..] => (Family::Ipv4, rest.to_vec()),
            ["sysctl", "-w", setting] => {
                let done = self.turn(setting);
                self.tell_losses();
                return done.ok_or(UNKNOWN);
            }
            _ => return Err(UNKNOWN),
        };
        let done = match words[..] {
            ["address", ref rest @ ..] => self.address_by_hand(rest),
            ["link", ref rest @ ..] => self.link_by_hand(rest),
            ["route", ref rest @ ..] => self.route_by_hand(family, rest),
            ["rule", ref rest @ ..] => self.rule_by_hand(family, rest),
            ["neigh", "del", "proxy", host, "dev", device] => self.proxy_by_hand(host, device),
            _ => None,
        };
        self.tell_losses();
        done.ok_or(UNKNOWN)
    }

    fn address_by_hand(&mut self, words: &[&str]) -> Option<()> {
        match *words {
            ["del", address, "dev", device] => {
                let id = self.device_id(device)?;
                self.remove_address(id, parsed(address)?);
            }
            ["flush", "dev", device] => {
                let id = self.device_id(device)?;
                for address in self.device(id).addresses.clone() {
                    self.remove_address(id, address);
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn link_by_hand(&mut self, words: &[&str]) -> Option<()> {
        match *words {
            ["set", device, "up"] => self.set_up(self.device_id(device)?, true),
            ["set", device, "down"] => self.set_up(self.device_id(device)?, false),
            ["set", device, "mtu", mtu] => {
                self.set_mtu(self.device_id(device)?, Some(parsed(mtu)?));
            }
            ["set", device, "address", mac] => {
                let octets = mac.split(':').map(|octet| u8::from_str_radix(octet, 16).ok());
                let mac = octets.collect::<Option<Vec<u8>>>()?.try_into().ok()?;
                self.set_mac(self.device_id(device)?, mac);
            }
            ["del", device] => self.delete_device(self.device_id(device)?),
            _ => return None,
        }
        Some(())
    }

    /// Does the work of `ip link del DEVICE`: removes the device with its addresses and routes.
    /// [`Kernel::add_device`] can create the device again.
    pub fn delete_device(&mut self, id: DeviceId) {
        self.devices[id.0].addresses.clear();
        self.devices[id.0].unconnected.clear();
        self.flush_neighbours(id);
        self.routing.remove_device(id);
        let device = &mut self.devices[id.0];
        (device.is_there, device.up, device.carrier) = (false, false, false);
        self.link_changed = true;
        self.tell_link_gone(id);
        self.tell_routes();
        self.tell_losses();
    }

    fn route_by_hand(&mut self, family: Family, words: &[&str]) -> Option<()> {
        let (only, number) = match *words {
            ["flush", "table", table] => (None, table),
            ["del", prefix, "table", table] => (Some(parsed_prefix(prefix, family)?), table),
            _ => return None,
        };
        let table = table(number)?;
        let goes = |at: Table, prefix: IpNet, _: &Entry| {
            at == table && Family::of(prefix.addr()) == family && only.is_none_or(|it| it == prefix)
        };
        let gone = self.routing.remove_routes(goes);
        let some_went = !gone.is_empty();
        self.tell_removed(gone);
        (some_went || only.is_none()).then_some(())
    }

    fn rule_by_hand(&mut self, family: Family, words: &[&str]) -> Option<()> {
        let only: Option<u32> = match *words {
            ["flush"] => None,
            ["del", "priority", priority] => Some(parsed(priority)?),
            _ => return None,
        };
        let goes = |rule: &Rule| {
            rule.family == family && only.is_none_or(|priority| rule.priority == priority)
        };
        let gone: Vec<Rule> = self.routing.rules().filter(|rule| goes(rule)).copied().collect();
        gone.iter().for_each(|rule| self.routing.remove_rule(rule));
        if only.is_none_or(|priority| priority == MAIN_RULE) {
            self.routing.set_main_rule(family, false);
        }
        Some(())
    }

    fn proxy_by_hand(&mut self, host: &str, device: &str) -> Option<()> {
        let id = self.device_id(device)?;
        let host: IpAddr = parsed(host)?;
        self.devices[id.0].proxies.remove(&host).then_some(())
    }

    fn turn(&mut self, setting: &str) -> Option<()> {
        let (name, value) = setting.split_once('=')?;
        let on = value != "0";
        let name: Vec<&str> = name.split('.').collect();
        match name[..] {
            ["net", "ipv4", "ip_forward"] => self.forwards[0] = on,
            ["net", "ipv6", "conf", "all", "forwarding"] => self.forwards[1] = on,
            ["net", "ipv4", "conf", device, "proxy_arp"] => {
                let id = self.device_id(device)?;
                self.devices[id.0].proxy_arp = on;
            }
            ["net", "ipv4", "conf", device, "arp_accept"]
            | ["net", "ipv6", "conf", device, "accept_untracked_na"] => {
                let id = self.device_id(device)?;
                self.devices[id.0].mobility = on;
            }
            _ => return None,
        }
        Some(())
    }
}

/// The priority of the rule that looks up table main for all packets.
const MAIN_RULE: u32 = 32766;

fn table(number: &str) -> Option<Table> {
    match number {
        "main" => Some(Table::Main),
        number => (parsed(number) == Some(LISP_GROUP)).then_some(Table::Native),
    }
}

fn parsed_prefix(text: &str, family: Family) -> Option<IpNet> {
    match text {
        "default" => Some(family.default_prefix()),
        text => parsed::<IpNet>(text).map(|prefix| prefix.trunc()),
    }
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}
