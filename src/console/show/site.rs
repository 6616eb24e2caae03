//! `show lisp site`: the registrations of a map-server, a line an EID prefix or in detail.
//!
//! The output goes by site and then by configured prefix, each followed by the more specifics that
//! were registered inside it.

use std::fmt::Write;
use std::net::IpAddr;
use std::ops::Bound;

use ipnet::IpNet;
use serde::Serialize;

use super::lisp::words;
use super::span::{seconds, span, span_or_never};
use super::{ROWS_A_TURN, Rows, Table, column};
use crate::addr::{Eid, EidPrefix, InstanceId};
use crate::router::Router;
use crate::router::map_server::{Registration, SiteEntry};
use crate::time::Time;
use crate::wire::Algorithm;

/// What stands above the rows.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    /// How many EID prefixes all sites have, configured or registered.
    pub total: usize,
}

/// An EID prefix of a site.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The site.
    pub site: String,
    /// It is the first row of its site.
    #[serde(skip)]
    pub first: bool,
    /// The instance.
    pub instance_id: InstanceId,
    /// The prefix.
    pub eid_prefix: IpNet,
    /// It stands in the configuration.
    pub configured: bool,
    /// It takes registrations of longer prefixes.
    pub accept_more_specifics: bool,
    /// The configured prefix that it is a more specific of.
    pub more_specific_of: Option<IpNet>,
    /// Registers with wrong authentication.
    pub authentication_failures: u64,
    /// Those that have not lapsed; none when the prefix is not up.
    pub registrations: Vec<RegistrationRow>,
}

/// What one xTR registered.
#[derive(Clone, Debug, Serialize)]
pub struct RegistrationRow {
    /// The RLOC that it came from.
    pub etr: IpAddr,
    /// Seconds.
    pub first_registered: u64,
    /// Seconds.
    pub last_registered: u64,
    /// Seconds that ITRs may keep it.
    pub ttl: u64,
    /// The map-server replies itself.
    pub proxy_reply: bool,
    /// A Map-Notify is wanted.
    pub map_notify: bool,
    /// `sha1` or `sha2`.
    pub hash_function: &'static str,
    /// Of the last register.
    pub nonce: u64,
    /// 128 bits in hexadecimal.
    pub xtr_id: String,
    /// 64 bits, when it said.
    pub site_id: Option<u64>,
    /// It came by TCP.
    pub reliable: bool,
    /// In the order of the record.
    pub locators: Vec<LocatorRow>,
}

/// A registered locator.
#[derive(Clone, Debug, Serialize)]
pub struct LocatorRow {
    /// Its address.
    pub rloc: IpAddr,
    /// It is the registering ETR's own.
    pub local: bool,
    /// `up` or `down`.
    pub state: &'static str,
    /// Lower is preferred.
    pub priority: u8,
    /// Share of the traffic.
    pub weight: u8,
}

/// Which sites to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// The one of this name.
    Named(String),
    /// The prefix that holds this EID.
    Eid(Eid),
    /// The longest prefix that covers this.
    Prefix(EidPrefix),
}

/// The registrations of a map-server.
#[derive(Debug)]
pub struct SiteTable {
    /// Which sites.
    pub which: Which,
    /// All that is known of each prefix.
    pub detail: bool,
    /// Where to go on.
    at: Option<Cursor>,
}

/// The row that was printed last.
#[derive(Clone, Debug)]
struct Cursor {
    site: String,
    configured: EidPrefix,
    /// The last prefix inside `configured` that was looked at; `None` when all were.
    inside: Option<EidPrefix>,
}

impl SiteTable {
    /// From the first site.
    pub fn new(which: Which, detail: bool) -> Self {
        SiteTable { which, detail, at: None }
    }

