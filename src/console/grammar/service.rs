//! The roles of this router for a family of EIDs, and the peers for these roles. The commands begin
//! with `ipv4` or `ipv6` in `router lisp`. In a `service` block of newer IOS versions, the commands
//! do not name the family. A router has one instance, so the services in this instance are the
//! services of the router.

use std::net::IpAddr;

use super::context::{Context, Mode};
use super::key::{HELP, key};
use super::lisp::{configured_locator, instance_id, put_locator, rloc};
use super::row::{No, Row, edit};
use crate::addr::Family;
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;
use crate::router::config::{EtrMapServer, LocatorSource, Service};

/// The first word of the commands in [`ROWS`], if they stand in `router lisp`.
pub(super) const FAMILY: &str = "{ipv4|ipv6}";
/// The help texts for the words of [`FAMILY`].
pub(super) const FAMILY_HELP: &[&str] = &["IPv4 EIDs", "IPv6 EIDs"];

const HERE: &[Mode] = &[Mode::Service, Mode::InstanceService];
/// The modes in which a command of [`ROWS`] begins with a word of [`FAMILY`].
pub(super) const AROUND: &[Mode] = &[Mode::Lisp, Mode::EidTable, Mode::Instance];
const ITR: &str = "Configure an Ingress Tunnel Router (ITR)";
const PROXY_REPLY: &str = "Ask the map-server to answer map-requests for the ETR";
const DOMAIN_ID: [&str; 2] = ["Domain of the address (no effect)", "Domain-ID"];
const ETR: &str = "Configure an Egress Tunnel Router (ETR)";

pub(super) const ROWS: &[Row] = &[
    edit(HERE, "itr", &[ITR], No::After(1), itr),
    edit(
        HERE,
        "itr map-resolver <address:address> [domain-id <domain:0-4294967295>]",
        &[
            ITR,
            "Map-resolver to send map-requests to",
            "Map-resolver locator address",
            DOMAIN_ID[0],
            DOMAIN_ID[1],
        ],
        No::After(3),
        itr_map_resolver,
    ),
    edit(HERE, "etr", &[ETR], No::After(1), etr),
    edit(
        HERE,
        "etr map-server <address:address> {key [0|6|7] <key:word> [hash-function {sha1|sha2}] \
         [domain-id <domain:0-4294967295>] [proxy-reply]|proxy-reply}",
        &[
            ETR,
            "Map-server to register with",
            "Map-server locator address",
            "Authentication key of the registration",
            HELP[0],
            HELP[1],
            HELP[2],
            HELP[3],
            "Hash of the authentication",
            "HMAC-SHA-1",
            "HMAC-SHA-256",
            DOMAIN_ID[0],
            DOMAIN_ID[1],
            PROXY_REPLY,
            PROXY_REPLY,
        ],
        No::After(3),
        etr_map_server,
    ),
    edit(
        HERE,
        "etr map-cache-ttl <minutes:1-10080>",
        &[ETR, "Time for which ITRs may cache the mappings of this site", "Minutes (default 1440)"],
        No::After(2),
        etr_map_cache_ttl,
    ),
    edit(
        HERE,
        "etr smr-peer <address:address>",
        &[
            ETR,
            "Router to which an SMR is sent after each change of a local mapping",
            "Locator address of the router",
        ],
        No::After(3),
        etr_smr_peer,
    ),
    edit(
        HERE,
        "etr forward-away",
        &[ETR, "If an EID has moved, forward its packets to its new xTR (default)"],
        No::After(2),
        etr_forward_away,
    ),
    edit(
        HERE,
        "etr source-check",
        &[
            ETR,
            "Drop packets from the core whose inner source address is an EID of this site \
             (default)",
        ],
        No::After(2),
        etr_source_check,
    ),
    edit(
        HERE,
        "locator reachability exclude-default",
        &[
            "Locators of this site",
            "Rule for the reachability of the locators of other xTRs",
            "A locator of another xTR is reachable only while the router has a route to it other \
             than the default route",
        ],
        No::After(3),
        |editor, args| flag(editor, args, |service| &mut service.locator_excludes_default),
    ),
    edit(
        HERE,
        "itr smr-delay <milliseconds:0-10000>",
        &[ITR, "Longest delay between an SMR and the map-request that follows it", "Milliseconds"],
        No::After(2),
        itr_smr_delay,
    ),
    edit(
        HERE,
        "itr accept-default",
        &[ITR, "Accept also a mapping for all EIDs (0.0.0.0/0 or ::/0)"],
        No::After(2),
        |editor, args| flag(editor, args, |service| &mut service.itr_accept_default),
    ),
    edit(
        HERE,
        "itr widest-mapping <length:0-128>",
        &[
            ITR,
            "Widest mapping to accept; the router cuts a wider mapping to this width",
            "Length of the mask (default 8 for IPv4, 16 for IPv6)",
        ],
        No::After(2),
        itr_widest_mapping,
    ),
    edit(
        HERE,
        "map-server [legacy]",
        &["Configure a Map-Server (MS)", "Map-Server without reliable transport"],
        No::After(1),
        map_server,
    ),
    edit(HERE, "map-resolver", &["Configure a Map-Resolver (MR)"], No::After(1), |editor, args| {
        flag(editor, args, |service| &mut service.map_resolver)
    }),
    edit(HERE, "proxy-etr", &["Configure a Proxy ETR (PETR)"], No::After(1), |editor, args| {
        flag(editor, args, |service| &mut service.proxy_etr)
    }),
    edit(
        HERE,
        "proxy-itr <rloc:address> [<other-rloc:address>]",
        &[
            "Configure a Proxy ITR (PITR)",
            "Locator to encapsulate from",
            "Locator of the other address family",
        ],
        No::After(1),
        proxy_itr,
    ),
    edit(
        HERE,
        "use-petr <rloc:address> [instance-id <instance:0-16777215>] \
         [priority <priority:0-255>] [weight <weight:0-100>]",
        &[
            "Send packets to non-LISP destinations through a proxy ETR",
            "Proxy ETR locator address",
            "Instance-ID of the packets to the proxy ETR",
            "Instance-ID of this router",
            "Priority of the proxy ETR",
            "Lower is preferred, 255 is never used",
            "Weight of the proxy ETR",
            "Share of the traffic among proxy ETRs of equal priority",
        ],
        No::After(1),
        use_petr,
    ),
    edit(
        HERE,
        "map-request-source <address:address>",
        &[
            "Inner source address of encapsulated map-requests",
            "Address of the same family as the EIDs",
        ],
        No::After(1),
        map_request_source,
    ),
    edit(
        HERE,
        "map-cache-limit <entries:1-4294967295>",
        &["Set the maximum number of map-cache entries", "Entries"],
        No::After(1),
        map_cache_limit,
    ),
    edit(
        HERE,
        "solicit-map-request ignore",
        &["Received solicit-map-requests", "Ignore them: the mappings stay until their TTL ends"],
        No::After(1),
        solicit_map_request,
    ),
];

