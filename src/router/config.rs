//! The configuration as plain data. The command grammar writes it, and the router reads it.
//!
//! The console edits a copy of the configuration and gives the whole copy to the router. The router
//! compares the copy with the previous configuration. So a file or a line is applied completely or
//! not at all, and `show running-config` needs only the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::interface_name::{InterfaceKind, InterfaceName};
pub use super::lines::VtyLines;
use super::shared::Shared;
pub use super::static_route::{StaticRoute, StaticTarget};
use super::unsupported::Unsupported;
use crate::addr::{Eid, EidPrefix, Family, InstanceId, Mac, Rloc, is_link_local};
use crate::wire::auth::Key;

/// The TTL of a mapping if no TTL is configured: one day, in minutes.
const DEFAULT_TTL_MINUTES: u32 = 1440;

/// All contents of a `.conf` file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `hostname NAME`.
    pub hostname: String,
    /// `interface NAME`.
    pub interfaces: BTreeMap<InterfaceName, Interface>,
    /// `vrf definition NAME`.
    pub vrfs: BTreeMap<String, Vrf>,
    /// `ip host NAME ADDRESS ..`: the addresses of a name, in the order of the configuration.
    pub hosts: BTreeMap<String, Vec<IpAddr>>,
    /// `alias exec NAME TEXT`: on the console, NAME stands for the command TEXT.
    pub aliases: BTreeMap<String, String>,
    /// `ip route` and `ipv6 route`.
    pub static_routes: Shared<BTreeSet<StaticRoute>>,
    /// `router lisp`; `None` on a router without LISP.
    pub lisp: Option<Lisp>,
    /// `line vty`.
    pub vty_lines: VtyLines,
    /// Lines about LISP that the router does not carry out.
    pub unsupported: Shared<Unsupported>,
}

/// The lines under `vrf definition NAME`. A router has one routing table, and a VRF is only a name
/// for this table. The only effect of the lines is that `show running-config` prints them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vrf {
    /// `description TEXT`.
    pub description: Option<String>,
    /// `rd ROUTE-DISTINGUISHER`.
    pub rd: Option<String>,
    /// The words after `route-target`, for each `route-target` line outside of an `address-family`.
    pub route_targets: BTreeSet<String>,
    /// `address-family ipv4|ipv6`: for each family, the words after `route-target` in its lines.
    pub families: BTreeMap<Family, BTreeSet<String>>,
}

/// The lines under `interface NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// `description TEXT`.
    pub description: Option<String>,
    /// `vrf forwarding NAME`.
    pub vrf: Option<String>,
    /// The addresses, each with the mask length of its network, in the order of the configuration.
    /// The first address of a family is the primary address of this family.
    pub addresses: Vec<IpNet>,
    /// `shutdown`: the Linux link is set down.
    pub shutdown: bool,
    /// `ip proxy-arp`: the router answers ARP requests for all addresses to which it has a route.
    /// The default is off.
    pub proxy_arp: bool,
    /// `mtu N`, in octets. `None` means that the link keeps its own MTU.
    pub mtu: Option<u16>,
    /// `encapsulation dot1Q N` of a subinterface. The only effect of the line is that
    /// `show running-config` prints it: the link of a subinterface carries packets without tags.
    pub vlan: Option<u16>,
    /// `mac-address H.H.H`. `None` means that the device keeps its own address. Hosts that move
    /// between xTRs need a gateway with the same MAC address on every xTR.
    pub mac: Option<Mac>,
    /// `lisp mobility NAME`: the dynamic-EID ranges whose hosts may appear on this port.
    pub lisp_mobility: BTreeSet<String>,
    /// `emulated-host NAME ..`: hosts that the router emulates on this LAN. The driver runs the
    /// network stacks of these hosts. The protocol treats them like all other hosts.
    pub emulated_hosts: BTreeMap<String, EmulatedHost>,
}

/// `emulated-host NAME ..`: the configuration of a host.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct EmulatedHost {
    /// The addresses, each with the mask length of its network. IPv4 addresses are first. There are
    /// at most [`EmulatedHost::MOST_ADDRESSES`] addresses.
    pub addresses: Vec<IpNet>,
    /// The default gateways.
    pub gateways: BTreeMap<Family, IpAddr>,
    /// The MAC address of the host. `None` means a random address.
    pub mac: Option<Mac>,
}

