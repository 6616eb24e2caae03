//! `lab new`: the files of a new lab, with comments in them.
//!
//! Site number 7 has the xTR `xTR7` with the RLOC 100.64.7.2, and the host `H7` with the EID
//! 172.16.7.10. Its second host is `H7_2` with 172.16.7.11. Site number 300 has 100.65.44.2 and
//! 172.17.44.10, because 300 is 1 * 256 + 44. The map-servers have the next numbers after the
//! sites, and then comes the proxy xTR. All of them are around the plain node `Core`, whose
//! addresses and routes `core = "auto"` chooses.

use std::fmt::Write;

/// The parts of a new lab.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The name of the lab.
    pub name: String,
    /// The number of LISP sites: 1 to [`Parts::MOST_SITES`].
    pub sites: u16,
    /// The number of hosts of each site: 1 to [`Parts::MOST_HOSTS`].
    pub hosts: u8,
    /// The number of routers that are both map-server and map-resolver: 1 to
    /// [`Parts::MOST_RESOLVERS`].
    pub resolvers: u8,
    /// Whether the lab has a proxy xTR with a host that is outside of LISP.
    pub proxy: bool,
    /// Whether the hosts and the core have IPv6 addresses too.
    pub ipv6: bool,
}

/// The shared key of all registrations.
const KEY: &str = "lab-key";

impl Parts {
    /// The largest number of sites. The EID prefixes of all sites are in 172.16.0.0/12.
    pub const MOST_SITES: u16 = 4000;
    /// The largest number of hosts of a site.
    pub const MOST_HOSTS: u8 = 100;
    /// The largest number of resolvers.
    pub const MOST_RESOLVERS: u8 = 8;

    /// Returns the files of the lab: the path of each in the directory of the lab, and its text.
    pub fn files(&self) -> Vec<(String, String)> {
        let mut files = vec![
            ("lab.toml".to_owned(), self.lab_file()),
            ("scenarios/reach.scenario".to_owned(), self.scenario()),
        ];
        files.extend((1..=self.sites).map(|site| (format!("xTR{site}.conf"), self.xtr(site))));
        let resolvers = 1..=self.resolvers;
        files.extend(resolvers.map(|it| (format!("{}.conf", self.resolver(it)), self.msmr(it))));
        files.extend(self.proxy.then(|| ("PxTR.conf".to_owned(), self.pxtr())));
        files
    }

    /// Returns the name of a resolver. A single resolver has no number.
    fn resolver(&self, number: u8) -> String {
        if self.resolvers == 1 { "MSMR".to_owned() } else { format!("MSMR{number}") }
    }

    /// Returns the number of the link of a resolver.
    fn resolver_link(&self, number: u8) -> u16 {
        self.sites + u16::from(number)
    }

