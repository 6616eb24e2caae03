//! `show lisp service ipv4 summary`.

use crate::addr::{Family, InstanceId};
use crate::console::show::State;
use crate::console::show::columns::Columns;
use crate::console::view::EidTableName;
use crate::console::view::census::{MapCacheCensus, ServiceSummaryView};
use crate::router::config::Roles;

/// The view of the tables of one family and instance.
pub fn view(
    State { router, .. }: State<'_>,
    family: Family,
    instance_id: InstanceId,
    map_cache: MapCacheCensus,
) -> ServiceSummaryView {
    let database = router.database();
    let database_size = database.entries().len_of(instance_id, family);
    ServiceSummaryView {
        family,
        instance_id,
        eid_table: EidTableName::of(router.config(), instance_id),
        roles: router.config().roles(family),
        database_size,
        database_no_route: database_size.saturating_sub(database.with_route(family)),
        database_inactive: router.away().deconfigured(instance_id, family),
        map_cache,
    }
}

/// Prints the explanation of the columns, one line for the instance, and the sums.
pub fn text(view: &ServiceSummaryView) -> String {
    let mut text = "\
Router-lisp ID:   0
Instance count:   1
Key: DB - Local EID Database entry count (@ - RLOC check pending
                                          * - RLOC consistency problem),
     DB no route - Local EID DB entries with no matching RIB route,
     Cache - Remote EID mapping cache size, IID - Instance ID,
     Role - Configured Role

                      Interface    DB  DB no  Cache Incom Cache
EID VRF name             (.IID)  size  route   size plete  Idle Role
"
    .to_owned();
    let MapCacheCensus { entries, idle, .. } = view.map_cache;
    let share = 100.0 * idle as f64 / entries.max(1) as f64;
    let interface = format!("LISP0.{}", view.instance_id);
    text += &Columns::of([21, 11, 6, 7, 7, 6, 6, 0]).line([
        view.eid_table.vrf(),
        &format!("{interface:>10}"),
        &format!("{:5}", view.database_size),
        &format!("{:6}", view.database_no_route),
        &format!("{entries:6}"),
        " 0.0%",
        &format!("{share:4.1}%"),
        &role(view.roles),
    ]);
    text.push('\n');
    for (label, value) in [
        ("Number of eid-tables:", "1".to_owned()),
        (
            "Total number of database entries:",
            format!("{} (inactive {})", view.database_size, view.database_inactive),
        ),
        ("EID-tables with inconsistent locators:", "0".to_owned()),
        ("Total number of map-cache entries:", entries.to_string()),
        ("EID-tables with incomplete map-cache entries:", "0".to_owned()),
        ("EID-tables pending map-cache update to FIB:", "0".to_owned()),
    ] {
        text += &Columns::of([54, 0]).line([label, &value]);
    }
    text
}

/// The roles of the router in the data plane, for example `ITR-ETR`. If the router has no such
/// role, the text is `NONE`.
fn role(roles: Roles) -> String {
    let names = [
        (roles.itr, "ITR"),
        (roles.etr, "ETR"),
        (roles.proxy_itr, "PITR"),
        (roles.proxy_etr, "PETR"),
    ];
    let names: Vec<&str> = names.into_iter().filter(|(has, _)| *has).map(|(_, it)| it).collect();
    if names.is_empty() { "NONE".to_owned() } else { names.join("-") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_stand_under_their_headings() {
        let view = ServiceSummaryView {
            family: Family::Ipv4,
            instance_id: InstanceId::new(101).unwrap(),
            eid_table: EidTableName::Default,
            roles: Roles { itr: true, etr: true, ..Roles::default() },
            database_size: 3,
            database_no_route: 1,
            database_inactive: 0,
            map_cache: MapCacheCensus { entries: 3, negative: 1, locators: 2, idle: 1 },
        };
        let expected = "\
                      Interface    DB  DB no  Cache Incom Cache
EID VRF name             (.IID)  size  route   size plete  Idle Role
default               LISP0.101     3      1      3  0.0% 33.3% ITR-ETR

Number of eid-tables:                                 1
Total number of database entries:                     3 (inactive 0)
";
        assert!(text(&view).contains(expected), "{}", text(&view));
    }
}
