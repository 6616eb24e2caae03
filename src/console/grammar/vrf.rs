//! `vrf definition`, its address families, and `vrf forwarding` of an interface. `ip vrf` of older
//! IOS has the same effect for IPv4.

use super::context::{Context, Mode};
use super::interface::current as current_interface;
use super::row::{No, Row, edit};
use crate::addr::Family;
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;
use crate::router::config::Vrf;

const TARGET: [&str; 6] = [
    "Specify a target VPN extended community",
    "Export the routes with this community",
    "Import the routes with this community",
    "Both import and export",
    "ASN:nn or IP-address:nn",
    "Stitching with another kind of VPN",
];

pub(super) const ROWS: &[Row] = &[
    edit(
        &[Mode::Config],
        "vrf definition <name:word>",
        &["VRF commands", "VRF definition", "VRF name"],
        No::After(3),
        definition,
    ),
    edit(
        &[Mode::Config],
        "ip vrf <name:word>",
        &["Global IP configuration subcommands", "Configure a VRF", "VRF name"],
        No::After(3),
        definition,
    ),
    edit(
        &[Mode::Vrf],
        "description <text:line>",
        &["VRF specific description", "Up to 244 characters describing this VRF"],
        No::After(1),
        description,
    ),
    edit(
        &[Mode::Vrf],
        "rd <rd:word>",
        &["Specify route distinguisher", "ASN:nn or IP-address:nn"],
        No::After(1),
        rd,
    ),
    edit(
        &[Mode::Vrf, Mode::VrfFamily],
        "route-target {export|import|both} <target:word> [stitching]",
        &TARGET,
        No::After(5),
        route_target,
    ),
    edit(
        &[Mode::Vrf],
        "address-family {ipv4|ipv6} [unicast]",
        &["Enter address family mode", "IPv4", "IPv6", "Unicast (default)"],
        No::After(2),
        address_family,
    ),
    edit(
        &[Mode::Interface],
        "{vrf|ip vrf} forwarding <name:word>",
        &[
            "VRF parameters on the interface",
            "Interface Internet Protocol config commands",
            "VRF parameters on the interface",
            "Configure the VRF of the interface",
            "VRF name",
        ],
        No::After(4),
        forwarding,
    ),
];

fn definition(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let name: String = args.value("name")?;
    if !args.negated {
        let vrf = editor.config.vrfs.entry(name.clone()).or_default();
        if args.has("ip") {
            vrf.families.entry(Family::Ipv4).or_default();
        }
        editor.context = Context::Vrf(name);
        return Ok(());
    }
    editor.config.vrfs.remove(&name);
    for interface in editor.config.interfaces.values_mut() {
        interface.vrf = interface.vrf.take().filter(|vrf| *vrf != name);
    }
    Ok(())
}

fn current<'a>(editor: &'a mut Editor, args: &Args<'_>) -> Result<&'a mut Vrf, Fault> {
    match editor.context.clone() {
        Context::Vrf(name) | Context::VrfFamily(name, _) => {
            Ok(editor.config.vrfs.entry(name).or_default())
        }
        _ => Err(args.fault("", "no VRF is selected")),
    }
}

fn description(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let text = (!args.negated).then(|| args.value("text")).transpose()?;
    current(editor, args)?.description = text;
    Ok(())
}

fn rd(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let rd = (!args.negated).then(|| args.value("rd")).transpose()?;
    current(editor, args)?.rd = rd;
    Ok(())
}

fn route_target(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let target: String = args.value("target")?;
    let stitching = if args.has("stitching") { " stitching" } else { "" };
    let context = editor.context.clone();
    let vrf = current(editor, args)?;
    let targets = match context {
        Context::VrfFamily(_, family) => vrf.families.entry(family).or_default(),
        _ => &mut vrf.route_targets,
    };
    for direction in ["export", "import"] {
        if args.has(direction) || args.has("both") {
            let words = format!("{direction} {target}{stitching}");
            match args.negated {
                true => targets.remove(&words),
                false => targets.insert(words),
            };
        }
    }
    Ok(())
}

fn address_family(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let Context::Vrf(name) = editor.context.clone() else {
        return Err(args.fault("", "no VRF is selected"));
    };
    let family = if args.has("ipv6") { Family::Ipv6 } else { Family::Ipv4 };
    let families = &mut current(editor, args)?.families;
    if args.negated {
        families.remove(&family);
    } else {
        families.entry(family).or_default();
        editor.context = Context::VrfFamily(name, family);
    }
    Ok(())
}

/// Sets the VRF of an interface. On IOS, this command removes the addresses of the interface. On
/// this router, the addresses remain, because the router has only one routing table.
fn forwarding(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let name = (!args.negated).then(|| args.value("name")).transpose()?;
    current_interface(editor, args)?.vrf = name;
    Ok(())
}
