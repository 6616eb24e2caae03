//! The decisions of ITRs and ETRs on the path of a packet, and the tunnel between them.

use std::net::IpAddr;

use super::cause::{Cause, Loss};
use super::explorer::Explorer;
use super::journey::{Verdict, What};
use super::kernels::{Flight, Landing, Origin, dead_link};
use super::resolution::Resolved;
use crate::addr::Family;
use crate::console::show::packet::verdict_text;
use crate::console::view::packet::{PacketVerdict, PacketView};
use crate::lab::asked::{running_config, view};
use crate::lab::failure::Failure;
use crate::router::decision::{Rule, Table};
use crate::router::io::LISP_DEVICE;
use crate::wire::data_header::encapsulation_len;

/// The maximum number of tunnels on the path of a packet. A packet that needs more tunnels is in a
/// loop.
const MOST_TUNNELS: usize = 8;

/// The path of a packet after the decision of a router.
enum Onward {
    /// The packet goes on without LISP. The loss is the reason why the router does not use LISP, if
    /// this reason is a fault.
    Native(Option<Loss>),
    /// The packet goes through a tunnel from the RLOC `own` to the RLOC `rloc`.
    Tunnel { own: IpAddr, rloc: IpAddr },
    /// The packet leaves the tunnel device, and goes on to the site.
    Site,
    /// The packet goes to a host that the router finds on this LAN.
    Host(String),
    /// The packet is lost.
    Lost(Loss),
}

