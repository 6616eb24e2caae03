//! The EID instances of a configuration. The functions of this file find the instance of a TUN
//! device, of a port, or of a command.
//!
//! A configuration has only one instance. All other files use these functions to find the instance.

use super::config::Config;
use super::interface_name::InterfaceName;
use super::io::Device;
use crate::addr::InstanceId;

impl Config {
    /// The instance of the `eid-table default`.
    fn default_instance(&self) -> InstanceId {
        let tables = self.lisp.as_ref().map(|lisp| &lisp.eid_tables);
        tables.and_then(|tables| tables.keys().next().copied()).unwrap_or_default()
    }

    /// All instances.
    pub fn instances(&self) -> impl Iterator<Item = InstanceId> + use<> {
        [self.default_instance()].into_iter()
    }

    /// Whether the router serves an instance.
    pub fn has_instance(&self, instance_id: InstanceId) -> bool {
        self.instances().any(|id| id == instance_id)
    }

    /// The instance whose packets a TUN device carries.
    pub fn instance_behind(&self, device: Device) -> Option<InstanceId> {
        (device == Device::Lisp).then(|| self.default_instance())
    }

    /// The instance of the hosts at a port.
    pub fn instance_at(&self, _port: InterfaceName) -> InstanceId {
        self.default_instance()
    }

    /// The instance that a command is for: `named` if the command names an instance, otherwise the
    /// default instance.
    pub fn instance_of_command(&self, named: Option<InstanceId>) -> InstanceId {
        named.unwrap_or_else(|| self.default_instance())
    }
}
