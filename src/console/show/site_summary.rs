//! `show lisp site summary`.

use std::fmt::Write;

use super::columns::Columns;
use super::{Format, ROWS_A_TURN, Source, State, json, xe};
use crate::addr::{EidPrefix, Family, InstanceId};
use crate::console::view::site_summary::{Counts, SummaryView};
use crate::router::Router;
use crate::router::map_server::{HISTORY, SiteEntry};
use crate::time::Time;

/// The output of `show lisp site summary`. One call of [`Source::poll`] counts at most
/// [`ROWS_A_TURN`] entries. The counts are printed after all entries are counted.
#[derive(Debug, Default)]
pub struct Summary {
    view: SummaryView,
    /// If set, only the prefixes of this instance are counted, and only this family is printed.
    only: Option<(InstanceId, Family)>,
    /// The current instance and family, and the latest counted prefix.
    at: Option<(InstanceId, Family, Option<EidPrefix>)>,
    done: bool,
}

impl Summary {
    /// The summary of the prefixes of one instance. The text is about one family.
    pub fn of(instance_id: InstanceId, family: Family) -> Self {
        Summary { only: Some((instance_id, family)), ..Summary::default() }
    }

    fn count(&mut self, entry: &SiteEntry, family: Family, now: Time) {
        let counts = self.view.sites.entry(entry.site.to_string()).or_default();
        let counts = &mut counts[usize::from(family == Family::Ipv6)];
        let live =
            entry.registrations.iter().filter(|r| r.expires_at().is_none_or(|at| at > now)).count();
        counts.configured += usize::from(entry.origin.is_none());
        counts.registered += usize::from(live > 0);
        self.view.registrations += live;
    }

    /// Returns the next instance to count, after `id`. Only instances that have prefixes in a site
    /// are counted.
    fn instance_after(&self, router: &Router, id: Option<InstanceId>) -> Option<InstanceId> {
        let only = self.only.map(|(only, _)| only);
        let sites = router.config().lisp.iter().flat_map(|lisp| lisp.sites.values());
        sites
            .flat_map(|site| site.eid_prefixes.keys())
            .map(EidPrefix::instance_id)
            .filter(|other| id.is_none_or(|id| *other > id))
            .filter(|other| only.is_none_or(|only| *other == only))
            .min()
    }

    /// Counts more entries. Returns whether all entries have been counted.
    fn go_on(&mut self, router: &Router, now: Time) -> bool {
        let start = || Some((self.instance_after(router, None)?, Family::Ipv4, None));
        let Some((id, family, after)) = self.at.or_else(start) else {
            return true;
        };
        let entries = router.map_server().entries();
        let mut last = None;
        let mut counted = 0;
        for (prefix, entry) in entries.iter_after(id, family, after).take(ROWS_A_TURN) {
            self.count(entry, family, now);
            last = Some(prefix);
            counted += 1;
        }
        self.at = match family {
            _ if counted == ROWS_A_TURN => Some((id, family, last)),
            Family::Ipv4 => Some((id, Family::Ipv6, None)),
            Family::Ipv6 => match self.instance_after(router, Some(id)) {
                Some(next) => Some((next, Family::Ipv4, None)),
                None => return true,
            },
        };
        false
    }
}

impl Source for Summary {
    fn poll(&mut self, State { router, now, .. }: State<'_>, format: Format) -> Option<String> {
        if self.done {
            return None;
        }
        if self.at.is_none() {
            let sites = router.config().lisp.iter().flat_map(|lisp| lisp.sites.keys());
            self.view.sites = sites.map(|name| (name.clone(), Default::default())).collect();
            self.view.history_size = router.map_server().history().count();
            self.view.history_limit = HISTORY;
        }
        if !self.go_on(router, now) {
            return Some(String::new());
        }
        self.done = true;
        Some(match format {
            Format::Text => match self.only {
                Some((_, family)) => xe::server::summary(&self.view, family),
                None => text(&self.view),
            },
            Format::Json => json(&self.view) + "\n",
        })
    }
}

fn text(view: &SummaryView) -> String {
    let mut text = format!(
        "{:21}----------- IPv4 ----------- ----------- IPv6 ----------- ----------- MAC -----------\n\
         {:21}Configured Registered Incons Configured Registered Incons Configured Registered Incons\n",
        "", "Site name"
    );
    for (name, families) in &view.sites {
        let counts = families.map(|Counts { configured, registered }| {
            format!("{configured:10} {registered:10} {:6}", 0)
        });
        let counts = format!("{} {:10} {:10} {:6}", counts.join(" "), 0, 0, 0);
        text += &Columns::of([21, 0]).line([name, &counts]);
    }
    let registered = |families: &[Counts; 2]| families.iter().any(|counts| counts.registered > 0);
    let up = view.sites.values().filter(|families| registered(families)).count();
    text.push('\n');
    let mut say = |label: &str, value: usize| {
        text += &Columns::of([50, 0]).line([label, &format!("{value:>7}")]);
    };
    say("Site-registration limit for router lisp 0:", 0);
    say("Site-registration count for router lisp 0:", view.registrations);
    say("Number of address-resolution entries:", 0);
    say("Number of configured sites:", view.sites.len());
    say("Number of registered sites:", up);
    say("Sites with inconsistent registrations:", 0);
    for (index, family) in Family::BOTH.into_iter().enumerate() {
        let counts = view.sites.values().map(|families| families[index]);
        let configured = counts.clone().map(|counts| counts.configured).sum();
        let registered = counts.map(|counts| counts.registered).sum();
        let _ = writeln!(text, "{family}");
        let mut say = |label: &str, value: usize| {
            text += &Columns::of([50, 0]).line([label, &format!("{value:>7}")]);
        };
        say("  Number of configured EID prefixes:", configured);
        say("  Number of registered EID prefixes:", registered);
    }
    // No site of this router has MAC addresses, so both counts below this heading are 0.
    text += "MAC\n";
    let mut say = |label: &str| text += &Columns::of([50, 0]).line([label, "      0"]);
    say("  Number of configured EID prefixes:");
    say("  Number of registered EID prefixes:");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stand_under_their_headings() {
        let mut view = SummaryView { registrations: 3, ..SummaryView::default() };
        let counts = |configured, registered| Counts { configured, registered };
        view.sites.insert("Edoras".to_owned(), Default::default());
        view.sites.insert("Shire".to_owned(), [counts(4, 2), counts(3, 1)]);
        let expected = "                     \
----------- IPv4 ----------- ----------- IPv6 ----------- ----------- MAC -----------
Site name            Configured Registered Incons Configured Registered Incons Configured Registered Incons
Edoras                        0          0      0          0          0      0          0          0      0
Shire                         4          2      0          3          1      0          0          0      0

Site-registration limit for router lisp 0:              0
Site-registration count for router lisp 0:              3
Number of address-resolution entries:                   0
Number of configured sites:                             2
Number of registered sites:                             1
Sites with inconsistent registrations:                  0
IPv4
  Number of configured EID prefixes:                    4
  Number of registered EID prefixes:                    2
IPv6
  Number of configured EID prefixes:                    3
  Number of registered EID prefixes:                    1
MAC
  Number of configured EID prefixes:                    0
  Number of registered EID prefixes:                    0
";
        assert_eq!(text(&view), expected);
    }
}
