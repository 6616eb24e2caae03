//! The tables of a router have a limit. The test searches the fields of the router, and the fields
//! of their types. Each collection must be in a `Bounded`, or it must be in the list [`OTHERWISE`]
//! with a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Fields, Item, ItemEnum, ItemMod, ItemStruct};

/// The types that can hold any number of entries.
const COLLECTIONS: [&str; 9] = [
    "BTreeMap",
    "BTreeSet",
    "BinaryHeap",
    "Deadlines",
    "HashMap",
    "HashSet",
    "PrefixMap",
    "Vec",
    "VecDeque",
];

/// The table type that has a limit itself. Its fields are not searched.
const BOUNDED: &str = "Bounded";

/// The file with the types of the configuration. They are not searched, because only the operator
/// adds entries to them.
const CONFIGURATION: &str = "router/config.rs";

/// The type at which the search begins.
const ROOT: &str = "Router";

/// The collections that need no `Bounded`, as `Type.field`, each with its reason.
const OTHERWISE: &[(&str, &str)] = &[
    // The entries come from the configuration, from the kernel of the namespace, or from the
    // driver.
    ("Context.own_addresses", "addresses of the interfaces"),
    ("AwayTable.deconfigured", "one count for an instance and family"),
    ("Kernel.down_by_hand", "devices of the configuration"),
    ("Kernel.going_down", "devices of the configuration"),
    ("Kernel.fixed", "objects of the configuration"),
    ("Kernel.mobile", "prefixes of the database and the away table"),
    ("Kernel.own_mtus", "interfaces of the configuration"),
    ("Kernel.wanted_by", "objects of `Kernel.mobile`"),
    ("Kernel.asked_again", "wanted objects"),
    ("Process.unwanted", "objects of the configuration"),
    ("Process.wanted", "objects of the configuration"),
    ("Losses.due", "index of `Losses.restless`"),
    ("Losses.restless", "wanted objects"),
    ("LocalRlocs.all", "addresses of the interfaces"),
    ("LocalRlocs.broadcasts", "addresses of the interfaces"),
    ("Mobility.ranges", "ranges of the configuration"),
    ("Range.ports", "ports of the configuration"),
    ("Search.ports", "ports of the configuration"),
    ("Searches.returned", "ports of the configuration"),
    ("Registrar.sessions", "map-servers of the configuration"),
    ("Registrar.offers", "map-servers of the configuration"),
    ("Registrar.standings", "map-servers of the configuration, and prefixes of the database"),
    ("Registrar.due", "index of `Registrar.standings`"),
    ("Nonces.answered", "map-servers of the configuration"),
    ("Nonces.raises", "map-servers of the configuration"),
    ("Rib.gone", "links of the namespace"),
    ("Rib.links", "links of the namespace"),
    ("Rib.routes", "routes of the namespace"),
    ("Router.emulated_hosts", "hosts of the configuration"),
    ("Router.proxy_etrs", "proxy ETRs of the configuration"),
    ("SourceCheck.own", "addresses of the interfaces"),
    // The collection is emptied at the end of each input. One change causes one event.
    ("AwayTable.changes", "taken at the end of each input"),
    ("MapCache.changes", "taken at the end of each input"),
    ("MapServer.changes", "taken at the end of each input"),
    ("Mobility.departures", "cleared at the end of each input"),
    ("Reachability.changes", "taken at the end of each input"),
    ("Mobility.changes", "taken at the end of each input"),
    ("Registrar.changes", "taken at the end of each input"),
    ("Stale.released", "taken at the end of each input"),
    ("Stale.requests", "taken at the end of each input"),
    ("Context.witnesses", "each is set by the process that has the router"),
    // The collection has its own limit, a constant or a value of the configuration.
    ("Attempts.at", "QUICK times"),
    ("Changes.recent", "CHANGES times"),
    ("EchoNonce.requests", "PEERS locators"),
    ("ErrorLimiter.sent", "ERRORS_IN_ALL in a second"),
    ("FlowCache.places", "FLOWS places, made at the start"),
    ("History.0", "KEPT events"),
    ("MapCache.entries", "`map-cache-limit`"),
    ("MapCache.statics", "static entries of the configuration"),
    ("MapServer.entries", "prefixes of the sites, and MORE_SPECIFICS"),
    ("MsSession.rejected", "REJECTED prefixes"),
    ("Session.users", "instances and families of configured prefixes"),
    ("Octets.0", "DIGESTS registers"),
    ("PendingNotifies.pending", "PENDING messages"),
    ("Registers.ordered", "keys of the configuration"),
    ("Registers.others", "sites of the configuration"),
    ("Senders.chosen", "CHOSEN senders"),
    ("Senders.last", "SENDERS for a key"),
    ("Registrar.news", "NEWS nonces for each map-server"),
    ("Registrations.0", "XTRS_PER_PREFIX"),
    ("Searches.started", "STARTS_A_SECOND"),
    ("Sessions.admitted", "SESSIONS RLOCs"),
    ("Sessions.by_connection", "SESSIONS"),
    ("Sessions.fallen", "sessions with registrations"),
    ("Sessions.users", "sessions with registrations"),
    ("SmrGuard.entries", "PER_ENTRY times in a row of a `Bounded`"),
    ("Solicitor.peers", "PEERS for each local prefix"),
    // The collection is an index of another table, or it has notes about the entries of another
    // table.
    ("AwayTable.entries", "rows of `silent` and `told`, and of the configuration"),
    ("AwayTable.due", "index of `entries`"),
    ("AwayTable.moved", "rows of `entries`, until the turn ends"),
    ("Database.entries", "the configuration, and hosts of a `Bounded`"),
    ("Deadlines.at", "keys of the owner's table"),
    ("Deadlines.due", "keys of the owner's table"),
    ("EchoNonce.due", "index of `requests`"),
    ("MapCache.evictions", "index of `entries`"),
    ("MapCache.expiries", "index of `entries`"),
    ("MapCache.solicited", "entries, until the turn ends"),
    ("MapServer.expiries", "index of `entries`"),
    ("Mobility.former_ports", "hosts in the away table"),
    ("News.due", "index of `questions`"),
    ("News.nonces", "index of `questions`"),
    ("OwnerChanges.waits", "index of `changes`"),
    ("PendingNotifies.due", "index of `pending`"),
    ("Outstanding.due", "index of requests"),
    ("Outstanding.nonces", "index of requests"),
    ("Reachability.until", "index of `unreachable`"),
    ("Solicitor.changed", "prefixes of the database"),
    ("Solicitor.changes", "notes about the rows of `changed`"),
    ("Solicitor.forgotten_at", "index of `peers`"),
    ("Stale.prefixes", "prefixes of an input, until the turn ends"),
    ("StatusHolds.until", "entries of the map-cache"),
    // The collection has one key for each variant of an enum, or for each place in the program.
    ("Counters.control_drops", "`ControlDrop`"),
    ("Counters.drops", "`DropReason`"),
    ("Log.kinds", "places that write a line"),
    ("Minute.of_reason", "`ControlDrop`"),
    // The collection belongs to one message, packet or call.
    ("Context.outputs", "outputs of one input, until the caller polls them"),
    ("Elsewhere.locators", "locators of a record"),
    ("Entry.locators", "locators of a record"),
    ("Held.beside", "records of a Map-Reply"),
    ("Held.cut", "records of a Map-Reply"),
    ("Held.defaults", "records of a Map-Reply"),
    ("Held.taken", "records of a Map-Reply"),
    ("Event::PutBack", "objects of a turn"),
    ("Event::RefusedMore", "`ControlDrop`"),
    ("MapServerChange::Unconfirmed", "a record"),
    ("Output::Control", "octets of a message"),
    ("Pending.octets", "octets of a message"),
    ("RequestSummary.itr_rlocs", "ITR-RLOCs of a request"),
    ("TcpRequest::Send", "octets of a message"),
];

