//! The modes of the console, and their nesting.

use crate::addr::{Family, InstanceId};
use crate::router::config::InterfaceName;

/// The mode of the user, with the name of the object that is being configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Context {
    /// `xTR1#`
    Exec,
    /// `(config)#`
    Config,
    /// `(config-if)#`
    Interface(InterfaceName),
    /// `(config-line)#`: accepted and ignored, because there are no lines.
    Line,
    /// `(config-router-lisp)#`
    Lisp,
    /// `(config-router-lisp-locator-set)#`
    LocatorSet(String),
    /// `(config-router-lisp-eid-table)#`
    EidTable(InstanceId),
    /// `(config-router-lisp-eid-table-dynamic-eid)#`
    DynamicEid {
        /// The EID-table or instance to which it belongs.
        within: Box<Context>,
        /// Its name.
        name: String,
    },
    /// `(config-router-lisp-site)#`
    Site(String),
    /// `(lisp-service-ipv4)#`: `service ipv4` of newer IOS.
    Service(Family),
    /// `(config-router-lisp-inst)#`: `instance-id N` of newer IOS.
    Instance(InstanceId),
    /// `(lisp-inst-service-ipv4)#`
    InstanceService(InstanceId, Family),
}

/// The kind of a [`Context`], without the object's name: it decides which commands exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the context of the same name")]
pub enum Mode {
    Exec,
    Config,
    Interface,
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
    /// All of them.
    pub const ALL: [Mode; 12] = [
        Mode::Exec,
        Mode::Config,
        Mode::Interface,
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
    /// The mode, which decides which commands exist here.
    pub fn mode(&self) -> Mode {
        match self {
            Context::Exec => Mode::Exec,
            Context::Config => Mode::Config,
            Context::Interface(_) => Mode::Interface,
            Context::Line => Mode::Line,
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

    /// The context after `exit`; `None` if `exit` ends the session.
    pub fn outer(&self) -> Option<Context> {
        Some(match self {
            Context::Exec => return None,
            Context::Config => Context::Exec,
            Context::Interface(_) | Context::Line | Context::Lisp => Context::Config,
            Context::LocatorSet(_)
            | Context::EidTable(_)
            | Context::Site(_)
            | Context::Service(_)
            | Context::Instance(_) => Context::Lisp,
            Context::DynamicEid { within, .. } => (**within).clone(),
            Context::InstanceService(id, _) => Context::Instance(*id),
        })
    }

    /// The instance whose EID-table is being configured.
    pub fn instance(&self) -> Option<InstanceId> {
        match self {
            Context::EidTable(id) | Context::Instance(id) | Context::InstanceService(id, _) => {
                Some(*id)
            }
            Context::DynamicEid { within, .. } => within.instance(),
            _ => None,
        }
    }

    /// The text of the prompt between the host's name and `#`.
    pub fn prompt(&self) -> &'static str {
        match self {
            Context::Exec => "",
            Context::Config => "(config)",
            Context::Interface(_) => "(config-if)",
            Context::Line => "(config-line)",
            Context::Lisp => "(config-router-lisp)",
            Context::LocatorSet(_) => "(config-router-lisp-locator-set)",
            Context::EidTable(_) => "(config-router-lisp-eid-table)",
            Context::DynamicEid { within, .. } => match **within {
                Context::Instance(_) => "(config-router-lisp-inst-dynamic-eid)",
                _ => "(config-router-lisp-eid-table-dynamic-eid)",
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
