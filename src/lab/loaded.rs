//! A loaded lab: its lab file, and the texts of its other files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::failure::Failure;
use super::file::{Host, LabFile, Lan, Port};
use crate::router::config::InterfaceName;

/// The name of the directory of scenarios, inside a lab's directory.
pub const SCENARIOS: &str = "scenarios";

/// The texts of files by their paths in the lab's directory, or the reason why one cannot be read.
pub type Texts = BTreeMap<String, Result<String, String>>;

/// A lab with its name at run time.
#[derive(Clone, Debug)]
pub struct Lab {
    /// The name in its namespaces' names: the name in the lab file, unless the user gave another.
    pub name: String,
    /// Its lab file.
    pub file: LabFile,
    /// The directory of its files. `None` if the texts are in no directory: a built-in lab, or a
    /// lab with overlays.
    pub directory: Option<PathBuf>,
    /// The path of this directory in messages.
    pub called: PathBuf,
    /// The arguments of `eidway lab up` for this lab: `gsmr`, or `DIRECTORY --name NAME`.
    pub asked_for: String,
    texts: Texts,
}

impl Lab {
    /// A lab in no directory, under its own name, which is also the argument of `eidway lab up`.
    /// `texts` are its configurations, scenarios and overlays.
    pub fn new(file: LabFile, texts: Texts) -> Self {
        let name = file.name.clone();
        let (asked_for, called) = (name.clone(), PathBuf::from(&name));
        Lab { name, file, directory: None, called, asked_for, texts }
    }

    /// The text of a file of the lab, such as a router's configuration.
    ///
    /// # Errors
    /// A file that the lab does not have, or that could not be read.
    pub fn text(&self, file: &str) -> Result<&str, Failure> {
        match self.texts.get(file) {
            Some(Ok(text)) => Ok(text),
            Some(Err(why)) => Err(Failure::new(why)),
            None => Err(Failure::Other(format!("{}: no such file", self.path(file)))),
        }
    }

    /// Replaces the text of a file of the lab.
    pub fn set_text(&mut self, file: &str, text: String) {
        self.texts.insert(file.to_owned(), Ok(text));
    }

    /// The texts that could be read, by their paths in the lab's directory.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().filter_map(|(file, text)| Some((file.as_str(), text.as_deref().ok()?)))
    }

    /// The path of a file of the lab, as messages name it.
    pub fn path(&self, file: &str) -> String {
        self.called.join(file).display().to_string()
    }

    /// The names of the files in a directory of the lab, in order; none if there is no such
    /// directory.
    pub fn files_in(&self, directory: &str) -> Vec<&str> {
        let files = self.texts.keys();
        files.filter_map(|file| file.strip_prefix(directory)?.strip_prefix('/')).collect()
    }

    /// This lab with more configuration for its routers, by node. Each configuration becomes
    /// `NODE.conf`. `name` is the name of the overlays after `--with`.
    ///
    /// # Errors
    /// A configuration that could not be read.
    pub fn with_overlay(
        &self,
        name: &str,
        overlays: &BTreeMap<String, String>,
    ) -> Result<Lab, Failure> {
        let file = self.file.with_configs_beside()?;
        let mut texts = self.texts.clone();
        // The path of a configuration may be outside the lab's directory: a copy has no such path.
        texts.retain(|file, _| file.starts_with(&format!("{SCENARIOS}/")));
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

    /// Refuses a node that the lab does not have.
    pub fn expect_node(&self, node: &str) -> Result<(), Failure> {
        if self.file.nodes.contains_key(node) {
            return Ok(());
        }
        let nodes: Vec<_> = self.file.nodes.keys().map(String::as_str).collect();
        Err(Failure::Other(format!(
            "lab {} has no node {node:?}: it has {}",
            self.name,
            nodes.join(", ")
        )))
    }

    /// The configuration file of a router; an error for any other node.
    pub fn expect_router(&self, node: &str) -> Result<&str, Failure> {
        self.expect_node(node)?;
        let mut routers = self.file.routers();
        let found = routers.find(|(name, _)| *name == node);
        found
            .map(|(_, config)| config)
            .ok_or_else(|| Failure::Other(format!("{node} is no router")))
    }

    /// A host of the lab; an error for any other node.
    pub fn expect_host(&self, node: &str) -> Result<&Host, Failure> {
        self.expect_node(node)?;
        let found = self.file.hosts().find(|(name, _)| *name == node);
        found.map(|(_, host)| host).ok_or_else(|| Failure::Other(format!("{node} is no host")))
    }

    /// The Linux device of a node's interface. The interface of a router may have any spelling of
    /// IOS.
    ///
    /// # Errors
    /// A node or an interface that the lab does not have.
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
                    "{node} has no interface {interface:?}: it has {names}"
                )))
            }
        }
    }

    /// The LAN that `to` names for a host: the LAN of a router, or of `ROUTER:INTERFACE`. For a
    /// router with several LANs, it is the LAN of the host in the lab file.
    ///
    /// # Errors
    /// A router that the lab does not have, or that has no suitable LAN.
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
                Err(Failure::Other(format!("{to} has several LANs: {}", names.join(", "))))
            }
        }
    }
}

impl Lan {
    /// The port of a router.
    ///
    /// # Errors
    /// A router without a port on this LAN.
    pub fn port_of(&self, router: &str) -> Result<&Port, Failure> {
        let port = self.ports.iter().find(|port| port.node == router);
        port.ok_or_else(|| Failure::Other(format!("{router} has no LAN")))
    }
}

/// A configuration with an overlay added.
pub fn overlaid(text: &str, overlay: &str) -> String {
    let base = text.trim_end();
    // Removes only the last line `end` of a whole configuration, not the end of "hostname friend".
    let base = base.strip_suffix("\nend").unwrap_or(base);
    format!("{base}\n{overlay}end\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::built_in;

    #[test]
    fn an_overlay_stands_on_lines_of_its_own_before_the_end() {
        for base in ["hostname friend\n", "hostname friend", "hostname friend\nend\n"] {
            assert_eq!(overlaid(base, "ip routing\n"), "hostname friend\nip routing\nend\n");
        }
    }

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
