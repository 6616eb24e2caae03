//! The session that an ETR has with a map-server.

use crate::router::session::Session;
use crate::time::Time;

/// A session with a map-server.
#[derive(Debug)]
pub(super) struct EtrSession {
    /// The connection, and the state of its messages.
    pub session: Session,
    /// The time at which the session is closed if the first Refresh has not arrived.
    pub patience_until: Option<Time>,
}
