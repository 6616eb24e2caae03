//! `show hosts`: the host names that a router knows, and the addresses of these hosts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::State;
use super::columns::Columns;
use crate::console::machine::HostNames;
use crate::console::view::host_names::{HostNameRow, HostNamesView, NameOrigin};
use crate::router::config::Config;

/// The text of IOS above the names. The flag of a name is `perm` for a name in the configuration,
/// as on IOS, and `lab` for a name in the lab.
const HEAD: &str = "\
Default domain is not set
Name/address lookup uses static mappings

Codes: UN - unknown, EX - expired, OK - OK, ?? - revalidate
       temp - temporary, perm - permanent, lab - host of the lab
       NA - Not Applicable None - Not defined

";
const COLUMNS: Columns<6> = Columns::of([26, 6, 12, 4, 7, 0]);

/// The view of the names.
pub fn view(State { router, hosts, .. }: State<'_>) -> HostNamesView {
    let mut rows = BTreeMap::new();
    let mut add = |name: &str, addresses: Vec<IpAddr>, origin| {
        rows.entry(name.to_owned()).or_insert((addresses, origin));
    };
    for (name, addresses) in &router.config().hosts {
        add(name, addresses.clone(), NameOrigin::Configuration);
    }
    for interface in router.config().interfaces.values() {
        for (name, host) in &interface.emulated_hosts {
            let addresses = host.addresses.iter().map(IpNet::addr).collect();
            add(name, addresses, NameOrigin::EmulatedHost);
        }
    }
    for (name, addresses) in hosts.machine().into_iter().flat_map(|machine| machine.lab_hosts()) {
        add(name, addresses.clone(), NameOrigin::Lab);
    }
    let row = |(name, (addresses, origin))| HostNameRow { name, addresses, origin };
    HostNamesView { hosts: rows.into_iter().map(row).collect() }
}

/// The text of `show hosts`.
pub fn text(view: &HostNamesView) -> String {
    let mut text = HEAD.to_owned();
    text += &COLUMNS.line(["Host", "Port", "Flags", "Age", "Type", "Address(es)"]);
    for HostNameRow { name, addresses, origin } in &view.hosts {
        let flags = match origin {
            NameOrigin::Configuration | NameOrigin::EmulatedHost => "(perm, OK)",
            NameOrigin::Lab => "(lab, OK)",
        };
        for (number, address) in addresses.iter().enumerate() {
            let kind = if address.is_ipv4() { " IP" } else { "IPV6" };
            let address = address.to_string();
            text += &match number {
                0 => COLUMNS.line([name, "None", flags, "0", kind, &address]),
                _ => COLUMNS.line(["", "", "", "", kind, &address]),
            };
        }
    }
    text
}

/// Returns the configuration, and adds the names of the lab's hosts to it. If a name is in the
/// configuration and in the lab, the addresses in the configuration are used.
pub fn with_lab_hosts<'c>(config: &'c Config, names: &HostNames) -> Cow<'c, Config> {
    if names.is_empty() {
        return Cow::Borrowed(config);
    }
    let mut config = config.clone();
    for (name, addresses) in names {
        config.hosts.entry(name.clone()).or_insert_with(|| addresses.clone());
    }
    Cow::Owned(config)
}
