//! Displays each frame as one line of text, in the same wording as the control messages over UDP.
//!
//! An example of such a line is `Registration-Reject id 2 for 10.99.0.0/24 not-a-site-prefix`.

use std::fmt::{self, Display, Formatter};

use super::{
    ErrorCode, ErrorNotification, RefreshScope, RejectReason, ReliableFrame, ReliableMessage,
};
use crate::wire::show::{show_eid_prefix, show_identity};

impl Display for ReliableFrame {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} id {}", self.message.message_type().name(), self.message_id)?;
        match &self.message {
            ReliableMessage::ErrorNotification(message) => show_error_notification(f, message),
            ReliableMessage::Registration(message) => write!(f, ": {}", message.register()),
            ReliableMessage::RegistrationAck(eid_prefix) => {
                f.write_str(" for ")?;
                show_eid_prefix(f, *eid_prefix)
            }
            ReliableMessage::RegistrationReject(message) => {
                f.write_str(" for ")?;
                show_eid_prefix(f, message.eid_prefix)?;
                write!(f, " {}", message.reason)
            }
            ReliableMessage::RegistrationRefresh(message) => {
                let rejected_only = if message.rejected_only { " rejected-only" } else { "" };
                write!(f, " of {}{rejected_only}", message.scope)
            }
            ReliableMessage::MappingNotification(message) => {
                write!(f, " for {}", message.record)?;
                show_identity(f, Some(message.xtr_identity))
            }
        }
    }
}

fn show_error_notification(f: &mut Formatter<'_>, message: &ErrorNotification) -> fmt::Result {
    write!(
        f,
        " {} in type {} length {} id {} ({} octets quoted)",
        message.code,
        message.offending_type,
        message.offending_length,
        message.offending_message_id,
        message.offending_data.len()
    )
}

impl Display for ErrorCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ErrorCode::UnrecognizedType => "unrecognized-type",
            ErrorCode::FormatError => "format-error",
            ErrorCode::Unassigned(number) => return write!(f, "error-{number}"),
        })
    }
}

impl Display for RejectReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RejectReason::NotASitePrefix => "not-a-site-prefix",
            RejectReason::AuthenticationFailure => "authentication-failure",
            RejectReason::LocatorSetNotAllowed => "locator-set-not-allowed",
            RejectReason::Other => "other-reason",
            RejectReason::Unassigned(number) => return write!(f, "reason-{number}"),
        })
    }
}

impl Display for RefreshScope {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            RefreshScope::All => f.write_str("all"),
            RefreshScope::Instance(instance_id) => write!(f, "instance {instance_id}"),
            RefreshScope::InstanceFamily(instance_id, family) => {
                write!(f, "instance {instance_id} {family}")
            }
            RefreshScope::CoveredBy(eid_prefix) => {
                f.write_str("all covered by ")?;
                show_eid_prefix(f, *eid_prefix)
            }
            RefreshScope::Exactly(eid_prefix) => show_eid_prefix(f, *eid_prefix),
        }
    }
}
