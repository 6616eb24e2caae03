//! The exec commands about the startup configuration, and the exec commands of IOS that a virtual
//! router refuses. A refusal names the command to use instead.

use super::context::Context;
use super::exec::{SHOW, exec};
use super::row::Row;
use crate::console::args::{Args, Fault};
use crate::console::exec::Action;
use crate::router::config::Config;

const WRITE: &str = "Write running configuration";
const COPY: &str = "Copy from one file to another";

pub(super) const ROWS: &[Row] = &[
    exec("write [memory]", &[WRITE, "Write to the startup configuration"], save),
    exec(
        "copy running-config startup-config",
        &[COPY, "Current operating configuration", "Startup configuration"],
        save,
    ),
    exec("copy <from:word> <to:word>", &[COPY, "Source file", "Destination file"], |args, _| {
        refuse(
            args,
            "only `copy running-config startup-config` works: to change the running \
             configuration, paste the lines after `configure terminal`",
        )
    }),
    exec("write erase", &[WRITE, "Erase the startup configuration"], no_erase),
    exec("configure", &["Enter configuration mode"], |_, _| Ok(Action::Enter(Context::Config))),
    exec(
        "configure {memory|network|replace} [<file:line>]",
        &["Enter configuration mode", "From a file", "From a file", "From a file", "File"],
        |args, _| {
            refuse(
                args,
                "this router reads a file only at its start: paste the lines after `configure \
                 terminal`, or start the router with another file",
            )
        },
    ),
    exec(
        "reload [<when:line>]",
        &["Halt and perform a cold restart", "in MINUTES, at TIME, or cancel"],
        |args, _| match args.given("when") {
            false => Ok(Action::Reload),
            true => refuse(args, "this router cannot restart later: use `reload` alone, now"),
        },
    ),
    exec("telnet <to:line>", &["Open a telnet connection", "Address"], no_client),
    exec(
        "ssh <to:line>",
        &["Open a secure shell client connection", "Options and address"],
        no_client,
    ),
    exec("verify [<file:line>]", &["Verify a file", "File"], |args, _| {
        refuse(args, "this router has no image to verify: see `show version`")
    }),
    exec(
        "debug ip {packet|icmp} [<rest:line>]",
        &[
            "Debugging functions (see also 'undebug')",
            "IP information",
            "Packets",
            "ICMP",
            "Options",
        ],
        |args, _| {
            refuse(
                args,
                "the kernel forwards IP packets, and this router does not see them: use `eidway \
                 lab capture LAB ROUTER`, or `debug lisp forwarding` for packets of EIDs",
            )
        },
    ),
    exec("show cdp [<rest:line>]", &[SHOW, "Cisco Discovery Protocol", "Options"], |args, _| {
        refuse(
            args,
            "CDP is not enabled: see `show arp` and `show ipv6 neighbors` for the neighbours",
        )
    }),
];

fn save(_: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    Ok(Action::Save)
}

fn refuse(args: &Args<'_>, why: &str) -> Result<Action, Fault> {
    Err(args.fault("", why))
}

fn no_erase(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    refuse(
        args,
        "this router does not erase its startup configuration: `dir` shows the file, which you \
         can remove outside the router",
    )
}

fn no_client(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    refuse(
        args,
        "this router cannot open a session to another router: use `eidway console LAB/ROUTER` \
         outside the router",
    )
}
