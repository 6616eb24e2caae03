//! The selection of the items that a watcher wants.

use schemars::JsonSchema;
use serde::Deserialize;

use super::item::{Class, Decision, Hop, Item, Kind};

/// The sort of an item. It is known before the item is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A message.
    Message,
    /// A change of a table.
    Change,
    /// A line of a log.
    Log,
    /// A packet that a node dropped or a link lost.
    Drop,
    /// A packet of the control plane on a link.
    Control,
    /// Another packet on a link, or a decision that does not drop the packet.
    Data,
}

impl Sort {
    /// The sort of a packet on a link.
    pub fn of_hop(class: Class, is_lost: bool) -> Self {
        match class {
            _ if is_lost => Sort::Drop,
            Class::Control | Class::Tcp => Sort::Control,
            Class::Data | Class::Native | Class::Neighbour => Sort::Data,
        }
    }

    /// The sort of a decision.
    pub fn of_decision(is_drop: bool) -> Self {
        if is_drop { Sort::Drop } else { Sort::Data }
    }
}

impl Item {
    /// The sort of the item.
    pub fn sort(&self) -> Sort {
        match &self.kind {
            Kind::Message(_) => Sort::Message,
            Kind::Change(_) => Sort::Change,
            Kind::Log(_) => Sort::Log,
            Kind::Hop(Hop { class, arrives, .. }) => Sort::of_hop(*class, arrives.is_none()),
            Kind::Decision(Decision { verdict, .. }) => Sort::of_decision(verdict == "drop"),
        }
    }
}

/// The items that an answer contains. If an item is left out, its number is left out too, so the
/// numbers have a gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Detail {
    /// All items.
    #[default]
    All,
    /// All items, with two exceptions: decisions that do not drop a packet, and packets on links
    /// that are neither lost nor packets of the control plane.
    Events,
    /// No item, except the item at which a condition ends the run.
    None,
}

impl Detail {
    /// Whether items of a sort are wanted.
    pub fn has(self, sort: Sort) -> bool {
        match self {
            Detail::All => true,
            Detail::Events => sort != Sort::Data,
            Detail::None => false,
        }
    }
}