/// The family of EIDs: the family of the `service` block. Outside of a `service` block, the family
/// that the line names.
fn family(editor: &Editor, args: &Args<'_>) -> Family {
    match editor.context {
        Context::Service(family) | Context::InstanceService(_, family) => family,
        _ if args.has("ipv6") => Family::Ipv6,
        _ => Family::Ipv4,
    }
}

fn service<'a>(editor: &'a mut Editor, args: &Args<'_>) -> &'a mut Service {
    let family = family(editor, args);
    editor.lisp().service_mut(family)
}

fn flag(
    editor: &mut Editor,
    args: &Args<'_>,
    of: fn(&mut Service) -> &mut bool,
) -> Result<(), Fault> {
    *of(service(editor, args)) = !args.negated;
    Ok(())
}

pub(super) fn itr(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let service = service(editor, args);
    if !args.negated && !service.proxy_itr.is_empty() {
        return Err(args.fault("itr", "Disable PITR functionality first."));
    }
    service.itr = !args.negated;
    Ok(())
}

pub(super) fn etr(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    service(editor, args).etr = !args.negated;
    Ok(())
}

fn warn_of_domain(editor: &mut Editor, args: &Args<'_>) {
    if args.given("domain") && !args.negated {
        editor.warn("`domain-id` has no effect: the router has one mapping system");
    }
}

fn itr_map_resolver(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let address = rloc(args, "address")?.0;
    warn_of_domain(editor, args);
    let resolvers = &mut service(editor, args).itr_map_resolvers;
    if args.negated {
        resolvers.retain(|other| *other != address);
    } else if !resolvers.contains(&address) {
        resolvers.push(address);
    }
    Ok(())
}

