//! The reasons of the messages that a router sends, and of the changes in its tables.
//!
//! A reason is plain data: it is made and carried without a text. [`Reason`] gives its sentence and
//! the section of the standard, if a reader asks for them. Each message and each change has a
//! reason of its own kind, so that a reader learns the cause from it.

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

/// A reason, as text. The text is one plain sentence without a full stop.
pub trait Reason: Display {
    /// The origin of the reason: a section of a standard or draft, or a command of IOS.
    fn section(&self) -> &'static str;
}

/// The draft about hosts that move.
const MOBILITY: &str = "draft-ietf-lisp-eid-mobility section 4.2.4";
