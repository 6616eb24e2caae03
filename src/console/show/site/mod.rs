//! `show lisp site`: the registrations at a map-server. The output has one line for each EID
//! prefix, or all details of each prefix.
//!
//! The output is sorted by site, then by configured prefix. After a configured prefix, the output
//! lists the more specific prefixes that are registered inside it.

mod text;

use std::ops::Bound;

use super::span::seconds;
use super::{ROWS_A_TURN, Rows, Table, locator_address};
use crate::addr::{Eid, EidPrefix, Family, InstanceId};
use crate::console::view::XtrId;
use crate::console::view::map_cache::LocatorState;
use crate::console::view::site::{HashFunction, Head, LocatorRow, RegistrationRow, Row};
use crate::router::Router;
use crate::router::config::NonceOrder;
use crate::router::map_server::{Registration, SiteEntry};
use crate::time::Time;
use crate::wire::Algorithm;

/// The sites to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All sites.
    All,
    /// The prefixes of this instance, in all sites.
    Instance(InstanceId),
    /// The prefixes of this instance and family, in all sites.
    Table(InstanceId, Family),
    /// The site with this name.
    Named(String),
    /// The most specific prefix that contains this EID.
    Eid(Eid),
    /// The most specific prefix that covers this prefix.
    Prefix(EidPrefix),
}

/// The registrations at a map-server.
#[derive(Debug)]
pub struct SiteTable {
    /// The sites to show.
    pub which: Which,
    /// Whether to print all details of each prefix.
    pub detail: bool,
    /// The position after which the output continues.
    at: Option<Cursor>,
    /// The site of the last printed row.
    printed: Option<String>,
}

/// The position after the last printed row.
#[derive(Clone, Debug)]
struct Cursor {
    site: String,
    configured: EidPrefix,
    /// The latest examined prefix inside `configured`. It is `None` if all prefixes inside
    /// `configured` were examined.
    inside: Option<EidPrefix>,
}

impl SiteTable {
    /// A table that starts at the first site.
    pub fn new(which: Which, detail: bool) -> Self {
        SiteTable { which, detail, at: None, printed: None }
    }

