//! The reasons of the messages that a router sends, and of the changes in its tables.
//!
//! A reason is plain data without a text. The trait [`Reason`] makes the sentence for the reason,
//! and returns the section of the standard. The messages have one type of reason, and the changes
//! of each table have another type, so that a reader learns the exact cause.

mod away;
mod database;
mod event;
mod map_cache;
mod message;
mod registration;
mod session;

use std::fmt::Display;

pub use away::{AwayReason, Report};
pub use database::{DatabaseReason, Departure, HostLoss};
pub use map_cache::MappingReason;
pub use message::{
    MessageReason, MovedReason, NotifyReason, RefreshReason, RegisterReason, ReplyReason,
    RequestReason, SmrPeer, SmrReason,
};
pub use registration::{AcknowledgementReason, SiteReason};
pub use session::SessionReason;

/// A reason that can be printed. The text is one plain sentence without a full stop.
pub trait Reason: Display {
    /// The origin of the reason: a section of a standard or draft, or a command of IOS.
    fn section(&self) -> &'static str;
}

/// The section about hosts that move, in the draft about EID mobility.
const MOBILITY: &str = "draft-ietf-lisp-eid-mobility section 4.2.4";
