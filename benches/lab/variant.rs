//! The compared ways to connect the sites. Each variant is set up on the same topology.

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::topology::{A, B, Topology, XTR1, XTR2, run};
use crate::{Outcome, cpu, oor};

/// The longest time until the hosts reach each other.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);

/// In the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Variant {
    /// Kernel routing, no tunnel; the core knows the sites' prefixes
    Plain,
    /// The kernel's VXLAN device between the xTRs
    Vxlan,
    /// Eidway as it is started by default
    Eidway,
    /// Eidway with its fast path for all packets, also small ones at a high rate
    EidwayKernel,
    /// Eidway without its fast path
    EidwayUser,
    /// Eidway without its fast path, a packet a read and a send
    EidwayNoOffload,
    /// OpenOverlayRouter, from Debian's package, unpacked
    Oor,
}

impl Variant {
    /// Returns the name of the variant in JSON and in `--only`.
    pub fn key(self) -> &'static str {
        match self {
            Variant::Plain => "plain",
            Variant::Vxlan => "vxlan",
            Variant::Eidway => "eidway",
            Variant::EidwayKernel => "eidway-kernel",
            Variant::EidwayUser => "eidway-user",
            Variant::EidwayNoOffload => "eidway-no-offload",
            Variant::Oor => "oor",
        }
    }

    /// As a table names it.
    pub fn title(self) -> &'static str {
        match self {
            Variant::Plain => "plain routing, no tunnel",
            Variant::Vxlan => "kernel VXLAN",
            Variant::Eidway => "Eidway",
            Variant::EidwayKernel => "Eidway --data-path kernel",
            Variant::EidwayUser => "Eidway --data-path user",
            Variant::EidwayNoOffload => "Eidway --data-path user --no-offload",
            Variant::Oor => "OpenOverlayRouter",
        }
    }
}

/// The programs that a variant leaves running.
pub struct Setting {
    pub topology: Topology,
    /// Of the two xTRs.
    routers: Vec<Child>,
    map_server: Option<Child>,
}

impl Setting {
    /// Builds a topology and sets the variant up on it. Returns when A reaches B. Configurations
    /// and logs go to `scratch`.
    pub fn new(variant: Variant, lab: &str, scratch: &Path) -> Outcome<Self> {
        let topology = Topology::build(lab)?;
        let mut setting = Setting { topology, routers: Vec::new(), map_server: None };
        let scratch = scratch.join(variant.key());
        fs::create_dir_all(&scratch)?;
        match variant {
            Variant::Plain => setting.plain()?,
            Variant::Vxlan => setting.vxlan()?,
            Variant::Eidway => setting.eidway(&[], &scratch)?,
            Variant::EidwayKernel => setting.eidway(&["--data-path", "kernel"], &scratch)?,
            Variant::EidwayUser => setting.eidway(&["--data-path", "user"], &scratch)?,
            Variant::EidwayNoOffload => {
                setting.eidway(&["--data-path", "user", "--no-offload"], &scratch)?;
            }
            Variant::Oor => setting.oor(&scratch)?,
        }
        setting.await_path()?;
        Ok(setting)
    }

    /// Returns the CPU seconds that the programs of the two xTRs have used. It is 0 for a variant
    /// that runs only in the kernel.
    pub fn routers_seconds(&self) -> Outcome<f64> {
        self.routers.iter().map(|router| cpu::of_process(router.id())).sum()
    }

    /// Returns the CPU seconds that the map-server has used.
    pub fn map_server_seconds(&self) -> Outcome<f64> {
        let map_server = self.map_server.as_ref().ok_or("this variant has no map-server")?;
        cpu::of_process(map_server.id())
    }

    fn plain(&self) -> Outcome<()> {
        self.topology.address_routers()?;
        self.topology.route("core", "172.16.0.0/24", &XTR1.to_string())?;
        self.topology.route("core", "192.168.0.0/24", &XTR2.to_string())
    }