    fn one<'a>(&self, router: &'a Router) -> Option<(EidPrefix, &'a SiteEntry)> {
        let entries = router.map_server().entries();
        match &self.which {
            Which::Eid(eid) => entries.longest_match(*eid),
            Which::Prefix(prefix) => entries.covering(prefix).last(),
            Which::All | Which::Named(_) | Which::Instance(_) | Which::Table(..) => None,
        }
    }

    /// Whether the prefixes inside a configured prefix are shown.
    fn shows(&self, configured: &EidPrefix) -> bool {
        match self.which {
            Which::Instance(id) => configured.instance_id() == id,
            Which::Table(id, family) => {
                configured.instance_id() == id && configured.family() == family
            }
            Which::All | Which::Named(_) | Which::Eid(_) | Which::Prefix(_) => true,
        }
    }

    /// Returns the name of a site, and the next configured prefix of this site to print. If the
    /// output stopped inside this prefix, the last value is the prefix after which the output
    /// continues.
    fn next(&self, router: &Router) -> Option<(String, EidPrefix, Option<EidPrefix>)> {
        let sites = &router.config().lisp.as_ref()?.sites;
        let after = self.at.as_ref();
        if let Some(Cursor { site, configured, inside: Some(inside) }) = after {
            return Some((site.clone(), *configured, Some(*inside)));
        }
        if let Some(Cursor { site, configured, .. }) = after {
            let rest = (Bound::Excluded(configured), Bound::Unbounded);
            let prefixes = sites.get(site).map(|site| &site.eid_prefixes);
            let next = prefixes.and_then(|prefixes| {
                prefixes.range(rest).find(|(configured, _)| self.shows(configured))
            });
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
            .find_map(|(name, site)| {
                Some((name, site.eid_prefixes.keys().find(|configured| self.shows(configured))?))
            })
            .map(|(name, prefix)| (name.clone(), *prefix, None))
    }

    /// Adds the rows of one configured prefix to `rows`: the row of the prefix itself, and the rows
    /// of the more specific prefixes inside it. Examines at most `most` entries. Returns the number
    /// of examined entries.
    fn look(
        &mut self,
        router: &Router,
        now: Time,
        (site, configured, after): (String, EidPrefix, Option<EidPrefix>),
        most: usize,
        rows: &mut Vec<Row>,
    ) -> usize {
        let entries = router.map_server().entries();
        let mut looked = 0;
        let mut inside = None;
        if after.is_none() {
            looked += 1;
            match entries.get(&configured) {
                Some(entry) => rows.push(row(router, configured, entry, now)),
                None => rows.push(Row {
                    nonce_order: nonce_order(router, &site),
                    ..unregistered(&site, configured)
                }),
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
                rows.push(row(router, prefix, entry, now));
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
            Which::All | Which::Instance(_) | Which::Table(..) => false,
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
            Which::All | Which::Instance(_) | Which::Table(..) => String::new(),
        };
        if missing {
            return Err(message);
        }
        let entries = router.map_server().entries();
        let total = match self.which {
            Which::Instance(id) => Family::BOTH.map(|it| entries.len_of(id, it)).iter().sum(),
            Which::Table(id, family) => entries.len_of(id, family),
            Which::All | Which::Named(_) | Which::Eid(_) | Which::Prefix(_) => entries.len(),
        };
        Ok(Head { total })
    }

    fn rows(&mut self, router: &Router, now: Time) -> Rows<Row> {
        let mut rows = Vec::new();
        if matches!(self.which, Which::Eid(_) | Which::Prefix(_)) {
            rows.extend(self.one(router).map(|(prefix, entry)| row(router, prefix, entry, now)));
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
        text::head(self.detail)
    }

    /// Prints a row. For the first row of a site, the name of the site is printed above or beside
    /// the row.
    fn row_text(&mut self, row: &Row) -> String {
        let is_first = self.printed.as_ref() != Some(&row.site);
        if is_first {
            self.printed = Some(row.site.clone());
        }
        if self.detail {
            let requested = matches!(self.which, Which::Eid(_) | Which::Prefix(_));
            text::detail(row, is_first, requested)
        } else {
            text::brief(row, is_first)
        }
    }
}

fn row(router: &Router, prefix: EidPrefix, entry: &SiteEntry, now: Time) -> Row {
    let registrations = entry.registrations.iter();
    Row {
        site: entry.site.to_string(),
        instance_id: prefix.instance_id(),
        eid_prefix: prefix.prefix(),
        configured: entry.origin.is_none(),
        accept_more_specifics: entry.accept_more_specifics,
        more_specific_of: entry.origin.map(|origin| origin.prefix()),
        nonce_order: nonce_order(router, &entry.site),
        authentication_failures: entry.authentication_failures,
        replays: entry.replays,
        registrations: registrations
            .filter(|registration| registration.expires_at().is_none_or(|at| at > now))
            .map(|registration| registration_row(registration, now))
            .collect(),
    }
}

fn nonce_order(router: &Router, site: &str) -> NonceOrder {
    let lisp = router.config().lisp.as_ref();
    let site = lisp.and_then(|lisp| lisp.sites.get(site));
    site.map_or(NonceOrder::default(), |site| site.nonce_order)
}

/// The row for a configured prefix without an entry in the map-server.
fn unregistered(site: &str, prefix: EidPrefix) -> Row {
    Row {
        site: site.to_owned(),
        instance_id: prefix.instance_id(),
        eid_prefix: prefix.prefix(),
        configured: true,
        accept_more_specifics: false,
        more_specific_of: None,
        nonce_order: NonceOrder::default(),
        authentication_failures: 0,
        replays: 0,
        registrations: Vec::new(),
    }
}

fn registration_row(registration: &Registration, now: Time) -> RegistrationRow {
    let locators = registration.record.locators.iter().map(|locator| LocatorRow {
        rloc: locator_address(&locator.rloc),
        family: locator.ip().map(|rloc| rloc.family()),
        local: locator.local,
        state: match locator.ip() {
            None => LocatorState::Unusable,
            Some(_) if locator.reachable => LocatorState::Up,
            Some(_) => LocatorState::Down,
        },
        priority: locator.priority,
        weight: locator.weight,
    });
    RegistrationRow {
        etr: registration.source,
        etr_port: registration.source_port,
        first_registered: seconds(now.since(registration.first_registered_at)),
        last_registered: seconds(now.since(registration.last_registered_at)),
        ttl: seconds(registration.ttl()),
        proxy_reply: registration.proxy_reply,
        map_notify: registration.map_notify,
        hash_function: match registration.form.algorithm() {
            Algorithm::HmacSha1 => HashFunction::Sha1,
            Algorithm::HmacSha256 | Algorithm::HmacSha256Hkdf => HashFunction::Sha2,
        },
        nonce: registration.nonce.0,
        xtr_id: registration.identity.map(|identity| XtrId(identity.xtr_id)),
        site_id: registration.identity.map(|it| it.site_id).filter(|&id| id != 0),
        reliable: registration.session.is_some(),
        locators: locators.collect(),
    }
}
