//! The JSON schemas (draft 2020-12) of all outputs for programs: `show ... json` of a router, and
//! `--json` of the command line. `eidway schema` prints them.
//!
//! A schema is made from the Rust type that writes the output, so that it has the fields, the
//! values and the comments of this type.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::event::LabEvent;
use crate::console::FileCheck;
use crate::console::view::{
    Failure, Listing, TableHead, absent, away, census, database, drops, dynamic_eid,
    emulated_hosts, fast_path, history, host_names, interfaces, lisp, machine, map_cache,
    neighbours, packet, refusals, router_lisp, routes, sessions, site, site_summary, statistics,
    system,
};
use crate::lab::check::Finding;
use crate::lab::explain::journey::Journey;
use crate::lab::lesson::grade::Report;
use crate::lab::ping::{Matrix, Tally};
use crate::lab::scenario::losses::ScenarioLosses;
use crate::lab::testbed::NetmikoDevice;
use crate::lab::verbs::impair::SenderStatus;
use crate::lab::verbs::list::LabList;
use crate::lab::verbs::show::LabAddresses;
use crate::lab::verbs::status::NodeStatus;

/// An output for programs.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    /// The name of the schema.
    pub name: &'static str,
    /// A command that prints this output. Words in capitals stand for values.
    pub command: &'static str,
    root: fn(SchemaGenerator) -> Schema,
    part: fn(&mut SchemaGenerator) -> Schema,
}

impl Document {
    const fn of<T: JsonSchema>(name: &'static str, command: &'static str) -> Self {
        Document {
            name,
            command,
            root: SchemaGenerator::into_root_schema_for::<T>,
            part: SchemaGenerator::subschema_for::<T>,
        }
    }

    /// Makes the schema of this output.
    pub fn schema(&self) -> Schema {
        (self.root)(generator())
    }
}

type Table<R> = Listing<TableHead, R>;
type Routes = Listing<routes::Head, routes::RouteRow>;
type Cef = Listing<routes::Head, routes::CefRow>;

