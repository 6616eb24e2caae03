//! The lines that a watched router sends to its watchers.
//!
//! A client of the console asks for these lines with
//! [`Request::Watch`](crate::console::protocol::Request::Watch). Each line is one [`Told`] in JSON.
//! A client that reads too slowly does not get all items. [`Told::LeftOut`] has the number of the
//! missing items.

use serde::{Deserialize, Serialize};

use super::item::Item;
use super::snapshot::RouterState;

/// One line for a watcher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The time at which the router's clock started, in microseconds since 1970. The times of the
    /// items are counted from this start. This line is the first one.
    Began(u64),
    /// An event, with its time on the router's clock.
    Item(Box<Item>),
    /// The number of items that were left out here, because the client reads too slowly.
    LeftOut(u64),
    /// The roles and the sizes of the tables. This line is sent when they have changed.
    State(RouterState),
}

impl Told {
    /// Returns the line, without the line end.
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers, lists and named fields")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::item::{Kind, LogLine};

    #[test]
    fn a_line_is_one_object_that_is_named_by_its_kind() {
        let log = LogLine {
            node: "xTR1".to_owned(),
            severity: "notice".to_owned(),
            text: "a\nb".to_owned(),
        };
        let item = Item { n: 7, at: 9, kind: Kind::Log(log) };
        for (told, text) in [
            (Told::Began(5), r#"{"began":5}"#),
            (Told::LeftOut(3), r#"{"left_out":3}"#),
            (
                Told::Item(Box::new(item)),
                r#"{"item":{"n":7,"at":9,"kind":"log","node":"xTR1","severity":"notice","text":"a\nb"}}"#,
            ),
        ] {
            assert_eq!(told.line(), text);
            assert_eq!(serde_json::from_str::<Told>(text).unwrap(), told);
        }
    }
}
