//! The modes of the console, and the outer mode of each mode.

use crate::addr::{Family, InstanceId};
use crate::router::config::InterfaceName;

/// The mode of the console, and the name of the object that this mode configures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Context {
    /// Exec mode. Prompt: `xTR1#`.
    Exec,
    /// Global configuration. Prompt: `(config)#`.
    Config,
    /// An interface. Prompt: `(config-if)#`.
    Interface(InterfaceName),
    /// A VRF. Prompt: `(config-vrf)#`.
    Vrf(String),
    /// An address family of a VRF. Prompt: `(config-vrf-af)#`.
    VrfFamily(String, Family),
    /// Terminal lines. Prompt: `(config-line)#`.
    Line {
        /// Whether the lines are for users who log in over the network. The settings of other lines
        /// have no effect.
        is_vty: bool,
    },
    /// `router lisp`. Prompt: `(config-router-lisp)#`.
    Lisp,
    /// A locator-set. Prompt: `(config-router-lisp-locator-set)#`.
    LocatorSet(String),
    /// An EID-table. Prompt: `(config-router-lisp-eid-table)#`.
    EidTable(InstanceId),
    /// A dynamic-EID. Prompt: `(config-router-lisp-eid-table-dynamic-eid)#`.
    DynamicEid {
        /// The mode that contains the dynamic-EID: an EID-table, an instance, the service of an
        /// instance, or `router lisp`.
        within: Box<Context>,
        /// The name of the dynamic-EID.
        name: String,
    },
    /// A site. Prompt: `(config-router-lisp-site)#`.
    Site(String),
    /// `service ipv4` of newer IOS versions. Prompt: `(lisp-service-ipv4)#`.
    Service(Family),
    /// `instance-id N` of newer IOS versions. Prompt: `(config-router-lisp-inst)#`.
    Instance(InstanceId),
    /// `service ipv4` in an instance. Prompt: `(lisp-inst-service-ipv4)#`.
    InstanceService(InstanceId, Family),
}

/// The kind of a [`Context`], without the name of the object. The mode determines the commands that
/// exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the kind of the context with the same name")]
pub enum Mode {
    Exec,
    Config,
    Interface,
    Vrf,
    VrfFamily,
    Line,
    Lisp,
    LocatorSet,
    EidTable,
    DynamicEid,
    Site,
    Service,
    Instance,
    InstanceService,
}

impl Mode {
    /// The modes that have the commands of an EID-table. Directly under `router lisp`, these
    /// commands configure instance 0.
    pub const EID_TABLES: &[Mode] =
        &[Mode::EidTable, Mode::InstanceService, Mode::Instance, Mode::Service, Mode::Lisp];

    /// All configuration modes.
    pub const CONFIGURATION: &[Mode] = Mode::ALL.split_at(1).1;

    /// All modes. Exec mode is the first one.
    pub const ALL: [Mode; 14] = [
        Mode::Exec,
        Mode::Config,
        Mode::Interface,
        Mode::Vrf,
        Mode::VrfFamily,
        Mode::Line,
        Mode::Lisp,
        Mode::LocatorSet,
        Mode::EidTable,
        Mode::DynamicEid,
        Mode::Site,
        Mode::Service,
        Mode::Instance,
        Mode::InstanceService,
    ];
}

impl Context {
    /// The mode of this context. The mode determines the commands that exist.
    pub fn mode(&self) -> Mode {
        match self {
            Context::Exec => Mode::Exec,
            Context::Config => Mode::Config,
            Context::Interface(_) => Mode::Interface,
            Context::Vrf(_) => Mode::Vrf,
            Context::VrfFamily(..) => Mode::VrfFamily,
            Context::Line { .. } => Mode::Line,
            Context::Lisp => Mode::Lisp,
            Context::LocatorSet(_) => Mode::LocatorSet,
            Context::EidTable(_) => Mode::EidTable,
            Context::DynamicEid { .. } => Mode::DynamicEid,
            Context::Site(_) => Mode::Site,
            Context::Service(_) => Mode::Service,
            Context::Instance(_) => Mode::Instance,
            Context::InstanceService(..) => Mode::InstanceService,
        }
    }

    /// The context after `exit`. It is `None` if `exit` ends the session.
    pub fn outer(&self) -> Option<Context> {
        Some(match self {
            Context::Exec => return None,
            Context::Config => Context::Exec,
            Context::Interface(_) | Context::Vrf(_) | Context::Line { .. } | Context::Lisp => {
                Context::Config
            }
            Context::VrfFamily(name, _) => Context::Vrf(name.clone()),
            Context::LocatorSet(_)
            | Context::EidTable(_)
            | Context::Site(_)
            | Context::Service(_)
            | Context::Instance(_) => Context::Lisp,
            Context::DynamicEid { within, .. } => (**within).clone(),
            Context::InstanceService(id, _) => Context::Instance(*id),
        })
    }

    /// The instance of the EID-table in this mode. Commands directly under `router lisp`, and
    /// commands of the old style in the global configuration, configure instance 0.
    pub fn instance(&self) -> Option<InstanceId> {
        match self {
            Context::EidTable(id) | Context::Instance(id) | Context::InstanceService(id, _) => {
                Some(*id)
            }
            Context::Config | Context::Lisp | Context::Service(_) => Some(InstanceId::DEFAULT),
            Context::DynamicEid { within, .. } => within.instance(),
            _ => None,
        }
    }

    /// The part of the prompt between the name of the router and `#`.
    pub fn prompt(&self) -> &'static str {
        match self {
            Context::Exec => "",
            Context::Config => "(config)",
            Context::Interface(_) => "(config-if)",
            Context::Vrf(_) => "(config-vrf)",
            Context::VrfFamily(..) => "(config-vrf-af)",
            Context::Line { .. } => "(config-line)",
            Context::Lisp => "(config-router-lisp)",
            Context::LocatorSet(_) => "(config-router-lisp-locator-set)",
            Context::EidTable(_) => "(config-router-lisp-eid-table)",
            Context::DynamicEid { within, .. } => match **within {
                Context::EidTable(_) => "(config-router-lisp-eid-table-dynamic-eid)",
                Context::Lisp | Context::Service(_) => "(config-router-lisp-dynamic-eid)",
                _ => "(config-router-lisp-inst-dynamic-eid)",
            },
            Context::Site(_) => "(config-router-lisp-site)",
            Context::Service(Family::Ipv4) => "(lisp-service-ipv4)",
            Context::Service(Family::Ipv6) => "(lisp-service-ipv6)",
            Context::Instance(_) => "(config-router-lisp-inst)",
            Context::InstanceService(_, Family::Ipv4) => "(lisp-inst-service-ipv4)",
            Context::InstanceService(_, Family::Ipv6) => "(lisp-inst-service-ipv6)",
        }
    }
}
