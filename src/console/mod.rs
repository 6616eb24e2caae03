//! The IOS-style user interface: one grammar for the config file and the console.
