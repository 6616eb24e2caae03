//! Reads the fields of the control messages (RFC 9301 section 5), except the Encapsulated Control
//! Message.

use super::address::{EID_PREFIX, Names, address};
use super::record::{authentication, identity, nonce, record, records};
use super::walk::{Damage, Step, Walk};
use crate::wire::MessageType;

const SOURCE_EID: Names = Names { afi: "Source-EID-AFI", address: "Source EID Address" };
const ITR_RLOC: Names = Names { afi: "ITR-RLOC-AFI", address: "ITR-RLOC Address" };
const NAT: Names = Names { afi: "NAT-Traversal AFI", address: "NAT-Traversal address" };

/// The draft that has the diagrams of the messages for NAT traversal.
const NAT_TRAVERSAL: &str = "draft-ermagan-lisp-nat-traversal";
/// The use of the nonce in messages that register a mapping.
const REGISTER_NONCE: &str =
    "The nonce increases with each message. The acknowledgement has the same nonce.";

/// Reads a control message that is not an Encapsulated Control Message.
pub fn control(walk: &mut Walk<'_>, message_type: MessageType) -> Step {
    match message_type {
        MessageType::MapRequest => map_request(walk),
        MessageType::MapReply => map_reply(walk),
        MessageType::MapRegister => map_register(walk),
        MessageType::MapNotify | MessageType::MapNotifyAck => map_notify(walk, message_type),
        MessageType::Info => info(walk),
        MessageType::Encapsulated => Err(Damage("an ECM is in another message".to_owned())),
    }
}

/// Begins the layer of a message, and reads the type. Returns damage if the first word of the
/// message is not complete.
pub fn first_word(walk: &mut Walk<'_>, name: &str, section: &str, meaning: &str) -> Step {
    walk.layer(name, section);
    if walk.left() < 4 {
        let left = walk.left();
        return Err(Damage(format!("the first word needs 4 octets, but only {left} are left")));
    }
    walk.number("Type", 4)?;
    walk.means(meaning);
    Ok(())
}

fn map_request(walk: &mut Walk<'_>) -> Step {
    let meaning = "A Map-Request asks for the locators of an EID.";
    first_word(walk, "Map-Request", "RFC 9301 section 5.2", meaning)?;
    walk.flag("A", "The reply must come from the site of the EID.")?;
    let has_record = walk.flag("M", "The mapping of the source EID is in this message.")?;
    walk.flag("P", "This message probes the locator to which it is sent.")?;
    walk.flag(
        "S",
        "This is an SMR: the receiver shall ask for the mapping of the source EID again.",
    )?;
    walk.flag("p", "The sender is a proxy ITR.")?;
    walk.flag("s", "An SMR caused this message.")?;
    walk.flag("R", "This bit is reserved.")?;
    let has_identity = walk.flag("I", "The xTR-ID and the Site-ID of the sender follow.")?;
    walk.number("Rsvd", 5)?;
    walk.flag("L", "The sender is an xTR of the same site.")?;
    walk.flag("D", "The sender wants no Map-Reply.")?;
    let itr_rlocs = walk.number("IRC", 5)? + 1;
    walk.means(match itr_rlocs {
        1 => "One ITR-RLOC follows: the number of ITR-RLOCs is IRC + 1.".to_owned(),
        count => format!("{count} ITR-RLOCs follow: their number is IRC + 1."),
    });
    let count = walk.number("Record Count", 8)?;
    nonce(walk, "The Map-Reply has the same nonce.")?;
    address(walk, SOURCE_EID, None)?;
    for _ in 0..itr_rlocs {
        address(walk, ITR_RLOC, None)?;
    }
    for ordinal in 1..=count {
        walk.layer(format!("EID-Record {ordinal}"), "RFC 9301 section 5.2");
        walk.flag("N", "The sender subscribes to changes of the mapping (RFC 9437).")?;
        walk.reserved(7)?;
        let mask_len = walk.number("EID mask-len", 8)?;
        address(walk, EID_PREFIX, Some(mask_len))?;
    }
    if has_record && walk.left() > 0 {
        record(walk, "Map-Reply Record")?;
    }
    if has_identity && walk.left() > 0 {
        identity(walk)?;
    }
    Ok(())
}

