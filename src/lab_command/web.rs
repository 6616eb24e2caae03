//! `eidway lab web`: serves the page of a lab that is up.

use std::net::SocketAddr;

use clap::Args;
use eidway::live::Server;

use super::super::Outcome;
use super::{Which, page};

/// The arguments of `lab web`.
#[derive(Args)]
pub struct WebCommand {
    #[command(flatten)]
    which: Which,
    /// Listen on this address and port. Port 0 stands for any free port. If the address is not a
    /// loopback address, other machines can reach the server, and other users of the network can
    /// read the token
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8300")]
    listen: SocketAddr,
    /// This option is refused, because the page of a simulated lab needs no server
    #[arg(long, hide = true)]
    sim: bool,
}

/// The error for `lab web --sim`.
const NEEDS_NO_SERVER: &str = "a simulated lab runs in the page itself, without a server: use \
                               eidway lab page";

impl WebCommand {
    /// Runs the command.
    pub fn run(self) -> Outcome {
        if self.sim {
            return Err(NEEDS_NO_SERVER.into());
        }
        let lab = self.which.open()?;
        let name = lab.name.clone();
        let server = Server::open(lab, page::template()?, self.listen)?;
        println!("{name}: {}", server.url());
        if server.run() {
            println!("{name}: the lab is down");
        }
        Ok(true)
    }
}
