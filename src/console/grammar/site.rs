//! `site`: the EID prefixes for which a map-server accepts registrations, and the keys of the
//! sites.

use super::context::{Context, Mode};
use super::key::{HELP, key};
use super::lisp::instance_id;
use super::row::{No, Row, edit, prefix_of};
use crate::addr::{EidPrefix, InstanceId};
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;
use crate::router::config::{NonceOrder, Site, SitePrefix};

const HERE: &[Mode] = &[Mode::Site];

const INSTANCE: [&str; 2] = ["Instance-ID of the EIDs", "Instance-ID"];
const MORE: &str = "Accept registrations of longer prefixes";

pub(super) const ROWS: &[Row] = &[
    edit(
        &[Mode::Lisp],
        "site <name:word>",
        &["Configure a LISP site of the map-server", "Site name"],
        No::After(2),
        site,
    ),
    edit(
        HERE,
        "description <text:line>",
        &["Site specific description", "Description of the site"],
        No::After(1),
        description,
    ),
    edit(
        HERE,
        "{authentication-key|key} [0|6|7] <key:word> [hash-function {sha1|sha2}]",
        &[
            "Configure the key of the site's registrations",
            "Configure the key of the site's registrations",
            HELP[0],
            HELP[1],
            HELP[2],
            HELP[3],
            "Hash of the authentication",
            "HMAC-SHA-1",
            "HMAC-SHA-256",
        ],
        No::After(2),
        authentication_key,
    ),
    edit(
        HERE,
        "{eid-prefix|eid-record} [instance-id <instance:0-16777215>] <prefix:prefix> \
         [route-tag <tag:0-4294967295>] \
         [accept-more-specifics] [instance-id <instance:0-16777215>] [accept-more-specifics]",
        &[
            "Configure an EID prefix of the site",
            "Configure an EID prefix of the site",
            INSTANCE[0],
            INSTANCE[1],
            "EID prefix",
            "Tag of the routes of the registrations (no effect)",
            "Tag",
            MORE,
            INSTANCE[0],
            INSTANCE[1],
            MORE,
        ],
        No::After(5),
        eid_prefix,
    ),
    edit(
        HERE,
        "nonce-order {id|strict|none}",
        &[
            "Select the xTRs whose nonces must grow (RFC 9301 section 5.6)",
            "xTRs with an authenticated xTR-ID; for other xTRs, only repeated messages are refused \
             (default)",
            "All xTRs",
            "No xTR; only repeated messages are refused (for xTRs that repeat nonces)",
        ],
        No::After(1),
        nonce_order,
    ),
];

pub(super) fn site(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let name: String = args.value("name")?;
    let sites = &mut editor.lisp().sites;
    if args.negated {
        sites.remove(&name);
    } else {
        sites.entry(name.clone()).or_default();
        editor.context = Context::Site(name);
    }
    Ok(())
}

fn current<'a>(editor: &'a mut Editor, args: &Args<'_>) -> Result<&'a mut Site, Fault> {
    let Context::Site(name) = editor.context.clone() else {
        return Err(args.fault("", "no site is selected"));
    };
    Ok(editor.lisp().sites.entry(name).or_default())
}

fn description(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let text = (!args.negated).then(|| args.value("text")).transpose()?;
    current(editor, args)?.description = text;
    Ok(())
}

fn authentication_key(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let key = (!args.negated).then(|| key(args)).transpose()?;
    current(editor, args)?.key = key;
    Ok(())
}

fn nonce_order(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let order = match args.negated {
        false if args.has("strict") => NonceOrder::Strict,
        false if args.has("none") => NonceOrder::None,
        _ => NonceOrder::Id,
    };
    current(editor, args)?.nonce_order = order;
    Ok(())
}

/// Adds or removes an EID prefix of a site. A prefix belongs to one site only. So only one key can
/// authenticate a registration of this prefix.
fn eid_prefix(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let id = if args.given("instance") { instance_id(args)? } else { InstanceId::DEFAULT };
    let prefix = EidPrefix::new(id, prefix_of(args, "prefix", None)?);
    if args.negated {
        current(editor, args)?.eid_prefixes.remove(&prefix);
        return Ok(());
    }
    let Context::Site(own) = editor.context.clone() else {
        return Err(args.fault("", "no site is selected"));
    };
    let mut others = editor.lisp().sites.iter().filter(|(name, _)| **name != own);
    if let Some((name, _)) = others.find(|(_, site)| site.eid_prefixes.contains_key(&prefix)) {
        return Err(args.fault("prefix", format!("site {name} already has the prefix {prefix}")));
    }
    if args.has("route-tag") {
        editor.warn("`route-tag` has no effect: the router does not exchange routes");
    }
    let options = SitePrefix { accept_more_specifics: args.has("accept-more-specifics") };
    current(editor, args)?.eid_prefixes.insert(prefix, options);
    Ok(())
}
