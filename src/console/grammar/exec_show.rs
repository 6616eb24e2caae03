//! The `show` commands that are not about LISP: routes, neighbours, interfaces, and the machine of
//! the router.

use std::net::IpAddr;

use super::exec::{IP, IPV6, JSON, LISP, SHOW, exec, family, show};
use super::row::{Row, prefix_of};
use crate::addr::Family;
use crate::console::args::{Args, Fault};
use crate::console::exec::Action;
use crate::console::filter;
use crate::console::show::cef::{self, CefTable};
use crate::console::show::neighbours::NeighbourTable;
use crate::console::show::routes::{self, RouteTable};
use crate::console::show::{
    Listing, Page, drops, host_names, interface_lists, interfaces, machine, system,
};
use crate::console::view::interfaces::InterfacesView;
use crate::console::view::routes::RouteSource;
use crate::router::config::{Config, InterfaceName};

const ROUTE: &str = "IP routing table";
const INTERFACES: &str = "Interface status and configuration";
const INTERFACE: &str = "IP interface status and configuration";
const NAME: &str = "Interface name";
const MEMORY: &str = "Memory of the process";
const RUNNING: &str = "Current operating configuration";

pub(super) const ROWS: &[Row] = &[
    exec(
        "show {ip|ipv6} route [vrf <vrf:word>] [{<address:address> [<mask:mask>]|<prefix:prefix>|connected|static|\
         local|lisp|summary}] [json]",
        &[
            SHOW,
            IP,
            IPV6,
            ROUTE,
            "A VRF (all VRFs use the same routing table)",
            "VRF name",
            "Address to find a route for",
            "Network mask",
            "Prefix to find a route for",
            "Connected routes",
            "Static routes",
            "Addresses of this router",
            "Routes of dynamic EIDs and into the overlay",
            "Summary of all routes",
            JSON,
        ],
        show_route,
    ),
    exec(
        "show {ip|ipv6} cef [{<address:address>|<prefix:prefix>}] [detail] [json]",
        &[
            SHOW,
            IP,
            IPV6,
            "Forwarding table",
            "Address whose next hop is shown",
            "Prefix whose next hop is shown",
            "Also show the counters of LISP",
            JSON,
        ],
        show_cef,
    ),
    exec("show arp [json]", &[SHOW, "ARP table", JSON], |_, _| {
        show(Listing::new(NeighbourTable::new(Family::Ipv4)))
    }),
    exec("show ip arp [json]", &[SHOW, IP, "ARP table", JSON], |_, _| {
        show(Listing::new(NeighbourTable::new(Family::Ipv4)))
    }),
    exec("show ipv6 neighbors [json]", &[SHOW, IPV6, "Neighbor cache", JSON], |_, _| {
        show(Listing::new(NeighbourTable::new(Family::Ipv6)))
    }),
    exec(
        "show interfaces {description|status} [json]",
        &[SHOW, INTERFACES, "A line for each interface, with its description", "Line status", JSON],
        |args, _| {
            let text = match args.has("description") {
                true => interface_lists::description,
                false => interface_lists::status_list,
            };
            show(Page::new(interfaces::all, text))
        },
    ),
    exec(
        "show ip interface [<interface:interface>] [json]",
        &[SHOW, IP, INTERFACE, NAME, JSON],
        |args, config| show_interface(args, config, interface_lists::ip_interface),
    ),
    exec(
        "show ipv6 interface [brief] [<interface:interface>] [json]",
        &[SHOW, IPV6, INTERFACE, "Brief summary of IPv6 status and configuration", NAME, JSON],
        |args, config| {
            let text = match args.has("brief") {
                true => interface_lists::ipv6_brief,
                false => interface_lists::ipv6_interface,
            };
            show_interface(args, config, text)
        },
    ),
    exec("show protocols [json]", &[SHOW, "Active network routing protocols", JSON], |_, _| {
        show(Page::new(interfaces::all, interface_lists::protocols))
    }),
    exec(
        "show {ip|ipv6} protocols [json]",
        &[SHOW, IP, IPV6, "Routing protocols that run", JSON],
        |_, _| show(Page::new(machine::vrf, machine::routing_protocols_text)),
    ),
    exec("show [ip] vrf [json]", &[SHOW, IP, "VPN Routing/Forwarding instances", JSON], |_, _| {
        show(Page::new(machine::vrf, machine::vrf_text))
    }),
    exec("show ip traffic [json]", &[SHOW, IP, "Packets of EIDs", JSON], |_, _| {
        show(Page::new(machine::traffic, machine::traffic_text))
    }),
    exec(
        "show tcp brief [all] [json]",
        &[
            SHOW,
            "Connections of reliable transport",
            "A line for each connection",
            "The same: there are no other connections",
            JSON,
        ],
        |_, _| show(Page::new(machine::tcp, machine::tcp_text)),
    ),
    exec("show drops [json]", &[SHOW, "Packets of EIDs that were dropped", JSON], |_, _| {
        show(Page::new(drops::view, drops::text))
    }),
    exec("show logging [json]", &[SHOW, "The last lines of the log", JSON], |_, _| {
        show(Page::new(machine::logging, machine::logging_text))
    }),
    exec(
        "show users [{all|wide}] [json]",
        &[
            SHOW,
            "Sessions at the console of this router",
            "The same: there are no other lines",
            "The same: no column is cut",
            JSON,
        ],
        show_users,
    ),
    exec("who", &["Sessions at the console of this router"], show_users),
    exec("show history [json]", &[SHOW, "The last lines of this session", JSON], |_, _| {
        show(Page::new(machine::history, machine::history_text))
    }),
    exec("show terminal [json]", &[SHOW, "Settings of this terminal", JSON], |_, _| {
        show(Page::new(machine::terminal, machine::terminal_text))
    }),
    exec("show privilege [json]", &[SHOW, "Current privilege level", JSON], |_, _| {
        show(Page::new(machine::privilege, machine::privilege_text))
    }),
    exec("show hosts [json]", &[SHOW, "Names of hosts, and their addresses", JSON], |_, _| {
        show(Page::new(host_names::view, host_names::text))
    }),
    exec("show aliases [json]", &[SHOW, "Alias commands", JSON], |_, _| {
        show(Page::new(machine::alias, machine::alias_text))
    }),
    exec("show inventory [json]", &[SHOW, "The program and its version", JSON], |_, _| {
        show(Page::new(machine::inventory, machine::inventory_text))
    }),
    exec("show platform [json]", &[SHOW, "The program and its Linux devices", JSON], |_, _| {
        show(Page::new(machine::inventory, machine::platform_text))
    }),
    exec(
        "show controllers [json]",
        &[SHOW, "The Linux devices of the interfaces", JSON],
        |_, _| show(Page::new(machine::inventory, machine::controllers_text)),
    ),
    exec(
        "show processes [{cpu|memory}] [sorted] [json]",
        &[SHOW, "The process of the router", "Processor time", "Memory", "Sorted", JSON],
        |args, _| {
            let text = match args.has("memory") {
                true => machine::memory_text,
                false => machine::cpu_text,
            };
            show(Page::new(machine::process, text))
        },
    ),
    exec("show memory [statistics] [json]", &[SHOW, MEMORY, MEMORY, JSON], |_, _| {
        show(Page::new(machine::process, machine::memory_text))
    }),
    exec(
        "show startup-config [json]",
        &[SHOW, "Contents of the startup configuration", JSON],
        |_, _| show(Page::new(machine::startup, machine::startup_text)),
    ),
    exec(
        "show file systems [json]",
        &[SHOW, "File system information", "List file systems", JSON],
        |_, _| show(Page::new(machine::files, machine::file_systems_text)),
    ),
    exec(
        "show {flash:|bootflash:} [json]",
        &[SHOW, "Files of the router", "Files of the router", JSON],
        |_, _| show(Page::new(machine::files, machine::show_flash_text)),
    ),
    exec(
        "show running-config {all|brief|interface <interface:interface>} [json]",
        &[SHOW, RUNNING, "The whole configuration", "The same", "One interface", NAME, JSON],
        show_running,
    ),
    exec(
        "show running-config section <regexp:line>",
        &[SHOW, RUNNING, "Lines that match, and the indented lines below them", "Expression"],
        show_section,
    ),
    exec(
        "show tech-support [lisp]",
        &[SHOW, "The outputs of many show commands", LISP],
        show_tech_support,
    ),
];

