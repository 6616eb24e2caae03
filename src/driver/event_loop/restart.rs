//! The event loop's part of the command `reload`. The router stops, and a new router starts in the
//! same process with the startup configuration.

use std::path::Path;
use std::{fs, mem};

use log::{info, warn};

use super::EventLoop;
use crate::console::copy::keep_hosts;
use crate::console::{Reading, read_config};
use crate::driver::{Error, Options};
use crate::router::config::Config;

impl EventLoop {
    /// Stops the router, and starts it again with the startup configuration. Ends all sessions at
    /// the console.
    ///
    /// The devices of the emulated hosts stay, because only the lab can connect these devices to
    /// the LANs. The network stacks of the hosts start again.
    ///
    /// # Errors
    /// The startup configuration cannot be read, or the router cannot start.
    pub fn restart(mut self, console_socket: Option<&Path>) -> Result<Self, Error> {
        info!("restarting, because a user has typed reload");
        let hosts = mem::take(&mut self.hosts);
        let running = self.router.config().clone();
        let options = self.options.clone();
        self.stop();
        drop(self);
        let mut config = startup(&options)?;
        keep_hosts(&mut config, running);
        EventLoop::begin(config, console_socket, options, hosts)
    }
}

fn startup(options: &Options) -> Result<Config, Error> {
    let path = options.files.to_read().unwrap_or(Path::new(""));
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(Error::during(format!("reading {name}")))?;
    let Reading { config, report } = read_config(&name, text.trim_start_matches('\u{feff}'));
    report.log_lines().iter().for_each(|line| warn!("{line}"));
    Ok(config)
}
