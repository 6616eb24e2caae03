//! Exec commands, and the commands that leave a mode.

use super::context::{Context, Mode};
use super::row::{No, Row, Run, edit, prefix_of};
use crate::addr::{Eid, EidPrefix, Family, InstanceId};
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;
use crate::console::exec::Action;
use crate::console::show::database::DatabaseTable;
use crate::console::show::map_cache::MapCacheTable;
use crate::console::show::site::{SiteTable, Which};
use crate::console::show::site_summary::Summary;
use crate::console::show::{
    Listing, Page, Source, emulated_hosts, interfaces, lisp, statistics, system,
};
use crate::router::config::{Config, InterfaceName};
use crate::router::io::Command;

const HERE: &[Mode] = &[Mode::Exec];
const CLOCK: &str = "The system clock";
pub(super) const SHOW: &str = "Show running system information";
pub(super) const IP: &str = "IP information";
pub(super) const IPV6: &str = "IPv6 information";
pub(super) const LISP: &str = "Locator/ID Separation Protocol";
pub(super) const JSON: &str = "As JSON";
pub(super) const ROUTER: &str = "Router LISP instance";

/// The row of an exec command.
pub(super) const fn exec(
    pattern: &'static str,
    help: &'static [&'static str],
    run: fn(&Args<'_>, &Config) -> Result<Action, Fault>,
) -> Row {
    Row { modes: HERE, pattern, help, no: No::Never, run: Run::Exec(run) }
}

pub(super) const ROWS: &[Row] = &[
    exec(
        "clear {ip|ipv6} lisp map-cache [{<prefix:prefix>|<eid:address>}]",
        &[
            "Reset functions",
            IP,
            IPV6,
            LISP,
            "Delete the mappings that were learned from other sites",
            "EID prefix of an entry",
            "EID of a host entry",
        ],
        clear_map_cache,
    ),
    exec(
        "configure [terminal]",
        &["Enter configuration mode", "Configure from the terminal"],
        |_, _| Ok(Action::Enter(Context::Config)),
    ),
    exec(
        "disable",
        &["Turn off privileged commands (this console has only privileged commands)"],
        nothing,
    ),
    exec(
        "enable [<level:0-15>]",
        &["Turn on privileged commands", "Level (this console has only level 15)"],
        nothing,
    ),
    exec("show {ip|ipv6} lisp [json]", &[SHOW, IP, IPV6, LISP, JSON], show_lisp),
    exec(
        "show {ip|ipv6} lisp [0] [instance-id <instance:0-16777215>] map-cache \
         [{<prefix:prefix>|<eid:address>}] [detail] [json]",
        &[
            SHOW,
            IP,
            IPV6,
            LISP,
            "The LISP process",
            "An instance other than the first",
            "Instance-ID",
            "Mapping cache",
            "EID prefix",
            "EID",
            "Also show the sources, the activity and the locator changes",
            JSON,
        ],
        show_map_cache,
    ),
    exec(
        "show {ip|ipv6} lisp [0] [instance-id <instance:0-16777215>] database \
         [{<prefix:prefix>|<eid:address>}] [json]",
        &[
            SHOW,
            IP,
            IPV6,
            LISP,
            "The LISP process",
            "An instance other than the first",
            "Instance-ID",
            "Local EID prefixes and their locators",
            "EID prefix",
            "EID",
            JSON,
        ],
        show_database,
    ),
    exec(
        "show {ip|ipv6} lisp statistics [json]",
        &[SHOW, IP, IPV6, LISP, "Counters of messages and packets", JSON],
        show_statistics,
    ),
    exec(
        "show lisp [<router:0-0>] site [{summary|instance-id <table:0-16777215>|\
         [{<eid:address>|<prefix:prefix>|[name] <name:word>} \
         [instance-id <instance:0-16777215>]] [detail]}] [json]",
        &[
            SHOW,
            LISP,
            ROUTER,
            "Sites of the map-server and their registrations",
            "Counts",
            "The EID prefixes of an instance",
            "Instance-ID",
            "EID",
            "EID prefix",
            "A site by its name",
            "Site name",
            "Instance of the EID",
            "Instance-ID",
            "Show all details of each EID prefix",
            JSON,
        ],
        show_site,
    ),
    exec(
        "show interfaces [<interface:interface>] [json]",
        &[SHOW, "Interface status and configuration", "Interface name", JSON],
        show_interfaces,
    ),
    exec(
        "show ip interface brief [json]",
        &[
            SHOW,
            IP,
            "IP interface status and configuration",
            "Brief summary of IP status and configuration",
            JSON,
        ],
        |_, _| show(Page::new(interfaces::all, interfaces::brief)),
    ),
    exec(
        "show emulated-hosts [json]",
        &[SHOW, "The emulated hosts of this router", JSON],
        |_, _| show(Page::new(emulated_hosts::view, emulated_hosts::text)),
    ),
    exec("show clock [detail] [json]", &[SHOW, CLOCK, CLOCK, JSON], |_, _| {
        show(Page::new(system::clock, system::clock_text))
    }),
    exec("show running-config [json]", &[SHOW, "Current operating configuration", JSON], |_, _| {
        show(Page::new(system::running, system::running_text))
    }),
    exec("show version [json]", &[SHOW, "Version and uptime", JSON], |_, _| {
        show(Page::new(system::version, system::version_text))
    }),
    exec("write terminal", &["Write running configuration", "Write to terminal"], |_, _| {
        show(Page::new(system::running, system::running_text))
    }),
];

