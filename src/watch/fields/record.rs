//! Reads the parts that several messages have: mapping records, Authentication Data, and the
//! identity of an xTR.

use super::address::{EID_PREFIX, Names, address};
use super::walk::{Step, Walk};

/// The section with the diagram of a mapping record.
const SECTION: &str = "RFC 9301 section 5.4";

const LOCATOR: Names = Names { afi: "Loc-AFI", address: "Locator" };

/// Reads `count` mapping records.
pub fn records(walk: &mut Walk<'_>, count: u64) -> Step {
    (1..=count).try_for_each(|ordinal| record(walk, &format!("Record {ordinal}")))
}

/// Reads a mapping record and its locators.
pub fn record(walk: &mut Walk<'_>, name: &str) -> Step {
    walk.layer(name, SECTION);
    let ttl = walk.number("Record TTL", 32)?;
    walk.means(match ttl {
        0 => "The mapping is removed.".to_owned(),
        0xffff_ffff => "The receiver chooses the lifetime.".to_owned(),
        1 => "The mapping is valid for 1 minute.".to_owned(),
        ttl => format!("The mapping is valid for {ttl} minutes."),
    });
    let count = walk.number("Locator Count", 8)?;
    if count == 0 {
        walk.means("The EID-Prefix has no locator. ACT says how to treat its packets.");
    }
    let mask_len = walk.number("EID mask-len", 8)?;
    let action = walk.number("ACT", 3)?;
    walk.means(match action {
        0 => "No action is defined.",
        1 => "Packets without a locator are forwarded without encapsulation.",
        2 => "A Map-Request is sent for each packet.",
        3 => "Packets are dropped.",
        4 => "Packets are dropped, because a policy denies them.",
        5 => "Packets are dropped, because authentication failed.",
        _ => "No standard assigns this number.",
    });
    walk.flag("A", "The record comes from an ETR of the site of the EID.")?;
    walk.reserved(12)?;
    walk.number("Rsvd", 4)?;
    let version = walk.number("Map-Version Number", 12)?;
    if version == 0 {
        walk.means("The mapping has no version.");
    }
    address(walk, EID_PREFIX, Some(mask_len))?;
    (1..=count).try_for_each(|ordinal| {
        walk.layer(format!("Locator {ordinal} of {name}"), SECTION);
        locator(walk)
    })
}

fn locator(walk: &mut Walk<'_>) -> Step {
    let priority = walk.number("Priority", 8)?;
    walk.means(match priority {
        255 => "The locator must not be used.",
        _ => "The locators with the lowest priority are used.",
    });
    walk.number("Weight", 8)?;
    walk.means(
        "The share of the traffic that this locator gets among all locators of the same priority.",
    );
    walk.number("M Priority", 8)?;
    walk.means("The priority for multicast. 255: not for multicast.");
    walk.number("M Weight", 8)?;
    walk.number("Unused Flags", 13)?;
    walk.flag("L", "The locator is an address of the router that sends the record.")?;
    walk.flag("p", "The record answers a probe of this locator.")?;
    walk.flag("R", "The sender of the record can reach the locator.")?;
    address(walk, LOCATOR, None)
}

/// Reads the nonce. `meaning` is a sentence about the use of the nonce in this message.
pub fn nonce(walk: &mut Walk<'_>, meaning: &str) -> Step {
    let nonce = walk.number("Nonce", 64)?;
    walk.shows(crate::wire::Nonce(nonce));
    walk.means(meaning);
    Ok(())
}

/// Reads the Authentication Data with its Key ID, Algorithm ID and length.
pub fn authentication(walk: &mut Walk<'_>) -> Step {
    walk.number("Key ID", 8)?;
    let algorithm = walk.number("Algorithm ID", 8)?;
    walk.means(match algorithm {
        0 => "The message has no MAC.",
        1 => "HMAC-SHA-1-96.",
        2 => "HMAC-SHA-256-128.",
        3 => "HMAC-SHA-256-128, with a key of its own for each message (HKDF-SHA256).",
        _ => "This algorithm is not known.",
    });
    let len = walk.number("Authentication Data Length", 16)?;
    walk.octets("Authentication Data", len as usize)?;
    if len > 0 {
        walk.means("The MAC: only an owner of the key can compute it.");
    }
    Ok(())
}

/// Reads the xTR-ID and the Site-ID.
pub fn identity(walk: &mut Walk<'_>) -> Step {
    walk.layer("xTR-ID and Site-ID", "RFC 9301 section 5.6");
    walk.octets("xTR-ID", 16)?;
    walk.means("This number identifies the xTR within its site.");
    walk.octets("Site-ID", 8)?;
    walk.means("This number identifies the site within its LISP domain.");
    Ok(())
}
