//! What an exec command asks for.

/// What an exec command asks for.
pub enum Action {}