/// A field of a struct, or of a variant of an enum.
struct Field {
    /// The name: `Type.field`, or `Type::Variant` for a field of an enum.
    name: String,
    /// The names of the types in the type of the field.
    types: BTreeSet<String>,
}

/// The fields of each type. The key is the file and the name of the type.
#[derive(Default)]
struct Types {
    file: String,
    fields: BTreeMap<(String, String), Vec<Field>>,
}

impl Types {
    fn read(&mut self, file: &str, text: &str) {
        self.file = file.to_owned();
        self.visit_file(&syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}")));
    }

    fn add(&mut self, owner: &str, named: impl Fn(&syn::Field) -> String, fields: &Fields) {
        let read = |field: &syn::Field| {
            let mut names = Names::default();
            names.visit_type(&field.ty);
            Field { name: named(field), types: names.0 }
        };
        let key = (self.file.clone(), owner.to_owned());
        self.fields.entry(key).or_default().extend(fields.iter().map(read));
    }

    /// The types that a name can mean in a file: the type of that file with this name, or else all
    /// types with this name.
    fn meant(&self, file: &str, name: &str) -> Vec<&(String, String)> {
        let own = self.fields.get_key_value(&(file.to_owned(), name.to_owned()));
        match own {
            Some((key, _)) => vec![key],
            None => self.fields.keys().filter(|(_, other)| other == name).collect(),
        }
    }

