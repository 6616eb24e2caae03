//! Labs for other programs: an export is a description of the same lab, and the import reads it again.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use eidway::lab::export::{Files, containerlab};
use eidway::lab::file::{LabFile, Lan, Link, Node};
use eidway::lab::starter::Parts;
use eidway::lab::{Lab, built_in};
use eidway::netns::import::{Imported, import};

/// A lab with each key that a lab file has.
const ALL_KEYS: &str = r#"name = "all-keys"
title = "A \"title\" with: signs"

[nodes.R]
kind = "router"
config = "sub/r.conf"

[nodes.on]
kind = "node"
position = [1.5, -2]
addresses.eth0 = ["203.0.113.1/24"]
addresses.lo = ["192.0.2.1/32"]
routes = { "198.51.100.0/24" = "203.0.113.9", "::/0" = "2001:db8::9" }

[nodes.A]
kind = "host"
addresses = ["172.16.0.12/24", "2001:db8:a::12/64"]
gateways = ["172.16.0.1", "fe80::1"]
mac = "02:00:00:00:00:0a"
run = ["sleep 1000", "echo 'a: b' | cat; sleep 9"]

[nodes.B]
kind = "host"
emulated = true
addresses = ["172.16.0.13/24"]

[[links]]
endpoints = ["R:Ethernet0/0", "on:eth0"]
mtu = 1400
offload = true
delay = "2.5ms"
loss = 1

[[links]]
endpoints = ["R:GigabitEthernet0/0.100", "on:eth1"]

[[lans]]
name = "site"
ports = ["A:eth0", "B:eth0", "R:Ethernet1/0"]
mtu = 1300
offload = true

[[lans]]
name = "empty"
ports = []

[[lans]]
name = "one"
ports = ["on:eth2"]

[[lans]]
name = "two"
ports = ["on:eth3", "R:Ethernet2/0"]
"#;

const R: &str = "hostname R\ninterface Ethernet0/0\n ip address 203.0.113.9 255.255.255.0\n\
                 interface GigabitEthernet0/0.100\n ip address 10.0.0.1 255.255.255.0\n\
                 interface Ethernet1/0\n ip address 172.16.0.1 255.255.255.0\n\
                 interface Ethernet2/0\nend\n";

fn all_keys() -> Lab {
    let file = LabFile::parse("lab.toml", ALL_KEYS).unwrap();
    Lab::new(file, [("sub/r.conf".to_owned(), Ok(R.to_owned()))].into())
}

/// A lab in which the program has chosen the addresses and routes of the core.
fn automatic() -> Lab {
    let name = "automatic".to_owned();
    let parts = Parts { name, sites: 3, resolvers: 2, proxy: true, ipv6: true, hosts: 1 };
    let mut files: BTreeMap<String, String> = parts.files().into_iter().collect();
    let file = LabFile::parse("lab.toml", &files.remove("lab.toml").unwrap()).unwrap();
    Lab::new(file, files.into_iter().map(|(path, text)| (path, Ok(text))).collect())
}

/// Writes the files of an export, and returns the topology file.
fn written(files: &Files) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        fs::write(directory.path().join(path), text).unwrap();
    }
    let topology = directory.path().join(&files[0].0);
    (directory, topology)
}

/// Imports the export of a lab after a change of its topology file.
fn imported(lab: &Lab, change: impl FnOnce(String) -> String) -> Result<Imported, String> {
    let mut files = containerlab::export(lab).unwrap();
    let text = std::mem::take(&mut files[0].1);
    files[0].1 = change(text);
    let (_directory, topology) = written(&files);
    import(&topology).map_err(|failure| failure.to_string())
}

/// The lab of these files.
fn lab(imported: &Imported) -> Lab {
    let mut texts: BTreeMap<_, _> =
        imported.files.iter().cloned().map(|(path, text)| (path, Ok(text))).collect();
    let text = texts.remove("lab.toml").unwrap().unwrap();
    Lab::new(LabFile::parse("lab.toml", &text).unwrap(), texts)
}

