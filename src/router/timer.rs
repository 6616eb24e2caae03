//! The table of all kinds of work that can be due in a router.

/// Makes the enum of the timers, the list of all timers and the name of each timer from one table.
macro_rules! timers {
    ($($(#[$doc:meta])* $timer:ident = $name:literal,)*) => {
        /// A kind of work that can be due. If several kinds are due together, the router does them
        /// in the order of the variants.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Timer {
            $($(#[$doc])* $timer,)*
        }

        impl Timer {
            /// All timers.
            pub(super) const ALL: [Timer; [$(Timer::$timer),*].len()] = [$(Timer::$timer),*];

            /// Describes the work in a few words.
            pub(super) const fn describe(self) -> &'static str {
                match self {
                    $(Timer::$timer => $name,)*
                }
            }
        }
    };
}

timers! {
    /// An entry of the map-cache has expired.
    MapCache = "map-cache expiry",
    /// The MTU of a path is not valid any more.
    Paths = "path MTU expiry",
    /// A locator that could not be reached can be used again.
    Reachability = "path expiry",
    /// The router must ask a locator to echo a nonce.
    EchoNonce = "echo-nonce request",
    /// The packets of a mapping with changed locators carry Locator-Status-Bits again.
    StatusBits = "use-LSB timer",
    /// Entries have to be searched for registrations of ended sessions.
    FallenSessions = "registrations of an ended session",
    /// A registration expires.
    Registrations = "registration expiry",
    /// A Map-Notify has not been acknowledged.
    MapNotifies = "map-notify repetition",
    /// A Map-Request of `lig` has no answer.
    Lig = "lig request",
    /// A map-server has not confirmed its notification.
    News = "confirmation of a notification",
    /// An entry of the away table ends, or has to be requested again.
    Away = "away entry expiry",
    /// A search for a host has no answer.
    Searches = "search for a host",
    /// Searches that were refused are tried again.
    RefusedSearches = "retry of a search",
    /// A duplicate EID may be claimed again.
    Duplicates = "claim of a duplicate EID",
    /// An EID that was not resolved may be requested again.
    Rests = "end of the wait for the next request",
    /// A Map-Request has not been answered.
    MapRequests = "map-request retry",
    /// Prefixes must be registered.
    MapRegisters = "map-register",
    /// A map-server has not sent the first Refresh of a session.
    SilentSessions = "reliable session without Refresh",
    /// The registration of a changed mapping takes too long, so SMRs are sent to the peers of the
    /// mapping now.
    ChangedMappings = "smr without registration",
    /// An SMR must be repeated, if its peer still sends packets.
    SmrRepetitions = "smr repetition",
    /// The summary of the refused messages that got no line in the log is due.
    Refusals = "summary of refused messages",
    /// An object that the kernel lost or refused is requested again.
    Kernel = "new request for lost objects of the kernel",
    /// An object that the process could not open is requested again.
    Process = "opening refused objects of the process",
}
