//! Builds a simulation from a lab file. The command `lab up` builds the same lab in network
//! namespaces.

use std::collections::BTreeMap;

use super::error::bad_port;
use super::link::LinkConfig;
use super::node::Node as SimNode;
use super::{Sim, SimError};
use crate::console::{Reading, read_config};
use crate::host::HostConfig;
use crate::lab::Lab;
use crate::lab::file::{LabFile, Node, Port};
use crate::lab::impairment::Impairment;
use crate::rng::Seed;
use crate::router::config::Config;

/// The MTU of a link, in octets, if the lab file does not set the MTU.
const DEFAULT_MTU: u16 = 1500;

/// Parses the configuration of each router of a lab. The keys of the map are the names of the
/// nodes.
///
/// # Errors
/// An error if the lab does not contain the configuration file of a router. A wrong line of a
/// configuration is not an error: it is logged, and the other lines are applied.
pub fn parse_configs(lab: &Lab) -> Result<BTreeMap<String, Config>, SimError> {
    let wrong = |error: &dyn std::fmt::Display| SimError::Config(error.to_string());
    let parsed = lab.file.routers().map(|(name, file)| {
        let text = lab.text(file).map_err(|error| wrong(&error))?;
        let Reading { config, report } = read_config(&lab.path(file), text);
        report.log_lines().iter().for_each(|line| log::warn!("{line}"));
        Ok((name.to_owned(), config))
    });
    parsed.collect()
}

impl Sim {
    /// Builds a lab. Every node is switched on at [`crate::time::Time::ZERO`].
    ///
    /// # Errors
    /// An error if a router has no configuration, or if one of these calls fails: [`Sim::connect`],
    /// [`Sim::add_host`], or `ip route` of the simulated kernel.
    pub fn build(
        lab: &LabFile,
        configs: &BTreeMap<String, Config>,
        seed: Seed,
    ) -> Result<Sim, SimError> {
        Sim::new(seed).built(lab, configs)
    }

    /// Builds a lab in this simulation, which must be empty. The lab is the same as after
    /// [`Sim::build`].
    ///
    /// # Errors
    /// The same errors as those of [`Sim::build`].
    pub fn built(
        mut self,
        lab: &LabFile,
        configs: &BTreeMap<String, Config>,
    ) -> Result<Sim, SimError> {
        self.host_names = lab.host_names();
        for (name, node) in &lab.nodes {
            match node {
                Node::Router { .. } | Node::Forwarder { .. } => {
                    self.add_forwarder(name)?;
                }
                Node::Host(host) => {
                    let config = HostConfig {
                        name: name.clone(),
                        addresses: host.addresses.clone(),
                        gateways: host.gateways.clone(),
                        mtu: port_mtu(lab, name, &host.device),
                        mac: None,
                    };
                    let id = self.add_host(name, &host.device, config)?;
                    if let SimNode::Host(node) = &mut self.nodes[id.0].node {
                        node.is_emulated = host.emulated;
                    }
                }
            }
        }
        self.connect_all(lab)?;
        for (name, node) in &lab.nodes {
            match node {
                Node::Host(_) => {}
                Node::Forwarder { .. } => self.configure_forwarder(name, node)?,
                Node::Router { config } => {
                    let missing = || SimError::Config(format!("{name}: {config} is missing"));
                    let config = configs.get(name).ok_or_else(missing)?.clone();
                    self.start_router(name, config)?;
                }
            }
        }
        Ok(self)
    }

    fn connect_all(&mut self, lab: &LabFile) -> Result<(), SimError> {
        for link in &lab.links {
            let config = LinkConfig {
                name: link.name(),
                mtu: link.mtu.unwrap_or(DEFAULT_MTU),
                impairment: link.impairment,
            };
            self.connect(config, &ports(&link.ends), false)?;
        }
        for lan in &lab.lans {
            let config = LinkConfig {
                name: lan.name.clone(),
                mtu: lan.mtu.unwrap_or(DEFAULT_MTU),
                impairment: Impairment::default(),
            };
            self.connect(config, &ports(&lan.ports), true)?;
        }
        Ok(())
    }

    /// Sets a device up. A device that goes down loses its static routes. Therefore a node without
    /// LISP gets its routes from the lab file again. A route is left out if its gateway is still
    /// out of reach.
    pub(super) fn set_port_up(
        &mut self,
        file: &LabFile,
        name: &str,
        device: &str,
    ) -> Result<(), SimError> {
        self.set_port(name, device, true)?;
        let Some(Node::Forwarder { routes, .. }) = file.nodes.get(name) else {
            return Ok(());
        };
        self.with_kernel(name, |kernel| {
            for (&prefix, &gateway) in routes {
                let _ = kernel.add_static(prefix, gateway);
            }
        })
    }

    /// Sets up the devices of a node without LISP, and adds the node's addresses and routes from
    /// the lab file.
    fn configure_forwarder(&mut self, name: &str, node: &Node) -> Result<(), SimError> {
        let Node::Forwarder { addresses, routes } = node else {
            return Ok(());
        };
        self.with_kernel(name, |kernel| {
            for (device, addresses) in addresses {
                let id = kernel.device_id(device).ok_or_else(|| bad_port(name, device))?;
                kernel.set_up(id, true);
                for &address in addresses {
                    kernel.add_address(id, address);
                }
            }
            for (&prefix, &gateway) in routes {
                kernel.add_static(prefix, gateway).map_err(|error| SimError::Route {
                    name: name.to_owned(),
                    prefix,
                    error,
                })?;
            }
            Ok(())
        })?
    }
}

fn ports(ports: &[Port]) -> Vec<(&str, &str)> {
    ports.iter().map(|port| (port.node.as_str(), port.device.as_str())).collect()
}

fn port_mtu(lab: &LabFile, node: &str, device: &str) -> u16 {
    let is_it = |port: &Port| port.node == node && port.device == device;
    let link = lab.links.iter().find(|link| link.ends.iter().any(is_it));
    let lan = lab.lans.iter().find(|lan| lan.ports.iter().any(is_it));
    let mtu = link.and_then(|link| link.mtu).or(lan.and_then(|lan| lan.mtu));
    mtu.unwrap_or(DEFAULT_MTU)
}
