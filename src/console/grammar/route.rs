//! Static routes: `ip route` and `ipv6 route`.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};

use super::context::Mode;
use super::row::{No, Row, edit};
use crate::addr::is_ipv6_link_local;
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;
use crate::router::config::{StaticRoute, StaticTarget};

const HERE: &[Mode] = &[Mode::Config];
const DISTANCE: &str = "Administrative distance; the route with the smallest is used";

const LINK_LOCAL: &str = "the route is ignored: a link-local next hop is not supported, so write an \
                          address of the neighbour that is valid outside of the link";
const PERMANENT: &str = "Keep the route while its link is down (no effect)";
const TRACK: &str = "Use the route while an object is up (no effect)";

pub(super) const ROWS: &[Row] = &[
    edit(
        HERE,
        "ip route <network:ipv4> <mask:mask> \
         {<next-hop:ipv4>|Null0|<interface:interface> [<next-hop:ipv4>]} \
         [<distance:1-255>] [tag <tag:1-4294967295>] [name <name:word>] \
         [permanent|track <object:1-1000>]",
        &[
            "Global IP configuration subcommands",
            "Establish static routes",
            "Destination prefix",
            "Destination prefix mask",
            "Forwarding router's address",
            "Null interface",
            "Forwarding interface",
            "Forwarding router's address",
            DISTANCE,
            "Set tag for this route",
            "Tag value",
            "Specify name of the next hop",
            "Name of the next hop",
            PERMANENT,
            TRACK,
            "Number of the object",
        ],
        No::After(4),
        ip_route,
    ),
    edit(
        HERE,
        "ipv6 route <prefix:prefix6> \
         {<next-hop:ipv6>|Null0|<interface:interface> [<next-hop:ipv6>]} \
         [<distance:1-255>] [tag <tag:1-4294967295>] [name <name:word>] \
         [permanent|track <object:1-1000>]",
        &[
            "Global IPv6 configuration commands",
            "Configure static routes",
            "IPv6 prefix",
            "IPv6 address of next-hop",
            "Null interface",
            "Forwarding interface",
            "IPv6 address of next-hop",
            DISTANCE,
            "Set tag for this route",
            "Tag value",
            "Specify name of the next hop",
            "Name of the next hop",
            PERMANENT,
            TRACK,
            "Number of the object",
        ],
        No::After(3),
        ipv6_route,
    ),
];

fn ip_route(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let network: Ipv4Addr = args.value("network")?;
    let mask: Ipv4Addr = args.value("mask")?;
    let prefix = Ipv4Net::with_netmask(network, mask)
        .map_err(|_| args.fault("mask", "the mask is not contiguous"))?;
    static_route(editor, args, prefix.into())
}

fn ipv6_route(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let prefix = args.value("prefix")?;
    static_route(editor, args, prefix)
}

/// Adds the route in the line. In the `no` form, removes the routes that the line describes. If a
/// route to the same prefix and target already exists, the line replaces the options of this route.
fn static_route(editor: &mut Editor, args: &Args<'_>, prefix: IpNet) -> Result<(), Fault> {
    let prefix = prefix.trunc();
    let target = target(args)?;
    if let Some(StaticTarget::NextHop(address)) = target
        && is_ipv6_link_local(address)
    {
        if !args.negated {
            editor.warn(LINK_LOCAL);
        }
        return Ok(());
    }
    for word in ["permanent", "track"] {
        if args.has(word) && !args.negated {
            let message =
                format!("`{word}` has no effect: the route exists only while its link is up");
            editor.warn(message);
        }
    }
    let interface = if args.given("next-hop") { args.optional("interface") } else { None };
    let distance: Option<u8> = args.optional("distance");
    let routes = &mut editor.config.static_routes;
    let first = StaticRoute { distance: 0, ..StaticRoute::new(prefix, StaticTarget::Null) };
    let of_prefix = routes.range(first..).take_while(|route| route.prefix == prefix);
    let described = |route: &&StaticRoute| {
        target.is_none_or(|target| route.target == target)
            && interface.is_none_or(|interface| route.interface == Some(interface))
            && distance.is_none_or(|distance| !args.negated || route.distance == distance)
    };
    let known: Vec<StaticRoute> = of_prefix.filter(described).cloned().collect();
    for route in &known {
        routes.remove(route);
    }
    if let Some(target) = target.filter(|_| !args.negated) {
        routes.insert(StaticRoute {
            prefix,
            distance: distance.unwrap_or(StaticRoute::DISTANCE),
            target,
            interface,
            tag: args.optional("tag"),
            name: args.optional("name"),
        });
    }
    Ok(())
}

/// The target in the line. Only a `no` form may have no target.
fn target(args: &Args<'_>) -> Result<Option<StaticTarget>, Fault> {
    Ok(if args.has("Null0") {
        Some(StaticTarget::Null)
    } else if args.given("next-hop") {
        Some(StaticTarget::NextHop(args.value("next-hop")?))
    } else if args.given("interface") {
        Some(StaticTarget::Interface(args.value("interface")?))
    } else {
        None
    })
}
