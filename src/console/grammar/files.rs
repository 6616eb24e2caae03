//! The exec commands about the files of the router, and the exec commands of IOS that a virtual
//! router refuses. A refusal names the command to use instead.

use super::context::Context;
use super::exec::{JSON, exec, show};
use super::row::Row;
use crate::console::args::{Args, Fault};
use crate::console::exec::Action;
use crate::console::flash::{self, FileName, Place};
use crate::console::show::file::More;
use crate::console::show::{Page, machine};
use crate::router::config::Config;

const WRITE: &str = "Write running configuration";
const COPY: &str = "Copy from one file to another";

const RUNNING: &str = "Current operating configuration";
const STARTUP: &str = "Startup configuration";
const FILE: &str = "File, such as flash:NAME";
const CONFIGURE: &str = "Enter configuration mode";
const FLASH: &str = "Files of the router";

pub(super) const ROWS: &[Row] = &[
    exec("write [memory]", &[WRITE, "Write to the startup configuration"], |_, _| {
        Ok(Action::Copy { from: Place::Running, to: Place::Startup })
    }),
    exec(
        "copy running-config {startup-config|<to:word>}",
        &[COPY, RUNNING, STARTUP, FILE],
        |args, _| copy(args, Place::Running, Place::Startup),
    ),
    exec(
        "copy startup-config {running-config|<to:word>}",
        &[COPY, STARTUP, RUNNING, FILE],
        |args, _| copy(args, Place::Startup, Place::Running),
    ),
    exec(
        "copy <from:word> {running-config|startup-config|<to:word>}",
        &[COPY, FILE, RUNNING, STARTUP, FILE],
        |args, _| {
            let to = if args.has("startup-config") { Place::Startup } else { Place::Running };
            copy(args, place(args, "from")?, to)
        },
    ),
    exec(
        "delete [/force] <file:word>",
        &["Delete a file", "Without a question (this router never asks)", FILE],
        |args, _| file(args).map(Action::Delete),
    ),
    exec("more <file:word> [json]", &["Display the contents of a file", FILE, JSON], |args, _| {
        show(More::new(place(args, "file")?))
    }),
    exec(
        "dir [{flash:|bootflash:|nvram:|<place:word>}] [json]",
        &["List files", FLASH, FLASH, STARTUP, "File system", JSON],
        dir,
    ),
    exec("write erase", &[WRITE, "Erase the startup configuration"], no_erase),
    exec("configure", &[CONFIGURE], |_, _| Ok(Action::Enter(Context::Config))),
    exec("configure memory", &[CONFIGURE, "From the startup configuration"], |_, _| {
        Ok(Action::Copy { from: Place::Startup, to: Place::Running })
    }),
    exec(
        "configure replace <file:word> [force]",
        &[CONFIGURE, "Replace the running configuration", FILE, "Without a question"],
        |args, _| place(args, "file").map(Action::Replace),
    ),
    exec(
        "configure network [<file:line>]",
        &[CONFIGURE, "From a network file", "File"],
        |args, _| {
            refuse(
                args,
                "this router reads no file from the network: paste the lines after `configure \
                 terminal`, or copy them from a file with `copy flash:NAME running-config`",
            )
        },
    ),
    exec(
        "reload [<when:line>]",
        &["Halt and perform a cold restart", "in MINUTES, at TIME, or cancel"],
        |args, _| match args.given("when") {
            false => Ok(Action::Reload),
            true => refuse(
                args,
                "this router cannot restart at a later time: use `reload` without options",
            ),
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
    exec("erase <file:line>", &["Erase a file system", "File system"], no_erase),
    exec("pwd", &["Display current working directory"], |_, _| Ok(Action::Text("flash:/\n"))),
    exec(
        "{cd|mkdir|rmdir|format|rename} [<file:line>]",
        &[NO_FOLDER, NO_FOLDER, NO_FOLDER, NO_FOLDER, NO_FOLDER, "File"],
        |args, _| {
            refuse(
                args,
                "flash: has no directories, no `format` and no `rename`: see `dir`, `copy flash:A \
                 flash:B` and `delete`",
            )
        },
    ),
    exec("clock set [<time:line>]", &["Manage the clock", "Set the time", "Time"], |args, _| {
        refuse(args, "the router uses the clock of its machine: set the time there")
    }),
    exec(
        "debug {ip|arp|ipv6} [<rest:line>]",
        &[
            "Debugging functions (see also 'undebug')",
            "IP information",
            "ARP",
            "IPv6 information",
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
];

/// The command `copy`. `to` is the destination if the line does not name a destination file.
fn copy(args: &Args<'_>, from: Place, to: Place) -> Result<Action, Fault> {
    let to = if args.given("to") { place(args, "to")? } else { to };
    match from == to {
        true => Err(args.fault("to", "the source and the destination are the same")),
        false => Ok(Action::Copy { from, to }),
    }
}

/// The place that an argument names.
fn place(args: &Args<'_>, name: &str) -> Result<Place, Fault> {
    Place::parse(args.text(name).unwrap_or_default()).map_err(|why| args.fault(name, why))
}

/// The file in `flash:` that the line names.
fn file(args: &Args<'_>) -> Result<FileName, Fault> {
    flash::file(args.text("file").unwrap_or_default()).map_err(|why| args.fault("file", why))
}

fn dir(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    let place = args.text("place").unwrap_or("flash:");
    let system = place.trim_end_matches('/').strip_suffix(':').unwrap_or(place);
    if args.has("nvram:") || system.eq_ignore_ascii_case("nvram") {
        return show(Page::new(machine::files, machine::dir_nvram_text));
    }
    match flash::is_flash(system) || place == "/" {
        true => show(Page::new(machine::files, machine::dir_text)),
        false => Err(args.fault("place", "the file systems of a router are flash: and nvram:")),
    }
}

const NO_FOLDER: &str = "A function that flash: does not have";

fn refuse(args: &Args<'_>, why: &str) -> Result<Action, Fault> {
    Err(args.fault("", why))
}

fn no_erase(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    refuse(
        args,
        "this router does not erase its startup configuration: `dir nvram:` shows the file, \
         which you can remove outside the router",
    )
}

fn no_client(args: &Args<'_>, _: &Config) -> Result<Action, Fault> {
    refuse(
        args,
        "this router cannot open a session to another router: use `eidway console LAB/ROUTER` \
         outside the router",
    )
}
