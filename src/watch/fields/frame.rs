//! Reads the fields of the frames of the reliable transport.

use super::address::{EID_PREFIX, address};
use super::record::{identity, record};
use super::walk::{Damage, Step, Walk};
use crate::wire::reliable::END_MARKER;
use crate::wire::{ErrorCode, RejectReason, ReliableType};

/// The draft that has the diagrams of the frames.
const DRAFT: &str = "draft-kouvelas-lisp-map-server-reliable-transport section";
/// The number of octets of the header and the End Marker of a frame, together.
const AROUND: usize = 12;

/// Returns the type of the frame that begins at the first octet. Returns `None` if the type is
/// unknown.
pub fn frame_type(octets: &[u8]) -> Option<ReliableType> {
    let number = u16::from_be_bytes(*octets.first_chunk()?);
    ReliableType::ALL.into_iter().find(|known| known.number() == number)
}

/// Reads a frame. `register` reads the Map-Register in a Registration.
pub fn frame(walk: &mut Walk<'_>, register: impl FnOnce(&mut Walk<'_>) -> Step) -> Step {
    let frame_type = frame_type(walk.rest());
    let name = frame_type.map_or("Reliable transport frame", ReliableType::name);
    let section = format!("{DRAFT} {}", frame_type.map_or("5", section));
    walk.layer(name, &section);
    let number = walk.number("Type", 16)?;
    let Some(frame_type) = frame_type else {
        return Err(Damage(format!("the Type {number} is not known")));
    };
    walk.means(meaning(frame_type));
    let len = walk.number("Length", 16)? as usize;
    walk.means("The number of octets of the frame, including Type and End Marker.");
    walk.number("Message ID", 32)?;
    walk.means("An answer to this frame has the same Message ID.");
    let data = len.checked_sub(AROUND).filter(|data| data + 4 <= walk.left());
    let Some(data) = data else {
        return Err(Damage(format!("the Length {len} is not the length of the frame")));
    };
    walk.part(data, |walk| match frame_type {
        ReliableType::ErrorNotification => error_notification(walk),
        ReliableType::Registration => register(walk),
        ReliableType::RegistrationAck => sized_prefix(walk),
        ReliableType::RegistrationReject => reject(walk),
        ReliableType::RegistrationRefresh => refresh(walk),
        ReliableType::MappingNotification => {
            identity(walk)?;
            record(walk, "Record")
        }
    });
    walk.layer("End of the frame", &format!("{DRAFT} 5"));
    let marker = walk.number("End Marker", 32)?;
    walk.shows(format!("0x{marker:08x}"));
    walk.means(match marker == u64::from(END_MARKER) {
        true => "The frame ends at the right place.",
        false => "Wrong: 0x9facade9 is expected. The session ends.",
    });
    Ok(())
}

const fn section(frame_type: ReliableType) -> &'static str {
    match frame_type {
        ReliableType::ErrorNotification => "5.1",
        ReliableType::Registration => "6.1.1",
        ReliableType::RegistrationAck => "6.1.2",
        ReliableType::RegistrationReject => "6.1.3",
        ReliableType::RegistrationRefresh => "6.1.4",
        ReliableType::MappingNotification => "6.1.5",
    }
}

const fn meaning(frame_type: ReliableType) -> &'static str {
    match frame_type {
        ReliableType::ErrorNotification => "The sender could not understand a frame.",
        ReliableType::Registration => {
            "The ETR registers one mapping, or ends the registration of this mapping."
        }
        ReliableType::RegistrationAck => "The EID-prefix is registered.",
        ReliableType::RegistrationReject => "A registration is refused or withdrawn.",
        ReliableType::RegistrationRefresh => "The map-server asks for registrations.",
        ReliableType::MappingNotification => "The map-server reports its mapping for a prefix.",
    }
}

fn error_notification(walk: &mut Walk<'_>) -> Step {
    let code = walk.number("Error Code", 8)?;
    walk.means(match ErrorCode::from_number(code as u8) {
        ErrorCode::UnrecognizedType => "The Type is unknown.",
        ErrorCode::FormatError => "The data do not fit the Type.",
        ErrorCode::Unassigned(_) => "No standard assigns this number.",
    });
    walk.reserved(24)?;
    walk.number("Offending Message Type", 16)?;
    walk.number("Offending Message Length", 16)?;
    walk.number("Offending Message ID", 32)?;
    walk.to_end("Offending Message Data");
    Ok(())
}

fn sized_prefix(walk: &mut Walk<'_>) -> Step {
    let mask_len = walk.number("Prefix-Length", 8)?;
    address(walk, EID_PREFIX, Some(mask_len))
}

fn reject(walk: &mut Walk<'_>) -> Step {
    let reason = walk.number("Reason", 8)?;
    walk.means(match RejectReason::from_number(reason as u8) {
        RejectReason::NotASitePrefix => "The EID-prefix belongs to no site.",
        RejectReason::AuthenticationFailure => "The MAC or its key is wrong.",
        RejectReason::LocatorSetNotAllowed => "The site must not use these locators.",
        RejectReason::Other => "The reason has no number of its own.",
        RejectReason::Unassigned(_) => "No standard assigns this number.",
    });
    walk.reserved(16)?;
    sized_prefix(walk)
}

fn refresh(walk: &mut Walk<'_>) -> Step {
    let scope = walk.number("Scope", 8)?;
    walk.means(match scope {
        0 => "All EID-prefixes.",
        1 => "All EID-prefixes of one instance.",
        2 => "All EID-prefixes of one family in one instance.",
        3 => "All EID-prefixes that the EID-Prefix covers.",
        4 => "Only the EID-Prefix.",
        _ => "No standard assigns this number.",
    });
    walk.flag("R", "The map-server asks only for registrations that it has rejected.")?;
    walk.reserved(15)?;
    if scope == 0 || walk.left() == 0 {
        return Ok(());
    }
    sized_prefix(walk)
}