impl EmulatedHost {
    /// The largest number of octets in the name of a host. The name of the host's Linux device is
    /// `NAME.eth0`, which has 15 octets at most.
    pub const LONGEST_NAME: usize = 10;
    /// The largest number of addresses that the network stack of a host can hold
    /// ([`HostError`](crate::host::HostError)).
    pub const MOST_ADDRESSES: usize = 8;

    /// The Linux device of the host with the name `name`.
    pub fn device(name: &str) -> String {
        format!("{name}.eth0")
    }
}

/// The lines under `router lisp`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lisp {
    /// `router lisp N`: the number of the only LISP process.
    pub process: u16,
    /// `locator-set NAME`.
    pub locator_sets: BTreeMap<String, Vec<ConfiguredLocator>>,
    /// `eid-table default|vrf NAME instance-id N`: the EID-table of each instance.
    pub eid_tables: BTreeMap<InstanceId, EidTable>,
    /// The commands that begin with `ipv4`.
    pub ipv4: Service,
    /// The commands that begin with `ipv6`.
    pub ipv6: Service,
    /// `site NAME`, for a map-server.
    pub sites: BTreeMap<String, Site>,
    /// The commands that begin with `loc-reach-algorithm`.
    pub loc_reach: LocReach,
    /// `no reliable-registration`: the router sends Map-Registers by UDP only, and does not ask for
    /// a session.
    pub no_reliable_registration: bool,
}

/// With these algorithms, xTRs report in their data packets which locators can be reached (RFC 9300
/// section 10). Neither algorithm is safe on the public Internet, because any sender can forge the
/// data that the algorithm needs. So both algorithms are off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LocReach {
    /// `lsb-reports`: the router sends Locator-Status-Bits, and believes the Locator-Status-Bits
    /// that it receives.
    pub lsb_reports: bool,
    /// `echo-nonce`: the router sends nonces to xTRs that support echo-nonce, and echoes the nonces
    /// of other xTRs if they ask for an echo.
    pub echo_nonce: bool,
}

impl Lisp {
    /// The service of a family of EIDs.
    pub fn service(&self, family: Family) -> &Service {
        match family {
            Family::Ipv4 => &self.ipv4,
            Family::Ipv6 => &self.ipv6,
        }
    }

    /// The service of a family of EIDs, as a mutable reference.
    pub fn service_mut(&mut self, family: Family) -> &mut Service {
        match family {
            Family::Ipv4 => &mut self.ipv4,
            Family::Ipv6 => &mut self.ipv6,
        }
    }
}

/// A configured locator: it is in a `locator-set`, or directly in a `database-mapping` or
/// `use-petr` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredLocator {
    /// The address of the locator, or the interface that has this address.
    pub source: LocatorSource,
    /// The priority, 0 to 255. A locator with a lower number is preferred. A locator with 255 is
    /// never used (RFC 9300 section 3, RLOC priority).
    pub priority: u8,
    /// The weight, 0 to 100. Flows are divided among the locators of equal priority in proportion
    /// to the weights of these locators.
    pub weight: u8,
}

/// The way in which a locator's address is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LocatorSource {
    /// The address itself. `show` prints `cfg-addr`.
    Address(Rloc),
    /// `IPv4-interface NAME`: the primary address of the family on the interface. `show` prints
    /// `cfg-intf`.
    Interface(Family, InterfaceName),
}

/// The lines under `eid-table`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EidTable {
    /// The VRF of the EID-table; `None` for the default routing table.
    pub vrf: Option<String>,
    /// `database-mapping PREFIX ...`.
    pub database: Shared<BTreeMap<IpNet, DatabaseMapping>>,
    /// `map-cache PREFIX map-request`: static entries that make the router send Map-Requests.
    pub map_requests: BTreeSet<IpNet>,
    /// `dynamic-eid NAME`: ranges of EIDs. The hosts in these ranges can move. The xTR that finds a
    /// host registers this host separately.
    pub dynamic_eids: BTreeMap<String, DynamicEid>,
}

