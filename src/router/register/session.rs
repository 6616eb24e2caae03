//! The session that an ETR has with a map-server.

use crate::router::session::Session;
use crate::time::Time;

/// A session with a map-server.
#[derive(Debug)]
pub(super) struct EtrSession {
    /// The connection, and the state of its messages.
    pub session: Session,
    /// When it is given up, until the first Refresh has come.
    pub patience_until: Option<Time>,
}
