//! The command line of Eidway.

fn main() {}