/// The lines under `dynamic-eid NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DynamicEid {
    /// `database-mapping PREFIX ...`: the ranges.
    pub database: BTreeMap<IpNet, DatabaseMapping>,
}

/// The locators of a local EID prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseMapping {
    /// `locator-set NAME`.
    LocatorSet(String),
    /// One or more `database-mapping` lines with one locator each.
    Inline(Vec<ConfiguredLocator>),
}

/// The roles of a router for one family of EIDs, with their options and peers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// `itr`.
    pub itr: bool,
    /// `etr`.
    pub etr: bool,
    /// `proxy-itr RLOC [RLOC]`: the locators of this proxy ITR. The list is empty if the router is
    /// not a proxy ITR.
    pub proxy_itr: Vec<Rloc>,
    /// `proxy-etr`.
    pub proxy_etr: bool,
    /// `map-server`.
    pub map_server: bool,
    /// `map-server legacy`: a map-server without reliable transport, like the router Old in the
    /// Cisco document. It does not listen on TCP. It ignores a Map-Register record with a TTL of
    /// zero: the record neither removes nor refreshes a registration.
    pub map_server_legacy: bool,
    /// `map-resolver`.
    pub map_resolver: bool,
    /// `itr map-resolver ADDRESS`: the map-resolvers, in the order in which the ITR asks them.
    pub itr_map_resolvers: Vec<IpAddr>,
    /// `etr map-server ADDRESS key KEY [proxy-reply]`: the map-server at each address.
    pub etr_map_servers: BTreeMap<IpAddr, EtrMapServer>,
    /// `use-petr ADDRESS [priority P weight W]`.
    pub use_petr: Vec<ConfiguredLocator>,
    /// `map-request-source ADDRESS`: the source address of the inner IP header of ECMs. Without
    /// this line, the requested EID is also the source address.
    pub map_request_source: Option<IpAddr>,
    /// `map-cache-limit N`: the largest number of entries in the map-cache.
    pub map_cache_limit: Option<u32>,
    /// `solicit-map-request ignore`: the ITR ignores SMRs.
    pub ignores_smrs: bool,
    /// `etr map-cache-ttl MINUTES`: the TTL of the records that the ETR sends.
    pub etr_map_cache_ttl: Option<u32>,
    /// `etr smr-peer ADDRESS`: RLOCs to which the router sends an SMR whenever a local mapping
    /// changes. It also sends SMRs to the RLOCs from which packets came recently.
    pub etr_smr_peers: BTreeSet<Rloc>,
    /// `no etr forward-away`: if a host has moved away, the router drops the packets for the host,
    /// as in the Cisco document. By default, the router encapsulates these packets to the new
    /// locator of the host.
    pub etr_no_forward_away: bool,
    /// `no etr source-check`: the router does not check the inner source of packets from the core.
    pub etr_no_source_check: bool,
    /// `locator reachability exclude-default`: a locator of another xTR is reported as reachable
    /// only while a route leads to it. The default route does not count.
    pub locator_excludes_default: bool,
    /// `itr accept-default`: the router also accepts a mapping for all EIDs (`0.0.0.0/0` or `::/0`)
    /// that has locators.
    pub itr_accept_default: bool,
    /// `itr widest-mapping LENGTH`: if a mapping with locators has a mask shorter than LENGTH, the
    /// router cuts the mapping to this mask length.
    pub itr_widest_mapping: Option<u8>,
    /// `itr smr-delay MILLISECONDS`: the largest random wait before an SMR-invoked Map-Request.
    pub itr_smr_delay_ms: Option<u32>,
}

/// A map-server with which an ETR registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtrMapServer {
    /// The shared secret and its algorithm.
    pub key: Key,
    /// `proxy-reply`: the ETR asks the map-server to answer Map-Requests in place of the ETR.
    pub proxy_reply: bool,
}

/// The lines under `site NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// `description TEXT`.
    pub description: Option<String>,
    /// `authentication-key KEY`. A site without a key accepts no registration.
    pub key: Option<Key>,
    /// `eid-record [instance-id N] PREFIX [accept-more-specifics]`; older IOS writes `eid-prefix`.
    pub eid_prefixes: Shared<BTreeMap<EidPrefix, SitePrefix>>,
    /// `nonce-order id|strict|none`.
    pub nonce_order: NonceOrder,
}