    fn vxlan(&self) -> Outcome<()> {
        self.topology.address_routers()?;
        let ends = [
            ("xTR1", XTR1, XTR2, "10.255.0.1", "192.168.0.0/24", "10.255.0.2"),
            ("xTR2", XTR2, XTR1, "10.255.0.2", "172.16.0.0/24", "10.255.0.1"),
        ];
        for (node, local, remote, address, site, next_hop) in ends {
            let vxlan = format!(
                "link add vx0 mtu 1450 type vxlan id 1 local {local} remote {remote} dstport 4789"
            );
            self.topology.ip(node, &vxlan)?;
            self.topology.ip(node, &format!("address add {address}/24 dev vx0"))?;
            self.topology.ip(node, "link set vx0 up")?;
            self.topology.route(node, site, next_hop)?;
        }
        Ok(())
    }

    fn eidway(&mut self, options: &[&str], scratch: &Path) -> Outcome<()> {
        let program = Path::new(env!("CARGO_BIN_EXE_eidway"));
        let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/lab/conf");
        let socket = |node: &str| scratch.join(format!("{node}.sock"));
        for node in ["MSMR", "xTR1", "xTR2"] {
            let mut command = self.topology.command(node, program);
            command.arg("router").arg(configs.join(format!("{node}.conf"))).args(options);
            let child = spawn(command.arg("--console").arg(socket(node)), scratch, node)?;
            if node == "MSMR" {
                self.map_server = Some(child);
                await_that("MSMR has a console", || socket(node).exists())?;
            } else {
                self.routers.push(child);
            }
        }
        // If a router asks before both sites are registered, it keeps a negative mapping for a
        // minute.
        let ask = |command: &str| {
            let mut console = Command::new(program);
            run(console.arg("console").arg(socket("MSMR")).args(["-c", command]))
        };
        let registered = || {
            ask("show lisp site summary json")
                .ok()
                .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
                .is_some_and(|summary| summary["registrations"] == 2)
        };
        await_that("both sites are registered", registered)
    }

    fn oor(&mut self, scratch: &Path) -> Outcome<()> {
        let unpacked = PathBuf::from(std::env::var_os("EIDWAY_BENCH_OOR").ok_or(
            "Debian's package openoverlayrouter cannot be had here (benches/lab.sh fetches it)",
        )?);
        self.topology.address_routers()?;
        for site in oor::SITES {
            let config = scratch.join(format!("{}.conf", site.node));
            fs::write(&config, oor::config(&site))?;
            let mut command = self.topology.command(site.node, unpacked.join("usr/sbin/oor"));
            command
                .args(["-f".as_ref(), config.as_os_str()])
                .env("LD_LIBRARY_PATH", unpacked.join("usr/lib/x86_64-linux-gnu"))
                .current_dir(scratch);
            self.routers.push(spawn(&mut command, scratch, site.node)?);
        }
        Ok(())
    }

    /// Waits until the hosts reach each other in both directions.
    fn await_path(&self) -> Outcome<()> {
        for (host, peer) in [("A", B), ("B", A)] {
            await_that(&format!("{host} reaches {peer}"), || self.echoes(host, peer))?;
        }
        Ok(())
    }

    fn echoes(&self, host: &str, peer: Ipv4Addr) -> bool {
        let mut ping = self.topology.command(host, "ping");
        run(ping.args(["-q", "-c", "1", "-W", "1"]).arg(peer.to_string())).is_ok()
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        // With the signal TERM, a router can withdraw its registrations. Without it, the end of the
        // topology would kill the router.
        for router in self.routers.iter_mut().chain(&mut self.map_server) {
            if let Some(pid) = rustix::process::Pid::from_raw(router.id() as i32) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
        }
        for router in self.routers.iter_mut().chain(&mut self.map_server) {
            let _ = await_that("a router ends", || !matches!(router.try_wait(), Ok(None)));
        }
    }
}

fn spawn(command: &mut Command, scratch: &Path, node: &str) -> Outcome<Child> {
    let log = File::create(scratch.join(format!("{node}.log")))?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(command.spawn().map_err(|error| format!("{command:?}: {error}"))?)
}

fn await_that(what: &str, mut is_so: impl FnMut() -> bool) -> Outcome<()> {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        if Instant::now() > deadline {
            return Err(format!("not within {} s: {what}", PATIENCE.as_secs()).into());
        }
        thread::sleep(POLL);
    }
    Ok(())
}
