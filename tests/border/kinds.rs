//! The kinds of inputs and outputs: the variants of `Input` and `Output`, without their fields.
//!
//! No `match` here has a `_` arm, so a new variant does not compile until it has a kind.

use eidway::record::step::Call;
use eidway::router::io::{Input, Output};

/// Defines an enum and the list of all its variants.
macro_rules! kinds {
    ($(#[$attribute:meta])* $name:ident { $($kind:ident),* $(,)? }) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($kind,)*
        }

        impl $name {
            pub const ALL: &[$name] = &[$($name::$kind,)*];
        }
    };
}

kinds! {
    /// The kinds of inputs: one for each variant of `Input`.
    InputKind { Control, Kernel, Process, Tcp, Path, Configure, Command, Descriptors, Nonces, Stop }
}

kinds! {
    /// The kinds of outputs: one for each variant of `Output`.
    OutputKind { Control, Encapsulate, Native, Tcp, Kernel, Process, Nonce, Event }
}

/// Kinds of inputs that do not occur in the simulator, because its routers have no file
/// descriptors.
pub const OF_THE_DRIVER: &[InputKind] = &[InputKind::Descriptors];

impl InputKind {
    /// The kind of an input.
    pub fn of(input: &Input<'_>) -> Self {
        match input {
            Input::Control(_) => InputKind::Control,
            Input::Kernel(_) => InputKind::Kernel,
            Input::Process(_) => InputKind::Process,
            Input::Tcp(_) => InputKind::Tcp,
            Input::Path(_) => InputKind::Path,
            Input::Configure(_) => InputKind::Configure,
            Input::Command(_) => InputKind::Command,
            Input::Descriptors(_) => InputKind::Descriptors,
            Input::Nonces(_) => InputKind::Nonces,
            Input::Stop => InputKind::Stop,
        }
    }

    /// The kind of the input of a recorded call. It is `None` if the call has no input.
    pub fn of_call(call: &Call<'_>) -> Option<Self> {
        Some(match call {
            Call::Control(datagram) => InputKind::of(&Input::Control(*datagram)),
            Call::Kernel(event) => InputKind::of(&Input::Kernel(event.clone())),
            Call::Process(event) => InputKind::of(&Input::Process(event.clone())),
            Call::Tcp(event) => InputKind::of(&Input::Tcp(*event)),
            Call::Path(event) => InputKind::of(&Input::Path(event.clone())),
            Call::Configure(_) => InputKind::Configure,
            Call::Command(command) => InputKind::of(&Input::Command(command.clone())),
            Call::Descriptors(descriptors) => InputKind::of(&Input::Descriptors(*descriptors)),
            Call::Nonces(kept) => InputKind::of(&Input::Nonces(kept.clone())),
            Call::Stop => InputKind::of(&Input::Stop),
            Call::Start { .. }
            | Call::Timeout
            | Call::Encapsulate { .. }
            | Call::Decapsulate { .. } => return None,
        })
    }
}

impl OutputKind {
    /// The kind of an output.
    pub fn of(output: &Output) -> Self {
        match output {
            Output::Control { .. } => OutputKind::Control,
            Output::Encapsulate(..) => OutputKind::Encapsulate,
            Output::Native(..) => OutputKind::Native,
            Output::Tcp(_) => OutputKind::Tcp,
            Output::Kernel(_) => OutputKind::Kernel,
            Output::Process(_) => OutputKind::Process,
            Output::Nonce(_) => OutputKind::Nonce,
            Output::Event(_) => OutputKind::Event,
        }
    }
}