/// All parts of a lab that an export has. The order of the LANs has no meaning.
fn parts(lab: &Lab) -> impl PartialEq + std::fmt::Debug {
    let config = |node: &str, path: &str| (node.to_owned(), lab.text(path).unwrap().to_owned());
    let configs: Vec<_> = lab.file.routers().map(|(node, path)| config(node, path)).collect();
    let others = lab.file.nodes.iter().filter(|(_, node)| !matches!(node, Node::Router { .. }));
    let others: Vec<(String, Node)> =
        others.map(|(name, node)| (name.clone(), node.clone())).collect();
    let link = |link: &Link| (link.ends.clone(), link.mtu, link.offload, link.impairment);
    let links: Vec<_> = lab.file.links.iter().map(link).collect();
    let mut lans: Vec<Lan> = lab.file.lans.clone();
    lans.sort_by(|a, b| a.name.cmp(&b.name));
    let LabFile { name, title, positions, .. } = &lab.file;
    (name.clone(), title.clone(), positions.clone(), configs, others, links, lans)
}

#[test]
fn the_import_of_an_export_is_the_same_lab() {
    let mut labs = vec![all_keys(), automatic()];
    labs.extend(built_in::names().map(|name| built_in::find(name).unwrap().unwrap()));
    for original in labs {
        let again = imported(&original, |text| text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(parts(&lab(&again)), parts(&original), "{}", original.name);
    }
}

#[test]
fn names_and_links_can_be_changed_before_the_import() {
    let lab = lab(&imported(&built_in::find("two-sites").unwrap().unwrap(), |text| {
        let renamed = text.replace("name: two-sites", "name: mine").replace("    Core:", "    P:");
        let renamed = renamed.replace("\"Core:", "\"P:").replace("lan: \"site1\"", "lan: \"left\"");
        renamed.replace("      mtu: 1500\n    - endpoints: [\"MSMR", "    - endpoints: [\"MSMR")
    })
    .unwrap());
    assert_eq!(lab.name, "mine");
    assert!(lab.file.nodes.contains_key("P") && !lab.file.nodes.contains_key("Core"));
    assert_eq!(lab.file.lans[0].name, "left");
    assert_eq!(lab.file.links.len(), 3);
}

#[test]
fn a_part_that_is_not_of_a_lab_is_an_error_with_its_line() {
    let original = all_keys();
    for (from, to, message, line) in [
        ("    kind: linux\n", "    kind: srl\n", "no nodes of the kind \"srl\"", "kind: srl"),
        ("      group: host\n", "", "A is not a node of Eidway: it has no group", "A:"),
        ("group: host", "group: spine", "A is not a node of Eidway", "group: spine"),
        ("network-mode: none", "network-mode: host", "no management network", "network-mode"),
        ("name: all-keys\n", "name: all-keys\nprefix: x\n", "unknown field `prefix`", "prefix: x"),
        ("image: alpine:3", "image: nginx", "cannot have another image", "image: nginx"),
        ("ip_forward: 1", "ip_forward: 0", "net.ipv4.ip_forward = 1", "ip_forward: 0"),
        ("accept_ra: 0", "accept_redirects: 0", "cannot have the sysctl", "accept_redirects"),
        ("- ip address add 172.16.0.12/24 dev eth0", "- apk add nginx", "have this command", "apk"),
        ("172.16.0.12/24 dev eth0", "172.16.0.12/24 dev eth7", "no link at eth7", "eth7"),
        ("add 172.16.0.12/24", "add 172.16.0.300/24", "addresses must be", "172.16.0.300"),
        ("203.0.113.1/24 dev eth0", "203.0.113.1/24 dev e9", "has no link", "203.0.113.1/24"),
        ("\"R:et0-0\"", "\"R:et9-9\"", "no interface for et9-9", "R:et9-9"),
        ("\"R:et0-0\"", "\"Z:et0-0\"", "the lab has no node \"Z\"", "Z:et0-0"),
        ("\"on:eth1\"", "\"on:eth0\"", "the port on:eth0 is used twice", "on:eth0"),
        ("loss: 1", "loss: 101", "a percentage from 0% to 100% is expected", "loss: 101"),
        ("loss: 1", "lost: 1", "unknown field `lost`", "lost: 1"),
        ("cmd: router", "cmd: bash", "the command of a router", "bash /etc"),
        ("R.conf:/etc", "S.conf:/etc", "S.conf: No such file", "S.conf"),
        (
            ":/etc/eidway/hosts:ro",
            ":/etc/passwd",
            "cannot have the file \"/etc/passwd\"",
            "/etc/passwd",
        ),
        (
            "ip link set dev A.eth0 master lan",
            "ip link set dev lan up",
            "the device A.eth0",
            "lan-",
        ),
        ("eidway-emulated", "color", "\"color\" is not a label", "color"),
        ("\"1.5 -2\"", "\"1.5\"", "is not a position", "1.5"),
        (
            "    - endpoints: [\"R:et0-0\", \"on:eth0\"]",
            "    - endpoints: [\"R:et0-0\"]",
            "two endpoints",
            "R:et0-0",
        ),
        ("mtu: 1300", "mtu: 1301", "the same mtu and the same vars", "endpoints"),
        ("  nodes:\n", "  nodes: [\n", "expected", "nodes: ["),
    ] {
        let error = imported(&original, |text| {
            assert!(text.contains(from), "{from:?} is not in\n{text}");
            text.replacen(from, to, 1)
        })
        .expect_err(&format!("{to:?} is refused"));
        assert!(error.contains(message), "{to}: expected {message:?} in\n{error}");
        assert!(error.contains("all-keys.clab.yml:"), "{to}: no file and line in\n{error}");
        let shown = error.lines().any(|shown| shown.contains(" | ") && shown.contains(line));
        assert!(shown, "{to}: the line with {line:?} is not shown in\n{error}");
    }
}

#[test]
fn a_name_that_containerlab_refuses_is_an_error() {
    let text = "name = \"x\"\nnodes._a.kind = \"node\"\n";
    let lab = Lab::new(LabFile::parse("lab.toml", text).unwrap(), BTreeMap::new());
    let error = containerlab::export(&lab).unwrap_err().to_string();
    assert!(error.contains("_a as the name of a node"), "{error}");
}

#[test]
fn the_sysctls_of_an_export_are_those_of_labs_in_namespaces() {
    let script = include_str!("../netns-scripts/node-add");
    for (key, value) in containerlab::SYSCTLS.iter().chain(&containerlab::FORWARDING) {
        // A namespace has IPv6 by itself. A container may not.
        let setting = format!("{}={value}", key.replace('.', "/"));
        assert!(script.contains(&setting) || key.ends_with("disable_ipv6"), "{setting}");
    }
}

#[test]
fn the_command_line_exports_and_imports() {
    let directory = tempfile::tempdir().unwrap();
    let eidway = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eidway"));
        command.args(args).current_dir(directory.path()).output().unwrap()
    };
    let exported = eidway(&["lab", "export", "two-sites", "--containerlab", "out"]);
    assert!(exported.status.success(), "{exported:?}");
    let dockerfile = fs::read_to_string(directory.path().join("out/Dockerfile")).unwrap();
    assert!(dockerfile.contains("\nFROM scratch\nCOPY eidway "), "{dockerfile}");
    let imported = eidway(&["lab", "import", "out/two-sites.clab.yml"]);
    assert!(imported.status.success(), "{imported:?}");
    let checked = eidway(&["lab", "check", "lab/two-sites", "--sim"]);
    assert!(checked.status.success(), "{checked:?}");
    let twice = eidway(&["lab", "import", "out/two-sites.clab.yml"]);
    assert_eq!(twice.status.code(), Some(1), "{twice:?}");
    let shown = eidway(&["lab", "show", "gsmr", "--with", "roaming"]);
    assert!(shown.status.success(), "{shown:?}");
}