/// All outputs for programs, sorted by name.
pub const DOCUMENTS: &[Document] = &[
    Document::of::<absent::AbsentView>("absent", "show lisp ddt json"),
    Document::of::<machine::AliasView>("alias", "show aliases json"),
    Document::of::<Table<away::AwayRow>>("away", "show ip lisp away json"),
    Document::of::<Cef>("cef", "show ip cef json"),
    Document::of::<routes::CefView>("cef-entry", "show ip cef ADDRESS json"),
    Document::of::<system::ClockView>("clock", "show clock json"),
    Document::of::<Vec<FileCheck>>("config-check", "eidway config check FILE... --json"),
    Document::of::<Listing<database::Head, database::Row>>(
        "database",
        "show ip lisp database json",
    ),
    Document::of::<system::DebuggingView>("debugging", "show debugging json"),
    Document::of::<drops::DropsView>("drops", "show drops json"),
    Document::of::<dynamic_eid::DynamicEidView>("dynamic-eid", "show lisp dynamic-eid json"),
    Document::of::<emulated_hosts::EmulatedHostsView>("emulated-hosts", "show emulated-hosts json"),
    Document::of::<Failure>("failure", "show ip lisp database PREFIX json"),
    Document::of::<fast_path::FastPathView>("fast-path", "show ip lisp fast-path json"),
    Document::of::<machine::FileView>("file", "more FILE json"),
    Document::of::<machine::FilesView>("files", "show flash: json"),
    Document::of::<machine::HistoryView>("history", "show history json"),
    Document::of::<host_names::HostNamesView>("hosts", "show hosts json"),
    Document::of::<census::InstanceStatisticsView>(
        "instance-statistics",
        "show lisp instance-id INSTANCE ipv4 statistics json",
    ),
    Document::of::<interfaces::InterfacesView>("interfaces", "show interfaces json"),
    Document::of::<machine::InventoryView>("inventory", "show inventory json"),
    Document::of::<Vec<Finding>>("lab-check", "eidway lab check LAB --json"),
    Document::of::<LabEvent>("lab-events", "eidway lab events LAB --json"),
    Document::of::<Journey>("lab-explain", "eidway lab explain LAB FROM TO --json"),
    Document::of::<Report>("lab-grade", "eidway lab grade FILE... --json"),
    Document::of::<Vec<SenderStatus>>("lab-impair", "eidway lab impair LAB --json"),
    Document::of::<LabList>("lab-list", "eidway lab list --json"),
    Document::of::<Vec<ScenarioLosses>>("lab-losses", "eidway lab losses LAB --json"),
    Document::of::<Tally>("lab-ping", "eidway lab ping LAB NODE TARGET --json"),
    Document::of::<Matrix>("lab-pingall", "eidway lab pingall LAB --json"),
    Document::of::<LabAddresses>("lab-show", "eidway lab show LAB --json"),
    Document::of::<Vec<NodeStatus>>("lab-status", "eidway lab status LAB --json"),
    Document::of::<Vec<NetmikoDevice>>("lab-testbed", "eidway lab testbed LAB --format netmiko"),
    Document::of::<lisp::LispView>("lisp", "show ip lisp json"),
    Document::of::<router_lisp::LocatorSetsView>("locator-sets", "show lisp locator-set json"),
    Document::of::<machine::LoggingView>("logging", "show logging json"),
    Document::of::<Table<map_cache::Row>>("map-cache", "show ip lisp map-cache json"),
    Document::of::<packet::RequestView>("map-request", "show lisp map-request EID json"),
    Document::of::<Listing<neighbours::Head, neighbours::NeighbourRow>>(
        "neighbours",
        "show arp json",
    ),
    Document::of::<packet::PacketView>("packet", "show lisp packet EID json"),
    Document::of::<machine::PrivilegeView>("privilege", "show privilege json"),
    Document::of::<machine::ProcessView>("process", "show processes json"),
    Document::of::<refusals::RefusalsView>("refusals", "show lisp refusals json"),
    Document::of::<history::HistoryView>(
        "registration-history",
        "show lisp registration-history json",
    ),
    Document::of::<routes::RouteView>("route", "show ip route ADDRESS json"),
    Document::of::<routes::Summary>("route-summary", "show ip route summary json"),
    Document::of::<router_lisp::RouterLispView>("router-lisp", "show lisp json"),
    Document::of::<Routes>("routes", "show ip route json"),
    Document::of::<system::RunningView>("running-config", "show running-config json"),
    Document::of::<census::ServiceSummaryView>(
        "service-summary",
        "show lisp service ipv4 summary json",
    ),
    Document::of::<sessions::SessionsView>("sessions", "show lisp session json"),
    Document::of::<site_summary::SummaryView>("site-summary", "show lisp site summary json"),
    Document::of::<Listing<site::Head, site::Row>>("sites", "show lisp site json"),
    Document::of::<Table<away::SmrRow>>("smr", "show ip lisp smr json"),
    Document::of::<machine::StartupView>("startup-config", "show startup-config json"),
    Document::of::<statistics::StatisticsView>("statistics", "show ip lisp statistics json"),
    Document::of::<machine::TerminalView>("terminal", "show terminal json"),
    Document::of::<machine::TrafficView>("traffic", "show ip traffic json"),
    Document::of::<machine::UsersView>("users", "show users json"),
    Document::of::<system::VersionView>("version", "show version json"),
    Document::of::<machine::VrfView>("vrf", "show vrf json"),
];

/// Finds an output by its name.
pub fn find(name: &str) -> Option<&'static Document> {
    DOCUMENTS.iter().find(|document| document.name == name)
}

/// Makes one schema of all outputs: an object with a property for each output. The schemas of the
/// outputs share their definitions.
pub fn all() -> Schema {
    let mut generator = generator();
    let mut whole = json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Eidway",
        "type": "object",
        "properties": {},
    });
    for document in DOCUMENTS {
        let part = (document.part)(&mut generator);
        if let Some(properties) = whole.get_mut("properties").and_then(|all| all.as_object_mut()) {
            properties.insert(document.name.to_owned(), part.to_value());
        }
    }
    whole.insert("$defs".to_owned(), generator.take_definitions(true).into());
    whole
}

/// Makes a generator of schemas for JSON that this program writes. In these schemas, a field that
/// is always written is required.
fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_serialize().into_generator()
}