/// The address in the line, or the first address of the prefix in the line.
fn address(args: &Args<'_>) -> Result<Option<IpAddr>, Fault> {
    let family = family(args);
    if args.given("prefix") {
        return Ok(Some(prefix_of(args, "prefix", Some(family))?.addr()));
    }
    if !args.given("address") {
        return Ok(None);
    }
    let address: IpAddr = args.value("address")?;
    match Family::of(address) == family {
        true => Ok(Some(address)),
        false => Err(args.fault("address", format!("an {family} address is expected"))),
    }
}

fn show_route(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    if let Some(address) = address(args)? {
        return show(Page::new(move |state| routes::to(state, address), routes::to_text));
    }
    let family = family(args);
    if args.has("summary") {
        return show(Page::new(move |state| routes::summary(state, family), routes::summary_text));
    }
    let sources = [
        ("connected", RouteSource::Connected),
        ("static", RouteSource::Static),
        ("local", RouteSource::Local),
        ("lisp", RouteSource::Lisp),
    ];
    let only = sources.into_iter().find(|(word, _)| args.has(word)).map(|(_, source)| source);
    show(Listing::new(RouteTable::new(family, only)))
}

fn show_users(_: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    show(Page::new(machine::users, machine::users_text))
}

fn show_cef(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    let detail = args.has("detail");
    match address(args)? {
        Some(address) => {
            show(Page::new(move |state| cef::to(state, address, detail), cef::to_text))
        }
        None => show(Listing::new(CefTable::new(family(args)))),
    }
}