impl Explorer<'_> {
    /// Follows a packet between EIDs. The packet starts at the node `from`. Returns the node that
    /// receives the packet, or its loss.
    pub(super) fn deliver(
        &mut self,
        from: &str,
        flight: &Flight,
    ) -> Result<Result<String, Loss>, Failure> {
        let (mut at, mut origin) = (from.to_owned(), Origin::Own);
        // The reason why a router forwarded the packet without LISP. If the packet is lost later,
        // this reason is the first cause.
        let mut native = None;
        let first_step = self.steps.len();
        for _ in 0..MOST_TUNNELS {
            let itr = match self.carry(&at, origin, flight)? {
                Landing::Arrived(node) => return Ok(Ok(node)),
                Landing::Lost(loss) if loss.cause == Cause::NoRoute => {
                    let root = match native {
                        None => self.without_itr(first_step)?,
                        native => native,
                    };
                    return Ok(Err(loss.with_root(root)));
                }
                Landing::Lost(loss) => return Ok(Err(loss)),
                Landing::Tunnel(node) => node,
            };
            let mut onward = self.at_itr(&itr, flight)?;
            at = itr;
            loop {
                onward = match onward {
                    Onward::Tunnel { own, rloc } => match self.cross(&at, (own, rloc), flight)? {
                        Err(loss) => return Ok(Err(loss)),
                        Ok(etr) => {
                            let onward = self.at_etr(&etr, own, flight)?;
                            at = etr;
                            onward
                        }
                    },
                    Onward::Lost(loss) => return Ok(Err(loss)),
                    Onward::Host(host) => return Ok(Ok(host)),
                    Onward::Native(why) => {
                        native = why;
                        break;
                    }
                    Onward::Site => break,
                };
            }
            origin = Origin::Input(LISP_DEVICE.to_owned());
        }
        let because = format!("the packet to {} goes through too many tunnels", flight.destination);
        Ok(Err(self.lose(What::Itr, Loss::new(&at, Cause::RoutingLoop, because))))
    }

    /// Searches the path of the packet for a LISP router without the role of an ITR. The kernel of
    /// such a router forwards the packet without LISP. Returns this fault.
    fn without_itr(&mut self, first_step: usize) -> Result<Option<Loss>, Failure> {
        let of_packet = self.steps[first_step..].iter().filter(|step| step.depth == self.depth);
        let nodes: Vec<String> = of_packet.map(|step| step.node.clone()).collect();
        for node in nodes {
            if !self.is_router(&node) || !self.runs(&node) {
                continue;
            }
            let config = self.config(&node)?;
            let roles = Family::BOTH.map(|family| config.roles(family));
            if config.lisp.is_some() && !roles.iter().any(|it| it.itr || it.proxy_itr) {
                let because =
                    format!("{node} is not an ITR, so it forwards the packet without LISP");
                let loss = Loss::new(&node, Cause::Rule(Rule::NoItr), because);
                let to_do = format!("at {node}: configure `ipv4 itr` or `ipv6 itr`");
                return Ok(Some(loss.with_remedy(Some(to_do))));
            }
        }
        Ok(None)
    }

    /// Asks a router for its decision on a packet.
    fn decision(
        &mut self,
        node: &str,
        flight: &Flight,
        encapsulated_by: Option<IpAddr>,
    ) -> Result<PacketView, Failure> {
        let Flight { source, destination, size, df } = flight;
        let mut command = format!("show lisp packet {destination} from {source}");
        if let Some(rloc) = encapsulated_by {
            command.push_str(&format!(" encapsulated-by {rloc}"));
        }
        command.push_str(&format!(" size {}", size.max(&48)));
        if *df {
            command.push_str(" df-bit");
        }
        let running = &mut *self.running;
        view(node, &command, &mut |line| running.console(node, line))
    }

    /// Returns the path of a packet after the decision of the ITR `node`.
    fn at_itr(&mut self, node: &str, flight: &Flight) -> Result<Onward, Failure> {
        if !self.runs(node) {
            return Ok(Onward::Lost(self.stopped(node, What::Itr)));
        }
        let view = self.decision(node, flight, None)?;
        let lost = self.note_decision(node, What::Itr, &view);
        Ok(match view.verdict {
            PacketVerdict::Encapsulate | PacketVerdict::Forward => tunnel(&view),
            PacketVerdict::Deliver => Onward::Site,
            PacketVerdict::Native => Onward::Native(self.native_cause(node, &view, flight)?),
            PacketVerdict::AwaitHost => self.sought(node, flight)?,
            PacketVerdict::AwaitMapping => match self.inside(|it| it.resolve(node, flight))? {
                Resolved::Locator { own, rloc } => Onward::Tunnel { own, rloc },
                Resolved::Negative(why) => Onward::Native(why),
                Resolved::Lost(loss) => Onward::Lost(loss),
            },
            PacketVerdict::Drop => match view.rule {
                // The ITR got no answer to its Map-Request. The path of the Map-Request shows the
                // reason.
                Rule::Resting | Rule::WaitedInVain | Rule::HoldQueueFull => {
                    match self.inside(|it| it.resolve(node, flight))? {
                        Resolved::Lost(root) => {
                            Onward::Lost(lost.with_root(root.root.map(|it| *it)))
                        }
                        _ => Onward::Lost(lost),
                    }
                }
                Rule::LocalEidWithoutRoute => {
                    let root = self.dead_port(node, flight.destination)?;
                    Onward::Lost(lost.with_root(root))
                }
                _ => Onward::Lost(lost),
            },
        })
    }

    /// Returns the path of a packet after the decision of the ETR `node`. `itr` is the RLOC that
    /// has encapsulated the packet.
    fn at_etr(&mut self, node: &str, itr: IpAddr, flight: &Flight) -> Result<Onward, Failure> {
        if !self.is_router(node) {
            let because = format!("{node} has the locator, but is not a LISP router");
            let loss = Loss::new(node, Cause::NoLisp, because);
            return Ok(Onward::Lost(self.lose(What::Etr, loss)));
        }
        if !self.runs(node) {
            return Ok(Onward::Lost(self.stopped(node, What::Etr)));
        }
        let view = self.decision(node, flight, Some(itr))?;
        let lost = self.note_decision(node, What::Etr, &view);
        Ok(match view.verdict {
            PacketVerdict::Encapsulate | PacketVerdict::Forward => tunnel(&view),
            PacketVerdict::Deliver | PacketVerdict::Native => Onward::Site,
            PacketVerdict::AwaitHost => self.sought(node, flight)?,
            PacketVerdict::AwaitMapping => Onward::Lost(lost),
            PacketVerdict::Drop if view.rule == Rule::EidWithoutRoute => {
                let root = self.dead_port(node, flight.destination)?;
                Onward::Lost(lost.with_root(root))
            }
            PacketVerdict::Drop => Onward::Lost(lost),
        })
    }

    /// Notes the decision of a router, and returns a loss. The loss is valid only if the decision
    /// causes the loss of the packet.
    fn note_decision(&mut self, node: &str, what: What, view: &PacketView) -> Loss {
        let line = view.line.map_or(String::new(), |line| {
            format!(" ({}, {})", line.table.describe(), line.eid_prefix)
        });
        let because = format!("{}: {}{line}", verdict_text(view), view.because);
        let verdict = match view.verdict {
            PacketVerdict::Drop => Verdict::Lost,
            PacketVerdict::AwaitHost | PacketVerdict::AwaitMapping => Verdict::Waits,
            _ => Verdict::Passes,
        };
        self.note_rule(node, what, verdict, because.clone(), Some(&view.section));
        let to_do = view.remedy.as_ref().map(|remedy| format!("at {node}: {remedy}"));
        Loss::new(node, Cause::Rule(view.rule), because).with_remedy(to_do)
    }

    fn stopped(&mut self, node: &str, what: What) -> Loss {
        let loss = Loss::new(node, Cause::RouterStopped, format!("the router {node} does not run"));
        self.lose(what, loss)
    }

    /// Returns the fault that makes an ITR forward a packet without LISP. Returns `None` if the
    /// reason is not a fault.
    fn native_cause(
        &mut self,
        node: &str,
        view: &PacketView,
        flight: &Flight,
    ) -> Result<Option<Loss>, Failure> {
        let loss = |because: String| Loss::new(node, Cause::Rule(view.rule), because);
        Ok(match view.rule {
            Rule::ForeignSource => {
                let source = flight.source;
                Some(loss(format!(
                    "{source} is not an EID of the site, so packets from {source} are sent without \
                     LISP"
                )))
            }
            Rule::NoMapCacheEntry => {
                let to = flight.destination;
                Some(loss(format!(
                    "the map-cache has no entry with the action map-request for \
                                   {to}"
                )))
            }
            Rule::NegativeMapping
                if view.line.is_some_and(|line| line.table == Table::MapCache) =>
            {
                match self.inside(|it| it.resolve(node, flight))? {
                    Resolved::Negative(why) => why,
                    Resolved::Locator { .. } => {
                        let because = "the map-cache has an old negative entry: the EID is \
                                       registered now";
                        Some(Loss::new(node, Cause::OldNegativeMapping, because))
                    }
                    Resolved::Lost(loss) => Some(loss),
                }
            }
            _ => None,
        })
    }

    /// Finds the interface to the network of a local EID. If this interface is down, returns the
    /// loss at this interface.
    pub(super) fn dead_port(&mut self, node: &str, eid: IpAddr) -> Result<Option<Loss>, Failure> {
        let ports: Vec<String> = self
            .lab
            .file
            .ports()
            .filter(|port| port.node == node)
            .map(|port| port.device.clone())
            .collect();
        let running = &mut *self.running;
        let config = running_config(node, &mut |line| running.console(node, line))?;
        let of_eid = config.addresses().filter(|(_, net)| net.contains(&eid));
        let devices: Vec<String> = of_eid.map(|(name, _)| name.device()).collect();
        let links = self.links(node)?.iter();
        let mut dead = links.filter(|link| {
            let is_port = ports.contains(&link.device) && devices.contains(&link.device);
            is_port && !link.is_running()
        });
        Ok(dead.next().map(|link| dead_link(node, link)))
    }

    /// Follows an encapsulated packet from the local RLOC `own` to the remote RLOC. Returns the
    /// node that receives the packet.
    fn cross(
        &mut self,
        node: &str,
        (own, rloc): (IpAddr, IpAddr),
        flight: &Flight,
    ) -> Result<Result<String, Loss>, Failure> {
        let size = flight.size + encapsulation_len(Family::of(rloc));
        let outer = Flight { source: own, destination: rloc, size, df: flight.df };
        Ok(match self.inside(|it| it.carry(node, Origin::Bound, &outer))? {
            Landing::Arrived(etr) => Ok(etr),
            Landing::Lost(loss) => Err(loss),
            Landing::Tunnel(router) => {
                let because = format!("the route to the locator {rloc} leads into the LISP tunnel");
                let loss = Loss::new(&router, Cause::RoutingLoop, because);
                Err(self.lose(What::Route, loss))
            }
        })
    }

    /// Follows a packet to a host. The router searches for this host on its LANs.
    fn sought(&mut self, node: &str, flight: &Flight) -> Result<Onward, Failure> {
        let ports = self.lab.file.lans.iter().flat_map(|lan| &lan.ports);
        let of_node = ports.filter(|port| port.node == node);
        let devices: Vec<String> = of_node.map(|port| port.device.clone()).collect();
        for device in devices {
            let steps = self.steps.len();
            if let Ok((host, _)) = self.neighbour(node, &device, flight.destination)? {
                return Ok(Onward::Host(host));
            }
            self.steps.truncate(steps);
        }
        let to = flight.destination;
        let because =
            format!("the host {to} is on no LAN of {node}: it does not answer the search");
        let loss = Loss::new(node, Cause::Rule(Rule::HostIsSought), because);
        Ok(Onward::Lost(self.lose(What::Neighbour, loss)))
    }
}

fn tunnel(view: &PacketView) -> Onward {
    match view.rlocs {
        Some((own, rloc)) => Onward::Tunnel { own, rloc },
        None => Onward::Site,
    }
}
