//! The table of all that can be due in a router.

/// Makes the enum of the timers, the list of all and the name of each from one table.
macro_rules! timers {
    ($($(#[$doc:meta])* $timer:ident = $name:literal,)*) => {
        /// A kind of work that can be due, in the order in which the router does work that is due together.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Timer {
            $($(#[$doc])* $timer,)*
        }

        impl Timer {
            /// All of them.
            pub(super) const ALL: [Timer; [$(Timer::$timer),*].len()] = [$(Timer::$timer),*];

            /// The work, in a few words.
            pub(super) const fn describe(self) -> &'static str {
                match self {
                    $(Timer::$timer => $name,)*
                }
            }
        }
    };
}

timers! {
    /// An entry of the map-cache has outlived its TTL.
    MapCache = "map-cache expiry",
    /// The MTU of a path has been believed long enough.
    Paths = "path MTU expiry",
    /// A locator that could not be reached is tried again.
    Reachability = "path expiry",
    /// A locator is to be asked to echo a nonce.
    EchoNonce = "echo-nonce request",
    /// A mapping that got other locators is sent with Locator-Status-Bits again.
    StatusBits = "use-LSB timer",
    /// Entries are to be looked at for registrations of sessions that have fallen.
    FallenSessions = "registrations of a fallen session",
    /// A registration lapses.
    Registrations = "registration expiry",
    /// A Map-Notify has not been acknowledged.
    MapNotifies = "map-notify repetition",
    /// A map-server has not confirmed its news.
    News = "confirmation of news",
    /// An entry of the away table ends, or is to be asked for again.
    Away = "away entry expiry",
    /// A host that is looked for has not answered.
    Searches = "search for a host",
    /// Searches that were refused are tried again.
    RefusedSearches = "retry of a search",
    /// A duplicate EID may be claimed again.
    Duplicates = "claim of a duplicate EID",
    /// An EID that was not resolved may be asked for again.
    Rests = "end of a rest",
    /// A Map-Request has not been answered.
    MapRequests = "map-request retry",
    /// Prefixes are to be registered.
    MapRegisters = "map-register",
    /// A map-server has not begun a session with a Refresh.
    SilentSessions = "reliable session without Refresh",
    /// The registration of a mapping that changed takes too long: its peers are solicited.
    ChangedMappings = "smr without registration",
    /// An SMR is to be repeated if its peer goes on sending.
    SmrRepetitions = "smr repetition",
    /// The messages that were refused without a line are to be summed up.
    Refusals = "sum of refused messages",
    /// An object that the kernel lost or refused is asked for again.
    Kernel = "putting back lost objects of the kernel",
    /// An object that the process could not open is asked for again.
    Process = "opening refused objects of the process",
}