fn show_interface(
    args: &Args<'_>,
    config: &Config,
    text: fn(&InterfacesView) -> String,
) -> Result<Action, Fault> {
    let only: Option<InterfaceName> = args.optional("interface");
    if let Some(name) = only
        && !config.interfaces.contains_key(&name)
    {
        return Err(args.fault("interface", format!("{name} is not configured")));
    }
    show(Page::new(move |state| interfaces::view(state, only), text))
}

fn show_running(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    let only: Option<InterfaceName> = args.optional("interface");
    match only {
        Some(name) if !config.interfaces.contains_key(&name) => {
            Err(args.fault("interface", format!("{name} is not configured")))
        }
        _ => show(Page::new(move |state| system::running_part(state, only), system::running_text)),
    }
}

fn show_section(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    let expression = args.text("regexp").unwrap_or_default();
    let lines = filter::sections(expression).map_err(|why| args.fault("regexp", why))?;
    show(Page::new(move |state| lines(system::running(state)), system::section_text))
}

/// The commands of `show tech-support lisp`.
const TECH_LISP: &[&str] = &[
    "show version",
    "show running-config",
    "show ip interface brief",
    "show ip route",
    "show ip lisp",
    "show ip lisp map-cache detail",
    "show ip lisp database",
    "show ip lisp away",
    "show ip lisp smr",
    "show ip lisp statistics",
    "show ipv6 lisp",
    "show ipv6 lisp map-cache detail",
    "show ipv6 lisp database",
    "show lisp session",
    "show lisp site detail",
    "show lisp refusals",
    "show lisp registration-history",
];

/// The commands that `show tech-support` runs in addition to the commands in [`TECH_LISP`].
const TECH: &[&str] = &[
    "show clock",
    "show interfaces",
    "show ipv6 route",
    "show arp",
    "show ipv6 neighbors",
    "show logging",
    "show processes cpu",
    "show memory",
];

fn show_tech_support(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    let lines = match args.has("lisp") {
        true => TECH_LISP.to_vec(),
        false => [TECH_LISP, TECH].concat(),
    };
    Ok(Action::ShowAll(lines))
}
