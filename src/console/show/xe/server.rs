//! `show lisp instance-id N ipv4 server summary` and `show lisp instance-id N ipv4 server
//! registration-history`.

use crate::addr::Family;
use crate::console::show::columns::Columns;
use crate::console::show::history::uptime;
use crate::console::view::history::{EventRow, HistoryView};
use crate::console::view::site_summary::{Counts, SummaryView};

/// Prints the counts of the sites for one family.
pub fn summary(view: &SummaryView, family: Family) -> String {
    let mut text = format!(
        "{:21}----------- {family} -----------\n{:21}Configured Registered Incons\n",
        "", "Site name"
    );
    let mut total = Counts::default();
    let (mut sites, mut registered_sites) = (0, 0);
    for (name, families) in &view.sites {
        let Counts { configured, registered } = families[family as usize];
        if configured == 0 && registered == 0 {
            continue;
        }
        sites += 1;
        registered_sites += usize::from(registered > 0);
        total.configured += configured;
        total.registered += registered;
        let counts = format!("{configured:10} {registered:10} {:6}", 0);
        text += &Columns::of([21, 0]).line([name, &counts]);
    }
    text.push('\n');
    let mut say = |label: &str, value: &str| {
        text += &Columns::of([50, 0]).line([label, &format!("{value:>7}")]);
    };
    say("Site-registration limit for router lisp 0:", "0");
    say("Site-registration count for router lisp 0:", &view.registrations.to_string());
    say("Number of configured sites:", &sites.to_string());
    say("Number of registered sites:", &registered_sites.to_string());
    say("Sites with inconsistent registrations:", "0");
    say(&family.to_string(), "");
    say("  Number of configured EID prefixes:", &total.configured.to_string());
    say("  Number of registered EID prefixes:", &total.registered.to_string());
    say("  Instance-Service site-registration limit:", "0");
    let history = format!("{}/{}", view.history_size, view.history_limit);
    say("  Registration-history size/limit:", &history);
    text
}

/// Prints the events of the registration history. No event comes from a wireless controller.
pub fn history(view: &HistoryView) -> String {
    let mut text = "\
Map-Server registration history
Roam = Did host move to a new location?
WLC = Did registration come from a Wireless Controller?
Prefix qualifier: + = Register Event, - = Deregister Event, * = AR register event

"
    .to_owned();
    let columns = Columns::of([21, 9, 6, 5, 4, 0]);
    text += &columns.line(["Timestamp (uptime)", "Instance", "Proto", "Roam", "WLC", "Source"]);
    text += &columns.line(["", "", "", "", "", "EID prefix / Locator"]);
    for event in &view.events {
        let EventRow { at, instance_id, eid_prefix, source, reliable, registered, moved } = event;
        let instance = format!("{:>8}", instance_id.to_string());
        let proto = if *reliable { "TCP" } else { "UDP" };
        let roam = if *moved { "Yes" } else { "No" };
        let sign = if *registered { '+' } else { '-' };
        let source = source.to_string();
        text += &columns.line([&uptime(*at), &instance, proto, roam, "No", &source]);
        text += &Columns::of([43, 0]).line(["", &format!("{sign} {eid_prefix}")]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::InstanceId;

    #[test]
    fn the_summary_counts_the_sites_of_one_family() {
        let counts = |configured, registered| Counts { configured, registered };
        let mut view = SummaryView {
            registrations: 3,
            history_size: 5,
            history_limit: 1000,
            ..SummaryView::default()
        };
        view.sites.insert("Edoras".to_owned(), [counts(0, 0), counts(1, 0)]);
        view.sites.insert("Shire".to_owned(), [counts(4, 2), counts(3, 1)]);
        let expected = "                     ----------- IPv4 -----------
Site name            Configured Registered Incons
Shire                         4          2      0

Site-registration limit for router lisp 0:              0
Site-registration count for router lisp 0:              3
Number of configured sites:                             1
Number of registered sites:                             1
Sites with inconsistent registrations:                  0
IPv4
  Number of configured EID prefixes:                    4
  Number of registered EID prefixes:                    2
  Instance-Service site-registration limit:             0
  Registration-history size/limit:                 5/1000
";
        assert_eq!(summary(&view, Family::Ipv4), expected);
    }

    #[test]
    fn an_event_has_a_column_for_wireless_controllers() {
        let event = EventRow {
            at: 344_164,
            instance_id: InstanceId::DEFAULT,
            eid_prefix: "192.168.1.71/32".parse().unwrap(),
            source: "10.1.1.1".parse().unwrap(),
            reliable: true,
            registered: true,
            moved: false,
        };
        let expected = "
00:05:44.164                0 TCP   No   No  10.1.1.1
                                           + 192.168.1.71/32
";
        let text = history(&HistoryView { events: vec![event] });
        assert!(text.ends_with(expected), "{text}");
    }
}