/// The xTRs that must increase the nonce with each Map-Register (RFC 9301 section 5.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NonceOrder {
    /// A sender with an authenticated xTR-ID must increase the nonce with each message. The
    /// map-server accepts each message of a sender without an authenticated xTR-ID only once: it
    /// refuses an exact repetition.
    #[default]
    Id,
    /// All senders must increase the nonce with each message.
    Strict,
    /// No sender has to increase the nonce. The map-server refuses a message only if the map-server
    /// has received the same message before.
    None,
}

/// The options of a site's EID prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SitePrefix {
    /// Whether the map-server accepts registrations of longer prefixes inside this prefix.
    pub accept_more_specifics: bool,
}

/// The roles of a router for one family of EIDs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Roles {
    /// The router encapsulates packets from its site.
    pub itr: bool,
    /// The router decapsulates packets for its site.
    pub etr: bool,
    /// The router encapsulates packets from sites without LISP (RFC 6832).
    pub proxy_itr: bool,
    /// The router decapsulates packets for sites without LISP (RFC 6832).
    pub proxy_etr: bool,
    /// The router keeps the registrations of sites.
    pub map_server: bool,
    /// The router receives encapsulated Map-Requests from ITRs.
    pub map_resolver: bool,
}

impl Config {
    /// The roles for EIDs of `family`.
    pub fn roles(&self, family: Family) -> Roles {
        let Some(lisp) = &self.lisp else {
            return Roles::default();
        };
        let service = lisp.service(family);
        Roles {
            itr: service.itr,
            etr: service.etr,
            proxy_itr: !service.proxy_itr.is_empty(),
            proxy_etr: service.proxy_etr,
            map_server: service.map_server,
            map_resolver: service.map_resolver,
        }
    }

    /// The algorithms of [`LocReach`] that this router uses for EIDs of `family`. Each of the two
    /// xTRs that use an algorithm must be both an ITR and an ETR (RFC 9300 sections 10.1 and 13.1).
    /// So a router that has only one of these two roles uses no algorithm.
    pub fn loc_reach(&self, family: Family) -> LocReach {
        match &self.lisp {
            Some(lisp) if lisp.service(family).itr && lisp.service(family).etr => lisp.loc_reach,
            _ => LocReach::default(),
        }
    }

    /// The service of a family of EIDs; `None` without `router lisp`.
    pub fn service(&self, family: Family) -> Option<&Service> {
        self.lisp.as_ref().map(|lisp| lisp.service(family))
    }

    /// Whether `address` belongs to a map-server or a map-resolver that the router uses.
    pub fn is_map_server(&self, address: IpAddr) -> bool {
        Family::BOTH.into_iter().any(|family| {
            self.etr_map_servers(family).contains_key(&address)
                || self.itr_map_resolvers(family).contains(&address)
        })
    }

    /// The site with this name.
    pub fn site(&self, name: &str) -> Option<&Site> {
        self.lisp.as_ref()?.sites.get(name)
    }

    /// The key of a site, if the site has a key.
    pub fn site_key(&self, site: &str) -> Option<&Key> {
        self.site(site)?.key.as_ref()
    }

    /// The map-servers with which the router registers EIDs of a family.
    pub fn etr_map_servers(&self, family: Family) -> &BTreeMap<IpAddr, EtrMapServer> {
        static NONE: BTreeMap<IpAddr, EtrMapServer> = BTreeMap::new();
        self.service(family).map_or(&NONE, |service| &service.etr_map_servers)
    }

    /// The map-resolvers that the router asks for EIDs of a family, in the order of the
    /// configuration.
    pub fn itr_map_resolvers(&self, family: Family) -> &[IpAddr] {
        self.service(family).map_or(&[], |service| &service.itr_map_resolvers)
    }

    /// Whether the router forwards packets from or to EIDs, and therefore needs `lisp0`.
    pub fn needs_tunnel(&self) -> bool {
        Family::BOTH.into_iter().any(|family| {
            let roles = self.roles(family);
            roles.itr || roles.etr || roles.proxy_itr || roles.proxy_etr
        })
    }

