//! Commands of IOS about LISP and addresses that are accepted with a warning, because the router
//! does something else instead. The warning names it.

use super::context::Mode;
use super::row::{No, Row, edit};
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;

pub(super) const ROWS: &[Row] = &[
    edit(
        &[Mode::Lisp],
        "loc-reach-algorithm rloc-probing",
        &["Configure a locator reachability algorithm", "Probe the locators of the map-cache"],
        No::After(2),
        |editor, args| {
            warn(editor, args, "rloc-probing has no effect yet: use echo-nonce or lsb-reports")
        },
    ),
    edit(
        &[Mode::Lisp],
        "remote-rloc-probe on-route-change",
        &["Probe remote locators", "After each change of a route"],
        No::After(1),
        |editor, args| {
            warn(editor, args, "remote-rloc-probe has no effect yet: locators are not probed")
        },
    ),
    edit(&[Mode::Lisp, Mode::Instance], MAP_REQUEST, &MAP_REQUEST_HELP, No::After(2), map_request),
    edit(
        &[Mode::Interface],
        "ip address dhcp",
        &[
            "Interface Internet Protocol config commands",
            "Set the IP address of an interface",
            "IP address negotiated via DHCP (no effect)",
        ],
        No::After(3),
        |editor, args| {
            warn(
                editor,
                args,
                "the router has no DHCP client: write the address, `ip address A.B.C.D MASK`",
            )
        },
    ),
    edit(
        &[Mode::Interface],
        "encapsulation dot1Q <vlan:1-4094> [native]",
        &[
            "Set encapsulation type for an interface",
            "IEEE 802.1Q Virtual LAN (no effect)",
            "VLAN identifier",
            "The native VLAN",
        ],
        No::After(2),
        |editor, args| {
            warn(
                editor,
                args,
                "the link of a subinterface has no tags: give it a link of its own in the lab",
            )
        },
    ),
    edit(
        &[Mode::Site],
        "{eid-prefix|eid-record} [instance-id <instance:0-16777215>] any-mac",
        &[
            "Configure an EID prefix of the site",
            "Configure an EID prefix of the site",
            "Instance-ID of the EIDs",
            "Instance-ID",
            "All MAC addresses (no effect)",
        ],
        No::After(5),
        |editor, args| {
            warn(
                editor,
                args,
                "any-mac has no effect: this map-server has no MAC addresses as EIDs",
            )
        },
    ),
];

/// The pattern of `map-request itr-rlocs`, which a service also has.
pub(super) const MAP_REQUEST: &str = "map-request itr-rlocs <set:word>";
/// The help texts of [`MAP_REQUEST`].
pub(super) const MAP_REQUEST_HELP: [&str; 3] = [
    "Configure the map-requests of the ITR",
    "Locators to which the map-replies go (no effect)",
    "Locator-set name",
];

/// Carries out `map-request itr-rlocs`.
pub(super) fn map_request(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    warn(
        editor,
        args,
        "itr-rlocs has no effect: a map-request offers the preferred locator of each family",
    )
}

/// Carries out `source-locator`.
pub(super) fn source_locator(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    warn(
        editor,
        args,
        "source-locator has no effect: the source is the preferred locator of the locator-sets",
    )
}

/// Adds the warning, unless the line undoes the command.
pub(super) fn warn(editor: &mut Editor, args: &Args<'_>, message: &str) -> Result<(), Fault> {
    if !args.negated {
        editor.warn(message);
    }
    Ok(())
}
