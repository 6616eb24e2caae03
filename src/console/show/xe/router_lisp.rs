//! `show lisp` and `show lisp locator-set`.

use crate::console::show::columns::Columns;
use crate::console::show::database::origin;
use crate::console::show::{State, column};
use crate::console::view::router_lisp::{LocatorSetsView, RouterLispView, SetLocatorRow};
use crate::router::config::{ConfiguredLocator, LocatorSource};
use crate::router::database::LocatorOrigin;

/// The view of the settings for all instances.
pub fn view(State { router, .. }: State<'_>) -> RouterLispView {
    let lisp = router.config().lisp.as_ref();
    RouterLispView {
        instances: lisp.iter().flat_map(|lisp| lisp.eid_tables.keys()).copied().collect(),
        locator_sets: lisp.iter().flat_map(|lisp| lisp.locator_sets.keys()).cloned().collect(),
    }
}

/// Prints the settings for all instances. One of the lines names the announced capabilities. This
/// router announces no capabilities.
pub fn text(view: &RouterLispView) -> String {
    let mut text = String::new();
    for (label, value) in [
        ("Router-lisp ID:", "0".to_owned()),
        ("Locator table:", "default".to_owned()),
        ("Locator default-set:", "N/A".to_owned()),
        ("EID instance count:", view.instances.len().to_string()),
        ("Capability:", "None".to_owned()),
    ] {
        text += &Columns::of([23, 0]).line([label, &value]);
    }
    text + "TCP path mtu discovery ON\n"
}

/// The view of all locator-sets, or of the locator-set with the name `only`.
pub fn locator_sets(State { router, .. }: State<'_>, only: Option<&str>) -> LocatorSetsView {
    let config = router.config();
    let sets = config.lisp.iter().flat_map(|lisp| &lisp.locator_sets);
    let row = |locator: &ConfiguredLocator| SetLocatorRow {
        rloc: config.resolve_locator(&locator.source).map(|rloc| rloc.0),
        priority: locator.priority,
        weight: locator.weight,
        source: match locator.source {
            LocatorSource::Address(_) => LocatorOrigin::ConfiguredAddress,
            LocatorSource::Interface(..) => LocatorOrigin::ConfiguredInterface,
        },
    };
    let sets = sets.filter(|(name, _)| only.is_none_or(|only| only == *name));
    let rows = sets.map(|(name, locators)| (name.clone(), locators.iter().map(row).collect()));
    LocatorSetsView { locator_sets: rows.collect() }
}

/// Prints one paragraph for each locator-set.
pub fn locator_sets_text(view: &LocatorSetsView) -> String {
    let mut text = "LISP locator-set information for router lisp 0\n".to_owned();
    for (name, locators) in &view.locator_sets {
        text += &format!("\nLocator-set: {name}\n");
        let address = |row: &SetLocatorRow| {
            row.rloc.map_or_else(|| "no address".to_owned(), |rloc| rloc.to_string())
        };
        let width = column("Locator", locators.iter().map(|row| address(row).len()));
        let columns = Columns::of([2, width, 9, 0]);
        text += &columns.line(["", "Locator", "Pri/Wgt", "Source"]);
        for row in locators {
            let weights = format!("{:3}/{}", row.priority, row.weight);
            text += &columns.line(["", &address(row), &weights, origin(row.source)]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locator_set_has_a_line_for_each_locator() {
        let row = |rloc: Option<&str>, source| SetLocatorRow {
            rloc: rloc.map(|rloc| rloc.parse().unwrap()),
            priority: 1,
            weight: 50,
            source,
        };
        let rows = vec![
            row(Some("203.0.113.11"), LocatorOrigin::ConfiguredAddress),
            row(None, LocatorOrigin::ConfiguredInterface),
        ];
        let view = LocatorSetsView { locator_sets: [("set1".to_owned(), rows)].into() };
        let expected = "\
LISP locator-set information for router lisp 0

Locator-set: set1
  Locator       Pri/Wgt  Source
  203.0.113.11    1/50   cfg-addr
  no address      1/50   cfg-intf
";
        assert_eq!(locator_sets_text(&view), expected);
    }
}