    /// The number of minutes for which other routers may cache a mapping of this router. The
    /// default is one day, as in IOS.
    pub fn etr_map_cache_ttl(&self, family: Family) -> u32 {
        let service = self.lisp.as_ref().map(|lisp| lisp.service(family));
        service.and_then(|service| service.etr_map_cache_ttl).unwrap_or(DEFAULT_TTL_MINUTES)
    }

    /// Whether the router accepts sessions of reliable transport: it is a map-server, and not a
    /// legacy map-server.
    pub fn listens_on_tcp(&self) -> bool {
        let mut services = self.lisp.iter().flat_map(|lisp| [&lisp.ipv4, &lisp.ipv6]);
        services.any(|service| service.map_server && !service.map_server_legacy)
    }

    /// The dynamic-EID ranges with their names and mappings, in the order of instance, name and
    /// prefix.
    pub fn dynamic_eids(&self) -> impl Iterator<Item = (&str, EidPrefix, &DatabaseMapping)> {
        self.lisp.iter().flat_map(|lisp| {
            lisp.eid_tables.iter().flat_map(|(&instance_id, table)| {
                table.dynamic_eids.iter().flat_map(move |(name, dynamic)| {
                    dynamic.database.iter().map(move |(&prefix, mapping)| {
                        (name.as_str(), EidPrefix::new(instance_id, prefix), mapping)
                    })
                })
            })
        })
    }

    /// Whether an address of an interface can be the gateway of roaming hosts. This is true if the
    /// address lies in a dynamic-EID range that `lisp mobility` names on the interface.
    pub fn is_roaming(&self, interface: &Interface, address: IpNet) -> bool {
        self.dynamic_eids().any(|(name, range, _)| {
            interface.lisp_mobility.contains(name) && range.prefix().contains(&address.addr())
        })
    }

    /// All addresses of all interfaces, each with its network.
    pub fn addresses(&self) -> impl Iterator<Item = (InterfaceName, IpNet)> {
        self.interfaces.iter().flat_map(|(&name, interface)| {
            interface.addresses.iter().map(move |&address| (name, address))
        })
    }

    /// The interface that has `address`.
    pub fn interface_of(&self, address: IpAddr) -> Option<InterfaceName> {
        self.addresses().find(|(_, net)| net.addr() == address).map(|(name, _)| name)
    }

    /// The primary address of `family` on an interface.
    pub fn interface_address(&self, name: &InterfaceName, family: Family) -> Option<IpAddr> {
        let addresses = &self.interfaces.get(name)?.addresses;
        addresses.iter().map(IpNet::addr).find(|&address| Family::of(address) == family)
    }

    /// The address of a configured locator. `None` if the locator names an interface that has no
    /// address of the family.
    pub fn resolve_locator(&self, source: &LocatorSource) -> Option<Rloc> {
        match source {
            LocatorSource::Address(rloc) => Some(*rloc),
            LocatorSource::Interface(family, name) => {
                self.interface_address(name, *family).map(Rloc)
            }
        }
    }

    /// The locators of a database mapping. The list is empty if the locator-set does not exist.
    pub fn mapping_locators<'a>(&'a self, mapping: &'a DatabaseMapping) -> &'a [ConfiguredLocator] {
        match mapping {
            DatabaseMapping::Inline(locators) => locators,
            DatabaseMapping::LocatorSet(name) => self
                .lisp
                .as_ref()
                .and_then(|lisp| lisp.locator_sets.get(name))
                .map_or(&[], Vec::as_slice),
        }
    }

    /// The local EID prefixes and their mappings, in the order of instance and prefix.
    pub fn database(&self) -> impl Iterator<Item = (EidPrefix, &DatabaseMapping)> {
        self.lisp.iter().flat_map(|lisp| {
            lisp.eid_tables.iter().flat_map(|(&instance_id, table)| {
                table
                    .database
                    .iter()
                    .map(move |(&prefix, mapping)| (EidPrefix::new(instance_id, prefix), mapping))
            })
        })
    }

    /// The mapping of a local EID prefix.
    pub fn mapping(&self, prefix: &EidPrefix) -> Option<&DatabaseMapping> {
        let table = self.lisp.as_ref()?.eid_tables.get(&prefix.instance_id())?;
        table.database.get(&prefix.prefix())
    }

