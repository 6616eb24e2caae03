//! A loaded lab: the lab file and the texts of the lab's other files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::auto_core::{self, Chosen};
use super::failure::Failure;
use super::file::{Core, Host, LabFile, Lan, Port};
use super::texts::{Texts, overlaid};
use crate::router::config::InterfaceName;

/// The name of the directory of scenarios. It is in the directory of the lab.
pub const SCENARIOS: &str = "scenarios";

/// The name of the directory of lessons. It is in the directory of the lab.
pub const LESSONS: &str = "lessons";

/// A lab, and the name under which it runs.
#[derive(Clone, Debug)]
pub struct Lab {
    /// The name that is used in the names of namespaces. It is the name in the lab file, unless the
    /// user has given another name.
    pub name: String,
    /// The lab file.
    pub file: LabFile,
    /// The directory with the files of the lab. `None` if no directory has these texts: the lab is
    /// a built-in lab or has overlays.
    pub directory: Option<PathBuf>,
    /// The path of the directory, for messages.
    pub called: PathBuf,
    /// The arguments of `eidway lab up` that bring up this lab: `gsmr`, or `DIRECTORY --name NAME`.
    pub asked_for: String,
    /// The addresses and routes that this program has chosen, if the lab file has `core = "auto"`.
    /// `file` and `texts` already contain these addresses and routes.
    pub chosen: Chosen,
    texts: Texts,
}

impl Lab {
    /// Creates a lab that is not in a directory. Its name is the name in the lab file. This name is
    /// also the argument of `eidway lab up`. `texts` has the lab's configurations, scenarios and
    /// overlays. If the lab file has `core = "auto"`, the lab gets its missing addresses and
    /// routes.
    pub fn new(mut file: LabFile, mut texts: Texts) -> Self {
        let chosen = match file.core {
            Core::Written => Chosen::default(),
            Core::Auto => auto_core::complete(&mut file, &mut texts),
        };
        let name = file.name.clone();
        let (asked_for, called) = (name.clone(), PathBuf::from(&name));
        Lab { name, file, directory: None, called, asked_for, chosen, texts }
    }

    /// Returns the text of a file of the lab, for example of a router's configuration.
    ///
    /// # Errors
    /// The lab does not have this file, or the file could not be read.
    pub fn text(&self, file: &str) -> Result<&str, Failure> {
        match self.texts.get(file) {
            Some(Ok(text)) => Ok(text),
            Some(Err(why)) => Err(Failure::new(why)),
            None => Err(Failure::Other(format!("the file {} does not exist", self.path(file)))),
        }
    }

    /// Replaces the text of a file of the lab.
    pub fn set_text(&mut self, file: &str, text: String) {
        self.texts.insert(file.to_owned(), Ok(text));
    }

