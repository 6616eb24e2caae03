//! The terminal lines of the router, for users who log in over the network.

/// The configuration under `line vty`. It is the same for all lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VtyLines {
    /// `password WORD`, in clear text.
    pub password: Option<String>,
    /// `no login`: users need no password.
    pub no_login: bool,
}

impl VtyLines {
    /// The password that a user must type. `None` if no password is configured, or if `no login` is
    /// configured.
    pub fn required_password(&self) -> Option<&str> {
        self.password.as_deref().filter(|_| !self.no_login)
    }
}