fn etr_map_server(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let address = rloc(args, "address")?.0;
    warn_of_domain(editor, args);
    let servers = &mut service(editor, args).etr_map_servers;
    if args.has("proxy-reply") && !args.has("key") {
        let Some(server) = servers.get_mut(&address) else {
            let message = format!(
                "there is no map-server {address}: first enter `etr map-server {address} key KEY`"
            );
            return Err(args.fault("address", message));
        };
        server.proxy_reply = !args.negated;
    } else if args.negated {
        servers.remove(&address);
    } else {
        let server = EtrMapServer { key: key(args)?, proxy_reply: args.has("proxy-reply") };
        servers.insert(address, server);
    }
    Ok(())
}

fn etr_map_cache_ttl(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let minutes = (!args.negated).then(|| args.value("minutes")).transpose()?;
    service(editor, args).etr_map_cache_ttl = minutes;
    Ok(())
}

fn etr_smr_peer(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let peer = rloc(args, "address")?;
    let peers = &mut service(editor, args).etr_smr_peers;
    if args.negated {
        peers.remove(&peer);
    } else {
        peers.insert(peer);
    }
    Ok(())
}

fn etr_forward_away(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    service(editor, args).etr_no_forward_away = args.negated && !args.is_default();
    Ok(())
}

fn etr_source_check(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    service(editor, args).etr_no_source_check = args.negated && !args.is_default();
    Ok(())
}

fn itr_smr_delay(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let delay = (!args.negated).then(|| args.value("milliseconds")).transpose()?;
    service(editor, args).itr_smr_delay_ms = delay;
    Ok(())
}

fn itr_widest_mapping(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let length: Option<u8> = (!args.negated).then(|| args.value("length")).transpose()?;
    let family = family(editor, args);
    if length.is_some_and(|length| length > family.bits()) {
        let fault = format!("a mask of {family} has at most {} bits", family.bits());
        return Err(args.fault("length", fault));
    }
    service(editor, args).itr_widest_mapping = length;
    Ok(())
}

/// Enables or disables the map-server. `legacy` is an option of the map-server: `no map-server
/// legacy` removes only the option, and the map-server stays enabled.
fn map_server(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let service = service(editor, args);
    if !args.negated || !args.has("legacy") {
        service.map_server = !args.negated;
    }
    service.map_server_legacy = !args.negated && args.has("legacy");
    Ok(())
}

fn proxy_itr(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    if args.negated {
        service(editor, args).proxy_itr.clear();
        return Ok(());
    }
    let mut rlocs = vec![rloc(args, "rloc")?];
    if args.given("other-rloc") {
        let other = rloc(args, "other-rloc")?;
        if other.family() == rlocs[0].family() {
            return Err(
                args.fault("other-rloc", "the second locator must be of the other address family")
            );
        }
        rlocs.push(other);
    }
    let service = service(editor, args);
    if service.itr {
        return Err(args.fault("proxy-itr", "Disable ITR functionality first."));
    }
    service.proxy_itr = rlocs;
    Ok(())
}

fn use_petr(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    if args.negated && !args.given("rloc") {
        service(editor, args).use_petr.clear();
        return Ok(());
    }
    let source = LocatorSource::Address(rloc(args, "rloc")?);
    if let Some(table) = editor.lisp().eid_tables.keys().next().copied()
        && args.given("instance")
        && instance_id(args)? != table
    {
        let message = format!("this router sends packets of instance-id {table} only");
        return Err(args.fault("instance", message));
    }
    let petrs = &mut service(editor, args).use_petr;
    if args.negated {
        petrs.retain(|petr| petr.source != source);
    } else {
        put_locator(petrs, configured_locator(args, source));
    }
    Ok(())
}

fn map_request_source(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    if args.negated {
        service(editor, args).map_request_source = None;
        return Ok(());
    }
    let address: IpAddr = args.value("address")?;
    let family = family(editor, args);
    if Family::of(address) != family {
        return Err(args.fault("address", format!("an {family} address is expected")));
    }
    service(editor, args).map_request_source = Some(address);
    Ok(())
}

fn solicit_map_request(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    service(editor, args).ignores_smrs = !args.negated;
    Ok(())
}

fn map_cache_limit(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let entries = (!args.negated).then(|| args.value("entries")).transpose()?;
    service(editor, args).map_cache_limit = entries;
    Ok(())
}