    fn resolver_rlocs(&self) -> impl Iterator<Item = String> + '_ {
        (1..=self.resolvers).map(|number| rloc(self.resolver_link(number)))
    }

    /// Returns the number of the link of the proxy xTR.
    fn proxy_link(&self) -> u16 {
        self.resolver_link(self.resolvers) + 1
    }

    /// Returns the hosts of a site: the name of each host, and the last octet of its address.
    fn site_hosts(&self, site: u16) -> impl Iterator<Item = (String, u8)> {
        let name = move |number: u8| match number {
            1 => format!("H{site}"),
            _ => format!("H{site}_{number}"),
        };
        (1..=self.hosts).map(move |number| (name(number), 9 + number))
    }

    /// Returns the routers, each with the number of its link.
    fn routers(&self) -> impl Iterator<Item = (u16, String)> + '_ {
        let sites = (1..=self.sites).map(|site| format!("xTR{site}"));
        let resolvers = (1..=self.resolvers).map(|number| self.resolver(number));
        (1..).zip(sites.chain(resolvers).chain(self.proxy.then(|| "PxTR".to_owned())))
    }

    fn lab_file(&self) -> String {
        let Parts { name, sites, .. } = self;
        let mut text = format!(
            "# A LISP network to start from: {sites} site(s) around a core that has no route to an \
             EID.\n\
             #   eidway lab check {name}       checks the files\n\
             #   eidway lab show {name}        shows all addresses, also those that are not written here\n\
             #   eidway lab up {name}          brings the lab up; add --sim for the simulator\n\
             #   eidway lab pingall {name}     pings from each host to each other host\n\
             #   eidway lab run {name} reach   plays scenarios/reach.scenario in a lab of its own\n\
             name = \"{name}\"\n\
             title = \"A new lab with {sites} site(s)\"\n\n\
             # The program numbers the links of the core and computes the static routes, where the files\n\
             # have none. An address or a route that you write is kept.\n\
             core = \"auto\"\n\n\
             # A link is a cable between two ports. The interfaces of routers have the names of IOS.\n\
             links = [\n"
        );
        for (number, router) in self.routers() {
            line(
                &mut text,
                format_args!(
                    "  {{ endpoints = [\"{router}:Ethernet0/0\", \"Core:eth{number}\"] }},"
                ),
            );
        }
        text.push_str(
            "]\n\n# A LAN has any number of ports. Add hosts to a site here.\nlans = [\n",
        );
        for site in 1..=*sites {
            let hosts: String =
                self.site_hosts(site).map(|(name, _)| format!("\"{name}:eth0\", ")).collect();
            let ports = format!("[{hosts}\"xTR{site}:Ethernet1/0\"]");
            line(&mut text, format_args!("  {{ name = \"site{site}\", ports = {ports} }},"));
        }
        if self.proxy {
            text.push_str(
                "  { name = \"outside\", ports = [\"N:eth0\", \"PxTR:Ethernet1/0\"] },\n",
            );
        }
        text.push_str(
            "]\n\n[nodes]\n# A plain node forwards packets and knows nothing of LISP.\n\
             Core = { kind = \"node\" }\n\n\
             # The routers: their addresses and their LISP configuration are in the .conf files.\n",
        );
        for (_, router) in self.routers() {
            line(
                &mut text,
                format_args!("{router} = {{ kind = \"router\", config = \"{router}.conf\" }}"),
            );
        }
        self.hosts(&mut text);
        text
    }

    /// Adds the hosts to the lab file.
    fn hosts(&self, text: &mut String) {
        let both = |v4: String, v6: String| match self.ipv6 {
            true => format!("[\"{v4}\", \"{v6}\"]"),
            false => format!("[\"{v4}\"]"),
        };
        text.push_str("\n# The hosts.\n");
        let mut host = |name: &str, addresses: String, gateways: String| {
            let at = format!("addresses = {addresses}, gateways = {gateways}");
            line(text, format_args!("{name} = {{ kind = \"host\", {at} }}"));
        };
        for site in 1..=self.sites {
            for (name, last) in self.site_hosts(site) {
                let eids = (format!("{}/24", eid(site, last)), format!("{}/64", eid6(site, last)));
                host(&name, both(eids.0, eids.1), both(eid(site, 1), eid6(site, 1)));
            }
        }
        if self.proxy {
            let addresses = both("198.51.100.10/24".to_owned(), "2001:db8:f::10/64".to_owned());
            host("N", addresses, both("198.51.100.1".to_owned(), "2001:db8:f::1".to_owned()));
        }
    }

    fn scenario(&self) -> String {
        let mut text = String::from(
            "# Each host reaches the first host. The first packet waits for the mapping.\n\
             title \"all sites reach the first site\"\n\n",
        );
        let all = (1..=self.sites).flat_map(|site| self.site_hosts(site));
        let others = all.skip(1).map(|(name, _)| name);
        for host in others.chain(self.proxy.then(|| "N".to_owned())) {
            line(&mut text, format_args!("ping {host} H1 count 3 expect 3"));
            if self.ipv6 {
                line(&mut text, format_args!("ping {host} H1 ipv6 count 3 expect 3"));
            }
        }
        let (first, rloc) = (self.resolver(1), rloc(1));
        line(&mut text, format_args!("show {first} \"show lisp site\" contains \"{rloc}\""));
        text
    }

    /// Returns the beginning of a configuration: the name and the interface to the core.
    fn head(&self, name: &str, number: u16, about: &str) -> String {
        let address = rloc(number);
        let mut text = format!(
            "! {about}\nhostname {name}\n!\ninterface Ethernet0/0\n description to Core\n \
             ip address {address} 255.255.255.0\n"
        );
        if self.ipv6 {
            line(&mut text, format_args!(" ipv6 address 2001:db8:c:{number:x}::2/64"));
        }
        text.push_str("!\n");
        text
    }

    /// Adds an interface for the hosts on a LAN.
    fn lan(&self, text: &mut String, about: &str, address: &str, address6: &str) {
        line(text, format_args!("interface Ethernet1/0\n description {about}"));
        line(text, format_args!(" ip address {address} 255.255.255.0"));
        if self.ipv6 {
            line(text, format_args!(" ipv6 address {address6}/64"));
        }
        text.push_str("!\n");
    }

    /// Returns the families of the EIDs as IOS names them.
    fn families(&self) -> &'static [&'static str] {
        if self.ipv6 { &["ipv4", "ipv6"] } else { &["ipv4"] }
    }

    fn xtr(&self, site: u16) -> String {
        let own = rloc(site);
        let about =
            format!("Site {site}: ITR and ETR. The default route comes from core = \"auto\".");
        let mut text = self.head(&format!("xTR{site}"), site, &about);
        self.lan(&mut text, &format!("the LAN of site {site}"), &eid(site, 1), &eid6(site, 1));
        line(
            &mut text,
            format_args!("router lisp\n locator-set site\n  {own} priority 1 weight 100\n  exit"),
        );
        line(&mut text, format_args!(" !\n eid-table default instance-id 0"));
        let prefixes = self.prefixes(site);
        for prefix in prefixes {
            line(&mut text, format_args!("  database-mapping {prefix} locator-set site"));
        }
        text.push_str("  exit\n !\n");
        for family in self.families() {
            for resolver in self.resolver_rlocs() {
                line(&mut text, format_args!(" {family} itr map-resolver {resolver}"));
                line(&mut text, format_args!(" {family} etr map-server {resolver} key {KEY}"));
            }
            line(&mut text, format_args!(" {family} itr\n {family} etr"));
            if self.proxy {
                let proxy = rloc(self.proxy_link());
                line(&mut text, format_args!(" {family} use-petr {proxy}"));
            }
        }
        text.push_str(" exit\n!\nend\n");
        text
    }

    /// Returns the EID prefixes of a site.
    fn prefixes(&self, site: u16) -> Vec<String> {
        let mut prefixes = vec![format!("{}/24", eid(site, 0))];
        prefixes.extend(self.ipv6.then(|| format!("2001:db8:e:{site:x}::/64")));
        prefixes
    }

    fn msmr(&self, number: u8) -> String {
        let about = "Map-server and map-resolver: the sites register their prefixes here.";
        let mut text = self.head(&self.resolver(number), self.resolver_link(number), about);
        text.push_str("router lisp\n eid-table default instance-id 0\n  exit\n");
        for site in 1..=self.sites {
            line(&mut text, format_args!(" !\n site SITE_{site}\n  authentication-key {KEY}"));
            for prefix in self.prefixes(site) {
                line(&mut text, format_args!("  eid-prefix {prefix} accept-more-specifics"));
            }
            text.push_str("  exit\n");
        }
        text.push_str(" !\n");
        for family in self.families() {
            line(&mut text, format_args!(" {family} map-server\n {family} map-resolver"));
        }
        text.push_str(" exit\n!\nend\n");
        text
    }

    fn pxtr(&self) -> String {
        let about = "Proxy ITR and proxy ETR, between the sites and hosts without LISP.";
        let own = rloc(self.proxy_link());
        let mut text = self.head("PxTR", self.proxy_link(), about);
        self.lan(&mut text, "a network without LISP", "198.51.100.1", "2001:db8:f::1");
        text.push_str(
            "router lisp\n eid-table default instance-id 0\n  map-cache 172.16.0.0/12 map-request\n",
        );
        if self.ipv6 {
            text.push_str("  map-cache 2001:db8:e::/48 map-request\n");
        }
        text.push_str("  exit\n !\n");
        for family in self.families() {
            for resolver in self.resolver_rlocs() {
                line(&mut text, format_args!(" {family} itr map-resolver {resolver}"));
            }
            line(&mut text, format_args!(" {family} proxy-itr {own}\n {family} proxy-etr"));
        }
        text.push_str(" exit\n!\nend\n");
        text
    }
}

/// Adds a line to a text.
fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // A write into a `String` has no error.
    let _ = writeln!(text, "{line}");
}

/// Returns the RLOC of the router on the link with this number. `core = "auto"` would choose the
/// same RLOC.
fn rloc(number: u16) -> String {
    let [high, low] = number.to_be_bytes();
    format!("100.{}.{low}.2", 64 + high)
}

fn eid(site: u16, host: u8) -> String {
    let [high, low] = site.to_be_bytes();
    format!("172.{}.{low}.{host}", 16 + high)
}

fn eid6(site: u16, host: u8) -> String {
    format!("2001:db8:e:{site:x}::{host}")
}