    /// The locators that are configured in the database mappings themselves.
    pub fn inline_locators(&self) -> impl Iterator<Item = &ConfiguredLocator> {
        self.database().flat_map(|(_, mapping)| match mapping {
            DatabaseMapping::Inline(locators) => locators.as_slice(),
            DatabaseMapping::LocatorSet(_) => &[],
        })
    }

    /// The prefixes of `map-cache PREFIX map-request`, in the order of instance and prefix.
    pub fn static_map_cache(&self) -> impl Iterator<Item = EidPrefix> {
        self.lisp.iter().flat_map(|lisp| {
            lisp.eid_tables.iter().flat_map(|(&instance_id, table)| {
                table.map_requests.iter().map(move |&prefix| EidPrefix::new(instance_id, prefix))
            })
        })
    }

    /// The addresses at which this router sends and receives LISP packets. These are the configured
    /// locators and proxy-ITR locators that are addresses of its interfaces. If the router is a
    /// map-server or a map-resolver, or has no locator of this kind, all other addresses of its
    /// interfaces are added, except EIDs and link-local addresses.
    pub fn local_rlocs(&self) -> BTreeSet<Rloc> {
        let Some(lisp) = &self.lisp else {
            return BTreeSet::new();
        };
        let own: BTreeSet<IpAddr> = self.addresses().map(|(_, net)| net.addr()).collect();
        let sets = lisp.locator_sets.values().flatten();
        let inline = self.inline_locators();
        let proxy = Family::BOTH.into_iter().flat_map(|family| &lisp.service(family).proxy_itr);
        let mut rlocs: BTreeSet<Rloc> = sets
            .chain(inline)
            .filter_map(|locator| self.resolve_locator(&locator.source))
            .chain(proxy.copied())
            .filter(|rloc| own.contains(&rloc.0))
            .collect();
        let serves = Family::BOTH.into_iter().any(|family| {
            let roles = self.roles(family);
            roles.map_server || roles.map_resolver
        });
        if serves || rlocs.is_empty() {
            let is_eid = |address| self.is_local_eid(address) || self.is_dynamic_eid(address);
            let can = |address: &IpAddr| !is_eid(*address) && !is_link_local(*address);
            rlocs.extend(own.into_iter().filter(can).map(Rloc));
        }
        rlocs
    }

    /// Whether `address` lies in the prefix of a database mapping, in any instance of this router.
    pub fn is_local_eid(&self, address: IpAddr) -> bool {
        self.instances().any(|instance_id| {
            let all = Eid::new(instance_id, address).host_prefix();
            let lengths = 0..=all.mask_len();
            let around = lengths.filter_map(|length| IpNet::new(address, length).ok());
            around.map(|net| EidPrefix::new(instance_id, net)).any(|at| self.mapping(&at).is_some())
        })
    }

    /// Whether `address` lies in a dynamic-EID range, in any instance of this router.
    fn is_dynamic_eid(&self, address: IpAddr) -> bool {
        let mut eids = self.instances().map(|instance_id| Eid::new(instance_id, address));
        eids.any(|eid| self.dynamic_eids().any(|(_, range, _)| range.contains(eid)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_link_local_address_nor_a_roaming_gateway_is_an_rloc() {
        let mut config = Config::default();
        let addresses = ["203.0.113.11/24", "172.16.0.1/24", "2001:db8:a::1/64", "fe80::1/64"];
        let interface = Interface {
            addresses: addresses.map(|net| net.parse().unwrap()).to_vec(),
            ..Interface::default()
        };
        config.interfaces.insert("Ethernet1/0".parse().unwrap(), interface);
        let mut roam = DynamicEid::default();
        for range in ["172.16.0.0/24", "2001:db8:a::/64"] {
            roam.database.insert(range.parse().unwrap(), DatabaseMapping::Inline(Vec::new()));
        }
        let lisp = config.lisp.get_or_insert_default();
        let table = lisp.eid_tables.entry(InstanceId::DEFAULT).or_default();
        table.dynamic_eids.insert("ROAM".to_owned(), roam);
        lisp.ipv4.map_server = true;
        let expected = Rloc("203.0.113.11".parse().unwrap());
        assert_eq!(config.local_rlocs(), BTreeSet::from([expected]));
    }
}
