//! `eidway lab explain`.

use clap::Args;
use eidway::addr::Family;
use eidway::netns::user::Need;

use super::super::Outcome;
use super::Target;

/// The arguments of `eidway lab explain`.
#[derive(Args)]
pub struct ExplainCommand {
    #[command(flatten)]
    target: Target,
    /// The node that sends the packet
    from: String,
    /// The destination: an address, or the name of a host of the lab
    to: String,
    /// Explain a packet to the IPv6 address of the host
    #[arg(long)]
    ipv6: bool,
    /// The size of the packet in octets
    #[arg(short, default_value_t = 100, value_parser = clap::value_parser!(u16).range(48..))]
    size: u16,
    /// Set the don't-fragment bit of the packet
    #[arg(long)]
    df: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

impl ExplainCommand {
    /// Returns the command's need for network namespaces: never, only if a lab is up, or always.
    pub fn need(&self) -> Need {
        self.target.need()
    }

    /// Runs the command.
    pub fn run(self) -> Outcome {
        let ExplainCommand { target, from, to, ipv6, size, df, json } = self;
        target.explain((&from, &to), ipv6.then_some(Family::Ipv6), (size, df), json)
    }
}
