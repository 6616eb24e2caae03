//! The LISP commands of the first IOS versions that support LISP. These commands stand in the
//! global configuration: `ip lisp itr` is the same as `ipv4 itr` in `router lisp`.
//! `show running-config` prints these commands in the form of `router lisp`.

use super::context::Mode;
use super::row::{No, Row, edit};
use super::{lisp, service, site};
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;

/// The first words of a command of a service or of the EID-table.
pub(super) const FAMILY: &str = "{ip|ipv6} lisp";
/// The help texts for the words of [`FAMILY`].
pub(super) const FAMILY_HELP: &[&str] = &["IPv4 EIDs", "IPv6 EIDs", LISP];
/// The mode of the commands.
pub(super) const HERE: &[Mode] = &[Mode::Config];

const LISP: &str = "Locator/ID Separation Protocol";

pub(super) const ROWS: &[Row] = &[
    edit(
        HERE,
        "{ip|ipv6} lisp itr-etr",
        &["IPv4 EIDs", "IPv6 EIDs", LISP, "Configure an xTR: an ITR and an ETR"],
        No::After(4),
        itr_etr,
    ),
    edit(
        HERE,
        "lisp site <name:word>",
        &[LISP, "Configure a LISP site of the map-server", "Site name"],
        No::After(3),
        site::site,
    ),
    edit(
        HERE,
        "lisp loc-reach-algorithm {echo-nonce|lsb-reports}",
        &[
            LISP,
            "Configure a locator reachability algorithm",
            "Ask the xTR of a locator to echo a nonce (RFC 9300, 10.1)",
            "Send Locator-Status-Bits, and use the received ones (RFC 9300, 10)",
        ],
        No::After(3),
        lisp::loc_reach_algorithm,
    ),
];

fn itr_etr(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    service::itr(editor, args)?;
    service::etr(editor, args)
}