/// Commands that leave a mode.
pub(super) const LEAVING: &[Row] = &[
    edit(Mode::CONFIGURATION, "exit", &["Exit from the current mode"], No::Never, leave),
    edit(Mode::CONFIGURATION, "end", &["Exit from configure mode"], No::Never, end),
    edit(
        &[Mode::Lisp],
        "exit-router-lisp",
        &["Exit from LISP configuration mode"],
        No::Never,
        leave,
    ),
    edit(&[Mode::Vrf], "exit-vrf", &["Exit from VRF configuration mode"], No::Never, leave),
    edit(
        &[Mode::VrfFamily],
        "exit-address-family",
        &["Exit from address family configuration mode"],
        No::Never,
        leave,
    ),
    edit(
        &[Mode::LocatorSet],
        "exit-locator-set",
        &["Exit from locator-set configuration mode"],
        No::Never,
        leave,
    ),
    edit(
        &[Mode::EidTable],
        "exit-eid-table",
        &["Exit from EID-table configuration mode"],
        No::Never,
        leave,
    ),
    edit(
        &[Mode::DynamicEid],
        "exit-dynamic-eid",
        &["Exit from dynamic-EID configuration mode"],
        No::Never,
        leave,
    ),
    edit(&[Mode::Site], "exit-site", &["Exit from site configuration mode"], No::Never, leave),
    edit(
        &[Mode::Instance],
        "exit-instance-id",
        &["Exit from instance configuration mode"],
        No::Never,
        leave,
    ),
    edit(
        &[Mode::Service, Mode::InstanceService],
        "{exit-service-ipv4|exit-service-ipv6}",
        &["Exit from service configuration mode", "Exit from service configuration mode"],
        No::Never,
        leave,
    ),
];

fn leave(editor: &mut Editor, _: &Args<'_>) -> Result<(), Fault> {
    if let Some(outer) = editor.context.outer() {
        editor.context = outer;
    }
    Ok(())
}

fn end(editor: &mut Editor, _: &Args<'_>) -> Result<(), Fault> {
    editor.context = Context::Exec;
    Ok(())
}

pub(super) fn nothing(_: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    Ok(Action::Nothing)
}

pub(super) fn show(source: impl Source + 'static) -> Result<Action, Fault> {
    Ok(Action::Show(Box::new(source)))
}

pub(super) fn family(args: &Args<'_>) -> Family {
    if args.has("ipv6") { Family::Ipv6 } else { Family::Ipv4 }
}

pub(super) fn instance(args: &Args<'_>, config: &Config) -> InstanceId {
    config.instance_of_command(args.optional("instance").and_then(InstanceId::new))
}

/// The EID prefix in a line, or the host prefix of the EID in a line. The family of the EID must be
/// the family that the line names with `ip` or `ipv6`.
pub(super) fn only(args: &Args<'_>, config: &Config) -> Result<Option<EidPrefix>, Fault> {
    let family = family(args);
    let id = instance(args, config);
    if args.given("prefix") {
        let prefix = prefix_of(args, "prefix", Some(family))?;
        return Ok(Some(EidPrefix::new(id, prefix)));
    }
    if !args.given("eid") {
        return Ok(None);
    }
    let eid = Eid::new(id, args.value("eid")?);
    if eid.family() != family {
        return Err(args.fault("eid", format!("an {family} address is expected")));
    }
    Ok(Some(eid.host_prefix()))
}

fn clear_map_cache(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    Ok(Action::Command(Command::ClearMapCache {
        family: family(args),
        prefix: only(args, config)?,
    }))
}

pub(super) fn show_lisp(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    let (family, id) = (family(args), instance(args, config));
    show(Page::new(move |state| lisp::view(state, family, id), lisp::text))
}

fn show_statistics(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    let family = family(args);
    show(Page::new(
        move |state| statistics::view(state.router, family, state.now),
        statistics::text,
    ))
}

pub(super) fn show_map_cache(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    let only = only(args, config)?;
    show(Listing::new(MapCacheTable {
        family: family(args),
        instance_id: instance(args, config),
        only,
        detail: args.has("detail") || only.is_some(),
        after: None,
    }))
}

fn show_database(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    show(Listing::new(DatabaseTable {
        family: family(args),
        instance_id: instance(args, config),
        only: only(args, config)?,
        after: None,
    }))
}

fn show_site(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    if args.has("summary") {
        return show(Summary::default());
    }
    let id = args.optional("instance").and_then(InstanceId::new).unwrap_or_default();
    let which = if let Some(id) = args.optional("table").and_then(InstanceId::new) {
        Which::Instance(id)
    } else if args.given("eid") {
        Which::Eid(Eid::new(id, args.value("eid")?))
    } else if args.given("prefix") {
        Which::Prefix(EidPrefix::new(id, args.value("prefix")?))
    } else if args.given("name") {
        Which::Named(args.value("name")?)
    } else {
        Which::All
    };
    let is_list = matches!(which, Which::All | Which::Instance(_));
    let detail = args.has("detail") || !is_list;
    show(Listing::new(SiteTable::new(which, detail)))
}

fn show_interfaces(args: &Args<'_>, config: &Config) -> Result<Action, Fault> {
    let only: Option<InterfaceName> = args.optional("interface");
    if let Some(name) = only
        && !config.interfaces.contains_key(&name)
    {
        return Err(args.fault("interface", format!("{name} is not configured")));
    }
    show(Page::new(move |state| interfaces::view(state, only), interfaces::text))
}
