//! `lab testbed`: describes the telnet ports of a lab for programs that log in to routers.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;

/// The program that reads the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A testbed of pyATS, in YAML.
    Pyats,
    /// An inventory of Ansible, in YAML, for the module `ansible.netcommon.telnet`.
    Ansible,
    /// The devices of netmiko, in JSON: a list of the arguments of `ConnectHandler`.
    Netmiko,
}

/// A router to which a program can log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The name of the node in the lab.
    pub node: String,
    /// The hostname of the router. The router's prompt begins with it.
    pub hostname: String,
    /// The telnet port of the router on 127.0.0.1.
    pub port: u16,
    /// The password of the router. It is empty if the router does not ask for a password.
    pub password: String,
}

/// The arguments of netmiko's `ConnectHandler` for a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NetmikoDevice {
    /// The type of device, from which netmiko chooses its class: `cisco_ios_telnet`.
    pub device_type: String,
    /// The IP address to which netmiko connects.
    pub host: String,
    /// The telnet port.
    pub port: u16,
    /// The password. It is empty if the router does not ask for a password.
    pub password: String,
}

/// Returns the description of the routers of the lab `name`.
pub fn testbed(name: &str, devices: &[Device], format: Format) -> String {
    match format {
        Format::Pyats => pyats(name, devices),
        Format::Ansible => ansible(name, devices),
        Format::Netmiko => netmiko(devices),
    }
}

/// Returns a text between quotation marks, as JSON. This form is also valid in YAML.
fn quoted(text: &str) -> serde_json::Value {
    serde_json::Value::String(text.to_owned())
}

fn pyats(name: &str, devices: &[Device]) -> String {
    let mut out = format!("testbed:\n  name: {}\ndevices:\n", quoted(name));
    for Device { node, hostname, port, password } in devices {
        // The key of a device is its hostname, because pyATS searches for the hostname in the
        // prompt to find the end of an answer.
        let (hostname, node, password) = (quoted(hostname), quoted(node), quoted(password));
        let _ = write!(
            out,
            "  {hostname}:\n    alias: {node}\n    type: router\n    os: iosxe\n    credentials:\n      \
             default:\n        username: \"\"\n        password: {password}\n      enable:\n        \
             password: {password}\n    connections:\n      defaults:\n        class: unicon.Unicon\n      \
             cli:\n        protocol: telnet\n        ip: 127.0.0.1\n        port: {port}\n"
        );
    }
    out
}

fn ansible(name: &str, devices: &[Device]) -> String {
    let group = name.replace('-', "_");
    let mut out = format!("all:\n  children:\n    {group}:\n      hosts:\n");
    for Device { node, port, password, .. } in devices {
        let (node, password) = (quoted(node), quoted(password));
        let _ = write!(
            out,
            "        {node}:\n          ansible_host: 127.0.0.1\n          ansible_port: {port}\n          \
             ansible_password: {password}\n"
        );
    }
    out + "      vars:\n        ansible_connection: local\n        ansible_network_os: cisco.ios.ios\n"
}

fn netmiko(devices: &[Device]) -> String {
    let device = |device: &Device| NetmikoDevice {
        device_type: "cisco_ios_telnet".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: device.port,
        password: device.password.clone(),
    };
    let devices: Vec<NetmikoDevice> = devices.iter().map(device).collect();
    format!("{:#}\n", serde_json::json!(devices))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices() -> Vec<Device> {
        let device = |node: &str, port, password: &str| Device {
            node: node.to_owned(),
            hostname: node.to_uppercase(),
            port,
            password: password.to_owned(),
        };
        vec![device("xtr1", 2001, ""), device("xtr2", 2002, "a\"b: #c")]
    }

    #[test]
    fn a_pyats_testbed_names_each_router_by_its_hostname() {
        let text = testbed("two-sites", &devices(), Format::Pyats);
        for part in [
            "testbed:\n  name: \"two-sites\"\ndevices:\n  \"XTR1\":\n    alias: \"xtr1\"\n",
            "        protocol: telnet\n        ip: 127.0.0.1\n        port: 2002\n",
            r#"        password: "a\"b: #c""#,
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }

    #[test]
    fn an_inventory_has_the_ports() {
        let text = testbed("two-sites", &devices(), Format::Ansible);
        assert!(text.starts_with("all:\n  children:\n    two_sites:\n      hosts:\n"), "{text}");
        assert!(text.contains("ansible_port: 2002\n"), "{text}");
        let text = testbed("two-sites", &devices(), Format::Netmiko);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json[1]["port"], 2002);
        assert_eq!(json[1]["password"], "a\"b: #c");
    }
}
