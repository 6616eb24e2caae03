//! `show lisp instance-id N dynamic-eid`.

use crate::console::show::dynamic_eid::{ranges_text, rows_text};
use crate::console::view::dynamic_eid::DynamicEidView;

/// Prints one line for each host.
pub fn summary(view: &DynamicEidView) -> String {
    format!(
        "{}\n\n^ = Dyn-EID learned by EID Notify\n* = Dyn-EID learned by Site-Based Map-Notify\n\
         n = Dyn-EID learned by NSF Replay\n> = Dyn-EID learned by Roaming detection\n\n{}",
        title("Summary", view),
        rows_text(view)
    )
}

/// Prints one paragraph for each range.
pub fn detail(view: &DynamicEidView) -> String {
    format!("{}\n{}", title("Information", view), ranges_text(view))
}

fn title(subject: &str, view: &DynamicEidView) -> String {
    let (id, vrf) = (view.instance_id, view.eid_table.vrf());
    format!("LISP Dynamic EID {subject} for router 0, IID {id}, EID-table VRF \"{vrf}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::show::dynamic_eid::tests::sample;

    #[test]
    fn the_title_names_the_table_in_quotes() {
        let summary = summary(&sample());
        let expected = "\
LISP Dynamic EID Summary for router 0, IID 0, EID-table VRF \"default\"

^ = Dyn-EID learned by EID Notify
* = Dyn-EID learned by Site-Based Map-Notify
n = Dyn-EID learned by NSF Replay
> = Dyn-EID learned by Roaming detection

Dyn-EID Name         Dynamic-EID             Interface     Uptime    Last      Pending
                                                                     Packet    Ping Count
192                  192.168.0.1             Et1/0         01:17:25  00:00:23  0
";
        assert_eq!(summary, expected);
        let detail = detail(&sample());
        let head = "\
LISP Dynamic EID Information for router 0, IID 0, EID-table VRF \"default\"

Dynamic-EID name: 192
";
        assert!(detail.starts_with(head), "{detail}");
    }
}
