//! The session that an ETR has with a map-server.

use crate::router::session::Session;
use crate::time::Time;

/// A session with a map-server.
#[derive(Debug)]
pub(super) struct EtrSession {
    /// The connection, and the state of its messages.
    pub session: Session,
    /// When the session is given up, unless the first Refresh arrives before.
    pub patience_until: Option<Time>,
}