    /// The collections that the search from the root finds outside of a `Bounded`.
    fn collections(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open = self.meant("", ROOT);
        while let Some(key) = open.pop() {
            let fields = self.fields.get(key).filter(|_| seen.insert(key));
            for field in fields.into_iter().flatten() {
                if field.types.iter().any(|name| COLLECTIONS.contains(&name.as_str())) {
                    found.insert(field.name.clone());
                }
                let types = field.types.iter().filter(|name| *name != BOUNDED);
                open.extend(types.flat_map(|name| self.meant(&key.0, name)));
            }
        }
        found
    }
}

impl<'ast> Visit<'ast> for Types {
    fn visit_item(&mut self, item: &'ast Item) {
        // Tests are not searched, because they may have tables of any size.
        if !matches!(item, Item::Mod(ItemMod { ident, .. }) if ident == "tests") {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        let owner = item.ident.to_string();
        let named = |field: &syn::Field| match &field.ident {
            Some(name) => format!("{}.{name}", item.ident),
            None => format!("{}.0", item.ident),
        };
        self.add(&owner, named, &item.fields);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        for variant in &item.variants {
            let named = |_: &syn::Field| format!("{}::{}", item.ident, variant.ident);
            self.add(&item.ident.to_string(), named, &variant.fields);
        }
    }
}

/// The names of the types that occur in a type.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl<'ast> Visit<'ast> for Names {
    fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
        self.0.insert(segment.ident.to_string());
        visit::visit_path_segment(self, segment);
    }
}

fn router() -> Types {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/router")];
    let mut types = Types::default();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            open.extend(entries.map(|entry| entry.unwrap().path()).collect::<Vec<PathBuf>>());
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            if path.ends_with(CONFIGURATION) {
                continue;
            }
            types.read(&path.display().to_string(), &fs::read_to_string(&path).unwrap());
        }
    }
    types
}

#[test]
fn every_table_of_a_router_has_a_bound() {
    let known: BTreeSet<&str> = OTHERWISE.iter().map(|(field, _)| *field).collect();
    let found = router().collections();
    let missing: Vec<_> = found.iter().filter(|field| !known.contains(field.as_str())).collect();
    assert!(
        missing.is_empty(),
        "make these a Bounded, or give the reason in OTHERWISE of {}: {missing:#?}",
        file!()
    );
}

#[test]
fn a_table_without_a_bound_is_found() {
    let text = "
        pub struct Router { a: Inner, b: Bounded<Key, Value>, c: [Choice; 2], d: Option<Box<Tuple>> }
        struct Inner { list: Vec<u8>, far: Far }
        struct Value { inner: std::collections::VecDeque<u8> }
        enum Choice { One, Many { all: BTreeMap<u8, u8> } }
        struct Tuple(HashSet<u8>);
        struct Elsewhere { list: Vec<u8> }
        struct Bounded { entries: BTreeMap<u8, u8> }
        mod tests { struct Inner { other: Vec<u8> } }";
    let mut types = Types::default();
    types.read("router.rs", text);
    types.read("other.rs", "struct Inner { far: Vec<u8> } struct Far { list: Vec<u8> }");
    let found = types.collections();
    let expected =
        ["Choice::Many", "Far.list", "Inner.list", "Tuple.0", "Value.inner"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(expected));
}
