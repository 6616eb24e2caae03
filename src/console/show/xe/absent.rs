//! The `show` commands about features that this router does not have.

use crate::console::view::absent::{AbsentView, Feature};

/// The view of a feature.
pub fn view(feature: Feature) -> AbsentView {
    AbsentView { feature, entries: 0 }
}

/// Prints the empty table of the feature, or one sentence about the feature.
pub fn text(view: &AbsentView) -> String {
    match view.feature {
        Feature::RemoteLocatorSets => "There are no remote locator-sets: this router learns \
                                       locators only from Map-Replies.\n"
            .to_owned(),
        Feature::Ddt => "This router does not support DDT: a map-resolver knows only the sites of \
                         its own map-server.\n"
            .to_owned(),
        Feature::Extranets => "This router does not support extranets.\n".to_owned(),
        Feature::DecapsulationFilter => {
            "LISP decapsulation filter for EID table default (IID 0), 0 entries\n".to_owned()
        }
        Feature::Platform => "\
Parallel LISP instance limit:      1
RLOC forwarding support:
 IPv4 RLOC, local:                 OK
 IPv6 RLOC, local:                 OK
 MAC RLOC, local:                  Unsupported
 IPv4 RLOC, remote:                OK
 IPv6 RLOC, remote:                OK
 MAC RLOC, remote:                 Unsupported
Latest supported config style:     Service and instance
Current config style:              Service and instance
"
        .to_owned(),
    }
}