fn map_reply(walk: &mut Walk<'_>) -> Step {
    let meaning = "A Map-Reply has the mappings that a Map-Request asked for.";
    first_word(walk, "Map-Reply", "RFC 9301 section 5.4", meaning)?;
    walk.flag("P", "The message answers a probe.")?;
    walk.flag("E", "The site can do echo-nonce.")?;
    walk.flag("S", "LISP-SEC data follow the records (RFC 9303).")?;
    walk.reserved(17)?;
    let count = walk.number("Record Count", 8)?;
    nonce(walk, "The nonce of the Map-Request.")?;
    records(walk, count)
}

fn map_register(walk: &mut Walk<'_>) -> Step {
    let meaning = "With a Map-Register, an ETR registers its mappings at a map-server.";
    first_word(walk, "Map-Register", "RFC 9301 section 5.6", meaning)?;
    walk.flag("P", "The map-server shall answer Map-Requests in place of the ETR.")?;
    walk.flag("S", "The ETR can do LISP-SEC (RFC 9303).")?;
    let has_identity = walk.flag("I", "The xTR-ID and the Site-ID of the ETR follow.")?;
    walk.reserved(11)?;
    walk.flag("r", "The ETR wants a reliable transport session.")?;
    walk.flag("E", "A first-hop router has discovered a dynamic EID.")?;
    walk.flag("T", "The registration lasts as long as its Record TTL.")?;
    walk.flag("a", "The map-server shall merge the locators of several xTRs.")?;
    walk.flag("R", "This bit is reserved.")?;
    walk.flag("M", "The ETR wants a Map-Notify as acknowledgement.")?;
    let count = walk.number("Record Count", 8)?;
    nonce(walk, REGISTER_NONCE)?;
    authentication(walk)?;
    records(walk, count)?;
    if has_identity && walk.left() > 0 {
        identity(walk)?;
    }
    Ok(())
}

fn map_notify(walk: &mut Walk<'_>, message_type: MessageType) -> Step {
    let meaning = match message_type {
        MessageType::MapNotifyAck => "A Map-Notify-Ack acknowledges a Map-Notify.",
        _ => "With a Map-Notify, a map-server notifies an xTR about mappings.",
    };
    first_word(walk, message_type.name(), "RFC 9301 section 5.7", meaning)?;
    let has_identity = walk.flag("I", "The xTR-ID and the Site-ID follow.")?;
    walk.flag("R", "The message was built for a re-encapsulating tunnel router.")?;
    walk.reserved(18)?;
    let count = walk.number("Record Count", 8)?;
    nonce(walk, "The nonce of the acknowledged message, or a new nonce.")?;
    authentication(walk)?;
    records(walk, count)?;
    if has_identity && walk.left() > 0 {
        identity(walk)?;
    }
    Ok(())
}

fn info(walk: &mut Walk<'_>) -> Step {
    let meaning = "With an Info message, a router behind a NAT asks for its address on the other \
                   side of the NAT.";
    first_word(walk, "Info", NAT_TRAVERSAL, meaning)?;
    walk.flag("R", "This is an Info-Reply.")?;
    walk.reserved(27)?;
    nonce(walk, "The Info-Reply has the same nonce.")?;
    authentication(walk)?;
    walk.number("TTL", 32)?;
    walk.means("The receiver may keep the reply for this number of minutes.");
    walk.reserved(8)?;
    let mask_len = walk.number("EID mask-len", 8)?;
    address(walk, EID_PREFIX, Some(mask_len))?;
    address(walk, NAT, None)
}