    fn one<'a>(&self, router: &'a Router) -> Option<(EidPrefix, &'a SiteEntry)> {
        let entries = router.map_server().entries();
        match &self.which {
            Which::Eid(eid) => entries.longest_match(*eid),
            Which::Prefix(prefix) => entries.covering(prefix).last(),
            Which::All | Which::Named(_) => None,
        }
    }

    /// The configured prefix to go on with, and the prefix inside it after which to go on.
    fn next(&self, router: &Router) -> Option<(String, EidPrefix, Option<EidPrefix>)> {
        let sites = &router.config().lisp.as_ref()?.sites;
        let after = self.at.as_ref();
        if let Some(Cursor { site, configured, inside: Some(inside) }) = after {
            return Some((site.clone(), *configured, Some(*inside)));
        }
        if let Some(Cursor { site, configured, .. }) = after {
            let rest = (Bound::Excluded(configured), Bound::Unbounded);
            let prefixes = sites.get(site).map(|site| &site.eid_prefixes);
            let next = prefixes.and_then(|prefixes| prefixes.range(rest).next());
            if let Some((prefix, _)) = next {
                return Some((site.clone(), *prefix, None));
            }
        }
        let sites = sites.range::<str, _>((
            after.map_or(Bound::Unbounded, |cursor| Bound::Excluded(cursor.site.as_str())),
            Bound::Unbounded,
        ));
        sites
            .filter(|(name, _)| !matches!(&self.which, Which::Named(only) if only != *name))
            .find_map(|(name, site)| Some((name, site.eid_prefixes.keys().next()?)))
            .map(|(name, prefix)| (name.clone(), *prefix, None))
    }

    /// Looks at up to `most` entries inside one configured prefix.
    fn look(
        &mut self,
        router: &Router,
        now: Time,
        (site, configured, after): (String, EidPrefix, Option<EidPrefix>),
        most: usize,
        rows: &mut Vec<Row>,
    ) -> usize {
        let entries = router.map_server().entries();
        let first = self.at.as_ref().is_none_or(|cursor| cursor.site != site);
        let mut looked = 0;
        let mut inside = None;
        if after.is_none() {
            looked += 1;
            match entries.get(&configured) {
                Some(entry) => rows.push(row(configured, entry, first, now)),
                None => rows.push(unregistered(&site, configured, first)),
            }
        }
        let from = after.unwrap_or(configured);
        let (id, family) = (configured.instance_id(), configured.family());
        for (prefix, entry) in entries
            .iter_after(id, family, Some(from))
            .take_while(|(prefix, _)| configured.covers(prefix))
        {
            looked += 1;
            if entry.origin == Some(configured) {
                rows.push(row(prefix, entry, false, now));
            }
            if looked >= most {
                inside = Some(prefix);
                break;
            }
        }
        self.at = Some(Cursor { site, configured, inside });
        looked
    }
}

impl Table for SiteTable {
    type Head = Head;
    type Row = Row;

    fn head(&self, router: &Router, _: Time) -> Result<Head, String> {
        let missing = match &self.which {
            Which::All => false,
            Which::Named(name) => {
                let lisp = router.config().lisp.as_ref();
                !lisp.is_some_and(|lisp| lisp.sites.contains_key(name))
            }
            Which::Eid(_) | Which::Prefix(_) => self.one(router).is_none(),
        };
        let message = match &self.which {
            Which::Named(name) => format!("Could not find site {name}."),
            Which::Eid(eid) => {
                let id = eid.instance_id;
                format!("Could not find instance-id {id} EID {eid} in site database.")
            }
            Which::Prefix(prefix) => {
                let id = prefix.instance_id();
                format!("Could not find instance-id {id} EID {prefix} in site database.")
            }
            Which::All => String::new(),
        };
        if missing {
            return Err(message);
        }
        Ok(Head { total: router.map_server().entries().len() })
    }

    fn rows(&mut self, router: &Router, now: Time) -> Rows<Row> {
        let mut rows = Vec::new();
        if matches!(self.which, Which::Eid(_) | Which::Prefix(_)) {
            rows.extend(self.one(router).map(|(prefix, entry)| row(prefix, entry, true, now)));
            return Rows { rows, finished: true };
        }
        let mut left = ROWS_A_TURN;
        while left > 0 {
            let Some(next) = self.next(router) else {
                return Rows { rows, finished: true };
            };
            let looked = self.look(router, now, next, left, &mut rows);
            left = left.saturating_sub(looked.max(1));
        }
        Rows { rows, finished: false }
    }