    /// Returns the texts of all files that could be read, each with the file's path in the
    /// directory of the lab.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().filter_map(|(file, text)| Some((file.as_str(), text.as_deref().ok()?)))
    }

    /// Returns the path of a file of the lab, for messages.
    pub fn path(&self, file: &str) -> String {
        self.called.join(file).display().to_string()
    }

    /// Returns the names of the files in a directory of the lab, in alphabetical order. There are
    /// none if this directory does not exist.
    pub fn files_in(&self, directory: &str) -> Vec<&str> {
        let files = self.texts.keys();
        files.filter_map(|file| file.strip_prefix(directory)?.strip_prefix('/')).collect()
    }

    /// Returns this lab with more configuration for its routers. `overlays` has the added
    /// configuration of each router. The configuration of a router becomes the file `NODE.conf`.
    /// `name` is the name of the overlays after the option `--with`.
    ///
    /// # Errors
    /// The configuration of a router could not be read.
    pub fn with_overlay(
        &self,
        name: &str,
        overlays: &BTreeMap<String, String>,
    ) -> Result<Lab, Failure> {
        let file = self.file.with_configs_beside()?;
        let mut texts = self.texts.clone();
        // Only the scenarios and lessons keep their paths. The path of a configuration can lead out
        // of the lab's directory, so the configurations get new paths.
        let is_kept = |file: &str| {
            [SCENARIOS, LESSONS].iter().any(|kept| file.starts_with(&format!("{kept}/")))
        };
        texts.retain(|file, _| is_kept(file));
        texts.insert("lab.toml".to_owned(), Ok(file.text.clone()));
        for ((node, from), (_, to)) in self.file.routers().zip(file.routers()) {
            let text = self.text(from)?;
            let text = match overlays.get(node) {
                Some(overlay) => overlaid(text, overlay),
                None => text.to_owned(),
            };
            texts.insert(to.to_owned(), Ok(text));
        }
        let asked_for = format!("{} --with {name}", self.asked_for);
        Ok(Lab { name: self.name.clone(), asked_for, ..Lab::new(file, texts) })
    }

    /// Checks that the lab has this node. Returns an error otherwise.
    pub fn expect_node(&self, node: &str) -> Result<(), Failure> {
        if self.file.nodes.contains_key(node) {
            return Ok(());
        }
        let nodes: Vec<_> = self.file.nodes.keys().map(String::as_str).collect();
        Err(Failure::Other(format!(
            "lab {} has no node {node:?}: the nodes of the lab are {}",
            self.name,
            nodes.join(", ")
        )))
    }

    /// Returns the configuration file of a router. Returns an error for a node that is not a
    /// router.
    pub fn expect_router(&self, node: &str) -> Result<&str, Failure> {
        self.expect_node(node)?;
        let mut routers = self.file.routers();
        let found = routers.find(|(name, _)| *name == node);
        found
            .map(|(_, config)| config)
            .ok_or_else(|| Failure::Other(format!("{node} is not a router")))
    }

    /// Returns a host of the lab. Returns an error for a node that is not a host.
    pub fn expect_host(&self, node: &str) -> Result<&Host, Failure> {
        self.expect_node(node)?;
        let found = self.file.hosts().find(|(name, _)| *name == node);
        found.map(|(_, host)| host).ok_or_else(|| Failure::Other(format!("{node} is not a host")))
    }

    /// Returns the Linux device of a node's interface. The name of a router's interface may have
    /// any spelling that IOS accepts.
    ///
    /// # Errors
    /// The lab does not have this node or this interface.
    pub fn device(&self, node: &str, interface: &str) -> Result<String, Failure> {
        self.expect_node(node)?;
        let ios = interface.parse::<InterfaceName>();
        let ios = ios.ok().map(|name| name.device());
        let found = self.file.ports().find(|port| {
            port.node == node && (port.device == interface || Some(&port.device) == ios.as_ref())
        });
        match found {
            Some(port) => Ok(port.device.clone()),
            None if matches!(interface, "lo" | "lisp0" | "any") => Ok(interface.to_owned()),
            None => {
                let ports = self.file.ports().filter(|port| port.node == node);
                let names: Vec<_> = ports.map(|port| port.interface.as_str()).collect();
                let names = names.join(", ");
                Err(Failure::Other(format!(
                    "{node} has no interface {interface:?}: its interfaces are {names}"
                )))
            }
        }
    }

    /// Returns the LAN that `to` names: `to` is a router, or `ROUTER:INTERFACE`. If a router has
    /// several LANs, the result is the LAN with the host, according to the lab file.
    ///
    /// # Errors
    /// The lab does not have this router, or the router has no suitable LAN.
    pub fn lan_of(&self, host: &str, to: &str) -> Result<&Lan, Failure> {
        let (router, interface) = match to.split_once(':') {
            Some((router, interface)) => (router, Some(self.device(router, interface)?)),
            None => (to, None),
        };
        self.expect_router(router)?;
        let fits = |lan: &&Lan| {
            lan.ports.iter().any(|port| {
                let is_meant = interface.as_ref().is_none_or(|device| *device == port.device);
                port.node == router && is_meant
            })
        };
        let lans: Vec<&Lan> = self.file.lans.iter().filter(fits).collect();
        let home = |lan: &&&Lan| lan.ports.iter().any(|port| port.node == host);
        match (&lans[..], lans.iter().find(home)) {
            ([lan], _) | (_, Some(lan)) => Ok(lan),
            ([], None) => Err(Failure::Other(format!("{to} has no LAN"))),
            (_, None) => {
                let ports = lans.iter().flat_map(|lan| &lan.ports);
                let ports = ports.filter(|port| port.node == router);
                let names: Vec<String> = ports.map(ToString::to_string).collect();
                Err(Failure::Other(format!(
                    "{to} has several LANs: write one of {}",
                    names.join(", ")
                )))
            }
        }
    }
}

impl Lan {
    /// Returns the port of a router on this LAN.
    ///
    /// # Errors
    /// The router has no port on this LAN.
    pub fn port_of(&self, router: &str) -> Result<&Port, Failure> {
        let port = self.ports.iter().find(|port| port.node == router);
        port.ok_or_else(|| Failure::Other(format!("{router} has no port on the LAN {}", self.name)))
    }
}

#[cfg(test)]
mod tests {
    use crate::lab::built_in;

    #[test]
    fn a_router_means_its_only_lan_or_the_hosts_own() {
        let lab = built_in::find("gsmr").unwrap().unwrap();
        let name = |host: &str, to: &str| lab.lan_of(host, to).map(|lan| lan.name.clone());
        assert_eq!(name("A", "xTR2").unwrap(), "siteB");
        assert_eq!(name("A", "xTR1").unwrap(), "siteA");
        assert_eq!(name("B", "xTR1:Ethernet2/0").unwrap(), "siteC");
        let error = name("B", "xTR1").unwrap_err().to_string();
        assert!(error.contains("xTR1:Ethernet3/0"), "{error}");
        assert!(name("A", "Core1").is_err() && name("A", "nobody").is_err());
    }
}
