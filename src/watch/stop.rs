//! The conditions at which a run stops: breakpoints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::detail::Sort;
use super::item::{Item, Kind};

/// A condition at which a run stops. A field that is absent matches everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "at", rename_all = "kebab-case")]
pub enum Stop {
    /// At the next message.
    Message {
        /// The name of the message, for example `SMR`.
        name: Option<String>,
        /// The router that sends or receives the message.
        node: Option<String>,
    },
    /// At the next change of a table.
    Change {
        /// The table.
        table: Option<String>,
        /// The router.
        node: Option<String>,
    },
    /// At the next packet that is dropped or lost.
    Drop {
        /// The node that drops the packet. For a lost packet, the node that sent the packet.
        node: Option<String>,
    },
    /// At the next item of any kind.
    Any,
}

impl Stop {
    /// Whether an item of a sort may meet the condition.
    pub fn concerns(&self, sort: Sort) -> bool {
        match self {
            Stop::Any => true,
            Stop::Message { .. } => sort == Sort::Message,
            Stop::Change { .. } => sort == Sort::Change,
            Stop::Drop { .. } => sort == Sort::Drop,
        }
    }

    /// Whether a run stops at `item`.
    pub fn is_met_by(&self, item: &Item) -> bool {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|it| it == is);
        match (self, &item.kind) {
            (Stop::Any, _) => true,
            (Stop::Message { name, node }, Kind::Message(message)) => {
                fits(name, &message.name) && fits(node, &message.node)
            }
            (Stop::Change { table, node }, Kind::Change(change)) => {
                fits(table, &change.table) && fits(node, &change.node)
            }
            (Stop::Drop { node }, Kind::Decision(decision)) => {
                decision.verdict == "drop" && fits(node, &decision.node)
            }
            (Stop::Drop { node }, Kind::Hop(hop)) => hop.arrives.is_none() && fits(node, &hop.from),
            _ => false,
        }
    }
}