    fn head_text(&self, _: &Head) -> String {
        if self.detail {
            return "LISP Site Registration Information\n\n".to_owned();
        }
        format!(
            "LISP Site Registration Information\n\
             * = Some locators are down or unreachable\n\
             # = Some registrations are sourced by reliable transport\n\n{}{}",
            line(["Site Name", "Last", "Up", "Who Last", "Inst"], "EID Prefix"),
            line(["", "Register", "", "Registered", "ID"], ""),
        )
    }

    fn row_text(&self, row: &Row) -> String {
        if self.detail {
            let requested = matches!(self.which, Which::Eid(_) | Which::Prefix(_));
            detail_text(row, requested)
        } else {
            brief_text(row)
        }
    }
}

fn row(prefix: EidPrefix, entry: &SiteEntry, first: bool, now: Time) -> Row {
    let registrations = entry.registrations.values();
    Row {
        site: entry.site.clone(),
        first,
        instance_id: prefix.instance_id(),
        eid_prefix: prefix.prefix(),
        configured: entry.origin.is_none(),
        accept_more_specifics: entry.accept_more_specifics,
        more_specific_of: entry.origin.map(|origin| origin.prefix()),
        authentication_failures: entry.authentication_failures,
        registrations: registrations
            .filter(|registration| registration.expires_at().is_none_or(|at| at > now))
            .map(|registration| registration_row(registration, now))
            .collect(),
    }
}

/// A prefix that the map-server has not taken in.
fn unregistered(site: &str, prefix: EidPrefix, first: bool) -> Row {
    Row {
        site: site.to_owned(),
        first,
        instance_id: prefix.instance_id(),
        eid_prefix: prefix.prefix(),
        configured: true,
        accept_more_specifics: false,
        more_specific_of: None,
        authentication_failures: 0,
        registrations: Vec::new(),
    }
}

fn registration_row(registration: &Registration, now: Time) -> RegistrationRow {
    let locators = registration.record.locators.iter().filter_map(|locator| {
        Some(LocatorRow {
            rloc: locator.ip()?.0,
            local: locator.local,
            state: if locator.reachable { "up" } else { "down" },
            priority: locator.priority,
            weight: locator.weight,
        })
    });
    RegistrationRow {
        etr: registration.source,
        first_registered: seconds(now.since(registration.first_registered_at)),
        last_registered: seconds(now.since(registration.last_registered_at)),
        ttl: seconds(registration.ttl()),
        proxy_reply: registration.proxy_reply,
        map_notify: registration.map_notify,
        hash_function: match registration.algorithm {
            Algorithm::HmacSha1 => "sha1",
            Algorithm::HmacSha256 | Algorithm::HmacSha256Hkdf => "sha2",
        },
        nonce: registration.nonce.0,
        xtr_id: words(registration.xtr_id),
        site_id: (registration.site_id != 0).then_some(registration.site_id),
        reliable: registration.session.is_some(),
        locators: locators.collect(),
    }
}

impl Row {
    fn latest(&self) -> Option<&RegistrationRow> {
        self.registrations.iter().min_by_key(|registration| registration.last_registered)
    }

    fn some_locator_is_down(&self) -> bool {
        let mut locators = self.registrations.iter().flat_map(|r| &r.locators);
        locators.any(|locator| locator.state == "down")
    }
}

fn line([site, last, up, who, instance]: [&str; 5], prefix: &str) -> String {
    let line = format!("{site:15}{last:10}{up:7}{who:21}{instance:9}{prefix}");
    format!("{}\n", line.trim_end())
}

