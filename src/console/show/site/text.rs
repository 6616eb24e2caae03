//! Prints the rows of `show lisp site` in the format of IOS.

use std::fmt::Write;
use std::net::IpAddr;

use super::super::columns::Columns;
use crate::console::show::span::{span, span_or_never};
use crate::console::show::{column, endpoint, locator_state};
use crate::console::view::map_cache::LocatorState;
use crate::console::view::site::{HashFunction, LocatorRow, RegistrationRow, Row};
use crate::router::config::NonceOrder;

/// The text above the rows.
pub(super) fn head(detail: bool) -> String {
    if detail {
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

fn latest(row: &Row) -> Option<&RegistrationRow> {
    row.registrations.iter().min_by_key(|registration| registration.last_registered)
}

fn some_locator_is_down(row: &Row) -> bool {
    let mut locators = row.registrations.iter().flat_map(|r| &r.locators);
    locators.any(|locator| locator.state == LocatorState::Down)
}

fn line([site, last, up, who, instance]: [&str; 5], prefix: &str) -> String {
    Columns::of([15, 10, 7, 21, 9, 0]).line([site, last, up, who, instance, prefix])
}

/// Prints one line for a prefix. `is_first` is true if the prefix is the first of its site.
pub(super) fn brief(row: &Row, is_first: bool) -> String {
    let site = if is_first { row.site.as_str() } else { "" };
    let latest = latest(row);
    let last = span_or_never(latest.map(|latest| latest.last_registered));
    let mut up = if latest.is_some() { "yes" } else { "no" }.to_owned();
    if some_locator_is_down(row) {
        up.push('*');
    }
    if row.registrations.iter().any(|registration| registration.reliable) {
        up.push('#');
    }
    let who = latest.map_or_else(|| "--".to_owned(), |it| endpoint(it.etr, it.etr_port));
    let instance = row.instance_id.to_string();
    let prefix = row.eid_prefix.to_string();
    line([site, &last, &up, &who, &instance], &prefix)
}

/// Prints all details of a prefix. `is_first` is true if the prefix is the first of its site.
/// `requested` is true if the user asked for this prefix only.
pub(super) fn detail(row: &Row, is_first: bool, requested: bool) -> String {
    let mut text = String::new();
    if is_first {
        let site = &row.site;
        let prefixes = if requested { "Requested EID-prefix:" } else { "Allowed EID-prefixes:" };
        let order = match row.nonce_order {
            NonceOrder::Id => "xTR-ID",
            NonceOrder::Strict => "strict",
            NonceOrder::None => "none",
        };
        let _ = writeln!(
            text,
            "Site name: {site}\nAllowed configured locators: any\nOrder of nonces: {order}\n\
             {prefixes}\n"
        );
    }
    let _ = write!(text, "  EID-prefix: {} instance-id {}", row.eid_prefix, row.instance_id);
    let latest = latest(row);
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
        ("Skip Publication:", "No".to_owned()),
        ("Force Withdraw:", "No".to_owned()),
        ("TTL:", span(latest.map_or(0, |latest| latest.ttl))),
        ("State:", if latest.is_some() { "complete" } else { "unknown" }.to_owned()),
        ("Extranet IID:", "Unspecified".to_owned()),
    ] {
        text += &Columns::of([4, 22, 0]).line(["", label, value.as_str()]);
    }
    let Row { authentication_failures: failures, replays, .. } = row;
    let _ = writeln!(
        text,
        "    Registration errors:\n      Authentication failures:   {failures}\n      \
         Allowed locators mismatch: 0\n      Replayed registers:        {replays}"
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
    let etr = endpoint(registration.etr, registration.etr_port);
    // The address of an IPv6 ETR takes a whole line.
    let (who, indent) = match registration.etr {
        IpAddr::V4(_) => (format!("    ETR {etr}, "), etr.len() + 10),
        IpAddr::V6(_) => (format!("    ETR {etr}\n      "), 6),
    };
    let (high, low) = ((registration.nonce >> 32) as u32, registration.nonce as u32);
    let unspecified = || "unspecified".to_owned();
    let lines = [
        format!(
            "TTL {}, no merge, hash-function {}, nonce 0x{high:08X}-0x{low:08X}",
            span(registration.ttl),
            hash_function(registration.hash_function)
        ),
        "state complete, no security-capability".to_owned(),
        format!("xTR-ID {}", registration.xtr_id.map_or_else(unspecified, |id| id.to_string())),
        format!("site-ID {}", registration.site_id.map_or_else(unspecified, |id| id.to_string())),
        "Domain-ID local".to_owned(),
        "Multihoming-ID unspecified".to_owned(),
    ];
    let last = span(registration.last_registered);
    let proxy = not(registration.proxy_reply);
    let notify = not(registration.map_notify);
    let _ = writeln!(text, "{who}last registered {last}, {proxy}proxy-reply, {notify}map-notify");
    let reliable = registration.reliable.then(|| "sourced by reliable transport".to_owned());
    for line in lines.into_iter().chain(reliable) {
        *text += &Columns::of([indent, 0]).line(["", &line]);
    }
    let cells = registration.locators.iter().map(|locator| locator.rloc.to_string().len());
    let width = column("Locator", cells);
    let columns = Columns::of([6, width, 7, 11, 9, 0]);
    *text += &columns.line(["", "Locator", "Local", "State", "Pri/Wgt", "Scope"]);
    for locator in &registration.locators {
        let local = if locator.local { "yes" } else { "no" };
        let LocatorRow { rloc, state, priority, weight, .. } = locator;
        let (rloc, state) = (rloc.to_string(), locator_state(*state));
        let family = locator.family.map_or_else(|| "other".to_owned(), |it| it.to_string());
        let weights = format!("{priority:3}/{weight}");
        *text += &columns.line(["", &rloc, local, state, &weights, &format!("{family} none")]);
    }
}

fn hash_function(hash: HashFunction) -> &'static str {
    match hash {
        HashFunction::Sha1 => "sha1",
        HashFunction::Sha2 => "sha2",
    }
}

#[cfg(test)]
mod tests {
    use super::super::unregistered;
    use super::*;
    use crate::addr::{EidPrefix, Family, InstanceId};
    use crate::console::view::{LocatorAddress, XtrId};

    fn registration(etr: &str, ago: u64) -> RegistrationRow {
        RegistrationRow {
            etr: etr.parse().unwrap(),
            etr_port: 33_079,
            first_registered: ago,
            last_registered: ago,
            ttl: 86_400,
            proxy_reply: true,
            map_notify: true,
            hash_function: HashFunction::Sha1,
            nonce: 0xdce8_21bb_67f7_585f,
            xtr_id: Some(XtrId(0x87ad_3e6a_8c42_cb2e_19a5_df04_bf72_c9d8)),
            site_id: None,
            reliable: false,
            locators: vec![LocatorRow {
                rloc: LocatorAddress::Ip("11.11.11.11".parse().unwrap()),
                family: Some(Family::Ipv4),
                local: true,
                state: LocatorState::Up,
                priority: 10,
                weight: 10,
            }],
        }
    }

    fn entry(prefix: &str, instance: u32) -> Row {
        let id = InstanceId::new(instance).unwrap();
        unregistered("Shire", EidPrefix::new(id, prefix.parse().unwrap()))
    }

    #[test]
    fn a_line_a_prefix_and_the_site_s_name_once() {
        let first = entry("1.1.1.0/24", 0);
        let mut second = entry("192.168.1.71/32", 4100);
        second.registrations = vec![registration("11.11.11.11", 132)];
        let mut down = second.clone();
        down.registrations[0].locators[0].state = LocatorState::Down;
        let mut text = head(false);
        let mut reliable = second.clone();
        reliable.registrations[0].reliable = true;
        for (number, row) in [first, second, down, reliable].iter().enumerate() {
            text += &brief(row, number == 0);
        }
        let expected = "\
LISP Site Registration Information
* = Some locators are down or unreachable
# = Some registrations are sourced by reliable transport

Site Name      Last      Up     Who Last             Inst     EID Prefix
               Register         Registered           ID
Shire          never     no     --                   0        1.1.1.0/24
               00:02:12  yes    11.11.11.11:33079    4100     192.168.1.71/32
               00:02:12  yes*   11.11.11.11:33079    4100     192.168.1.71/32
               00:02:12  yes#   11.11.11.11:33079    4100     192.168.1.71/32
";
        assert_eq!(text, expected);
    }

    #[test]
    fn detail_says_who_registered_what() {
        let mut row = entry("192.168.1.71/32", 4100);
        row.configured = false;
        row.replays = 2;
        row.more_specific_of = Some("192.168.1.0/24".parse().unwrap());
        row.registrations = vec![registration("11.11.11.11", 18 * 86_400)];
        row.registrations[0].reliable = true;
        row.registrations[0].etr_port = 65_042;
        let expected = "\
Site name: Shire
Allowed configured locators: any
Order of nonces: xTR-ID
Requested EID-prefix:

  EID-prefix: 192.168.1.71/32 instance-id 4100
    First registered:     2w4d
    Last registered:      2w4d
    Routing table tag:    0
    Origin:               Dynamic, more specific of 192.168.1.0/24
    Merge active:         No
    Proxy reply:          Yes
    Skip Publication:     No
    Force Withdraw:       No
    TTL:                  1d00h
    State:                complete
    Extranet IID:         Unspecified
    Registration errors:
      Authentication failures:   0
      Allowed locators mismatch: 0
      Replayed registers:        2
    ETR 11.11.11.11:65042, last registered 2w4d, proxy-reply, map-notify
                           TTL 1d00h, no merge, hash-function sha1, nonce 0xDCE821BB-0x67F7585F
                           state complete, no security-capability
                           xTR-ID 0x87AD3E6A-0x8C42CB2E-0x19A5DF04-0xBF72C9D8
                           site-ID unspecified
                           Domain-ID local
                           Multihoming-ID unspecified
                           sourced by reliable transport
      Locator      Local  State      Pri/Wgt  Scope
      11.11.11.11  yes    up          10/10   IPv4 none

";
        assert_eq!(detail(&row, true, true), expected);
    }

    #[test]
    fn an_etr_with_an_ipv6_address_has_a_line_of_its_own() {
        let mut row = entry("192.168.1.71/32", 4100);
        row.registrations = vec![registration("2001:db8::1", 132)];
        let text = detail(&row, true, true);
        let lines = "
    ETR 2001:db8::1.33079
      last registered 00:02:12, proxy-reply, map-notify
      TTL 1d00h, no merge, hash-function sha1, nonce 0xDCE821BB-0x67F7585F
";
        assert!(text.contains(lines), "{text}");
        assert!(brief(&row, true).contains("yes    2001:db8::1.33079    4100"));
    }
}