fn brief_text(row: &Row) -> String {
    let site = if row.first { row.site.as_str() } else { "" };
    let latest = row.latest();
    let last = span_or_never(latest.map(|latest| latest.last_registered));
    let mut up = if latest.is_some() { "yes" } else { "no" }.to_owned();
    if row.some_locator_is_down() {
        up.push('*');
    }
    if row.registrations.iter().any(|registration| registration.reliable) {
        up.push('#');
    }
    let who = latest.map_or_else(|| "--".to_owned(), |latest| latest.etr.to_string());
    let instance = row.instance_id.to_string();
    let prefix = row.eid_prefix.to_string();
    line([site, &last, &up, &who, &instance], &prefix)
}

fn detail_text(row: &Row, requested: bool) -> String {
    let mut text = String::new();
    if row.first {
        let site = &row.site;
        let prefixes = if requested { "Requested EID-prefix:" } else { "Allowed EID-prefixes:" };
        let _ = writeln!(text, "Site name: {site}\nAllowed configured locators: any\n{prefixes}\n");
    }
    let _ = write!(text, "  EID-prefix: {}", row.eid_prefix);
    if row.instance_id != InstanceId::DEFAULT {
        let _ = write!(text, " instance-id {}", row.instance_id);
    }
    let latest = row.latest();
    let first = row.registrations.iter().map(|r| r.first_registered).max();
    let last = latest.map(|latest| latest.last_registered);
    let origin = match (row.more_specific_of, row.accept_more_specifics) {
        (Some(prefix), _) => format!("Dynamic, more specific of {prefix}"),
        (None, true) => "Configuration, accepting more specifics".to_owned(),
        (None, false) => "Configuration".to_owned(),
    };
    let proxy = row.registrations.iter().any(|registration| registration.proxy_reply);
    let merged = row.registrations.len() > 1;
    let yes = |is: bool| if is { "Yes" } else { "No" };
    text.push('\n');
    for (label, value) in [
        ("First registered:", span_or_never(first)),
        ("Last registered:", span_or_never(last)),
        ("Routing table tag:", "0".to_owned()),
        ("Origin:", origin),
        ("Merge active:", yes(merged).to_owned()),
        ("Proxy reply:", yes(proxy).to_owned()),
        ("TTL:", span(latest.map_or(0, |latest| latest.ttl))),
        ("State:", if latest.is_some() { "complete" } else { "unknown" }.to_owned()),
    ] {
        let _ = writeln!(text, "    {label:22}{value}");
    }
    let failures = row.authentication_failures;
    let _ = writeln!(
        text,
        "    Registration errors:\n      Authentication failures:   {failures}\n      \
         Allowed locators mismatch: 0"
    );
    if row.registrations.is_empty() {
        text += "    No registrations.\n";
    }
    for registration in &row.registrations {
        registration_text(&mut text, registration);
    }
    text.push('\n');
    text
}

fn registration_text(text: &mut String, registration: &RegistrationRow) {
    let not = |is: bool| if is { "" } else { "no " };
    let who = format!("    ETR {}, ", registration.etr);
    let indent = who.len();
    let (high, low) = ((registration.nonce >> 32) as u32, registration.nonce as u32);
    let unspecified = || "unspecified".to_owned();
    let lines = [
        format!(
            "TTL {}, no merge, hash-function {}, nonce 0x{high:08X}-0x{low:08X}",
            span(registration.ttl),
            registration.hash_function
        ),
        "state complete, no security-capability".to_owned(),
        format!("xTR-ID {}", registration.xtr_id),
        format!("site-ID {}", registration.site_id.map_or_else(unspecified, |id| id.to_string())),
    ];
    let last = span(registration.last_registered);
    let proxy = not(registration.proxy_reply);
    let notify = not(registration.map_notify);
    let _ = writeln!(text, "{who}last registered {last}, {proxy}proxy-reply, {notify}map-notify");
    let reliable = registration.reliable.then(|| "sourced by reliable transport".to_owned());
    for line in lines.into_iter().chain(reliable) {
        let _ = writeln!(text, "{:indent$}{line}", "");
    }
    let cells = registration.locators.iter().map(|locator| locator.rloc.to_string().len());
    let width = column("Locator", cells);
    let _ =
        writeln!(text, "      {:width$}{:7}{:11}{:9}Scope", "Locator", "Local", "State", "Pri/Wgt");
    for locator in &registration.locators {
        let rloc = locator.rloc.to_string();
        let local = if locator.local { "yes" } else { "no" };
        let LocatorRow { state, priority, weight, .. } = locator;
        let family = crate::addr::Family::of(locator.rloc);
        let _ = writeln!(
            text,
            "      {rloc:width$}{local:7}{state:11}{priority:3}/{weight:<5}{family} none"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(etr: &str, ago: u64) -> RegistrationRow {
        RegistrationRow {
            etr: etr.parse().unwrap(),
            first_registered: ago,
            last_registered: ago,
            ttl: 86_400,
            proxy_reply: true,
            map_notify: true,
            hash_function: "sha1",
            nonce: 0xdce8_21bb_67f7_585f,
            xtr_id: words(0x87ad_3e6a_8c42_cb2e_19a5_df04_bf72_c9d8),
            site_id: None,
            reliable: false,
            locators: vec![LocatorRow {
                rloc: "11.11.11.11".parse().unwrap(),
                local: true,
                state: "up",
                priority: 10,
                weight: 10,
            }],
        }
    }

    fn entry(prefix: &str, instance: u32) -> Row {
        let id = InstanceId::new(instance).unwrap();
        unregistered("Shire", EidPrefix::new(id, prefix.parse().unwrap()), false)
    }

    #[test]
    fn a_line_a_prefix_and_the_site_s_name_once() {
        let table = SiteTable::new(Which::All, false);
        let mut first = entry("1.1.1.0/24", 0);
        first.first = true;
        let mut second = entry("192.168.1.71/32", 4100);
        second.registrations = vec![registration("11.11.11.11", 132)];
        let mut down = second.clone();
        down.registrations[0].locators[0].state = "down";
        let mut text = table.head_text(&Head { total: 3 });
        let mut reliable = second.clone();
        reliable.registrations[0].reliable = true;
        for row in [first, second, down, reliable] {
            text += &table.row_text(&row);
        }
        let expected = "\
LISP Site Registration Information
* = Some locators are down or unreachable
# = Some registrations are sourced by reliable transport

Site Name      Last      Up     Who Last             Inst     EID Prefix
               Register         Registered           ID
Shire          never     no     --                   0        1.1.1.0/24
               00:02:12  yes    11.11.11.11          4100     192.168.1.71/32
               00:02:12  yes*   11.11.11.11          4100     192.168.1.71/32
               00:02:12  yes#   11.11.11.11          4100     192.168.1.71/32
";
        assert_eq!(text, expected);
    }

    #[test]
    fn detail_says_who_registered_what() {
        let mut row = entry("192.168.1.71/32", 4100);
        row.first = true;
        row.configured = false;
        row.more_specific_of = Some("192.168.1.0/24".parse().unwrap());
        row.registrations = vec![registration("11.11.11.11", 18 * 86_400)];
        row.registrations[0].reliable = true;
        let expected = "\
Site name: Shire
Allowed configured locators: any
Requested EID-prefix:

  EID-prefix: 192.168.1.71/32 instance-id 4100
    First registered:     2w4d
    Last registered:      2w4d
    Routing table tag:    0
    Origin:               Dynamic, more specific of 192.168.1.0/24
    Merge active:         No
    Proxy reply:          Yes
    TTL:                  1d00h
    State:                complete
    Registration errors:
      Authentication failures:   0
      Allowed locators mismatch: 0
    ETR 11.11.11.11, last registered 2w4d, proxy-reply, map-notify
                     TTL 1d00h, no merge, hash-function sha1, nonce 0xDCE821BB-0x67F7585F
                     state complete, no security-capability
                     xTR-ID 0x87AD3E6A-0x8C42CB2E-0x19A5DF04-0xBF72C9D8
                     site-ID unspecified
                     sourced by reliable transport
      Locator      Local  State      Pri/Wgt  Scope
      11.11.11.11  yes    up          10/10   IPv4 none

";
        assert_eq!(detail_text(&row, true), expected);
    }
}
