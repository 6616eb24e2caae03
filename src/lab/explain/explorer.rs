//! The state of an explanation: the lab that the explanation reads, and the steps so far.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::cause::Loss;
use super::journey::{Leg, Step, Verdict, What};
use crate::addr::Family;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::kernel::{LinkState, Route, RouteQuery};
use crate::lab::running::RunningLab;

/// The state of an explanation.
pub(super) struct Explorer<'a> {
    pub running: &'a mut dyn RunningLab,
    pub lab: Lab,
    /// The devices that were already read, by node.
    links: BTreeMap<String, Vec<LinkState>>,
    /// The routes that were already read, by node and query.
    routes: BTreeMap<(String, RouteQuery), Route>,
    pub steps: Vec<Step>,
    pub leg: Leg,
    pub depth: u8,
}

impl<'a> Explorer<'a> {
    pub fn new(running: &'a mut dyn RunningLab) -> Self {
        let lab = running.lab().clone();
        Explorer {
            running,
            lab,
            links: BTreeMap::new(),
            routes: BTreeMap::new(),
            steps: Vec::new(),
            leg: Leg::There,
            depth: 0,
        }
    }

    /// Returns the source address that a node chooses for a packet to `destination`.
    pub fn source(&mut self, node: &str, destination: IpAddr) -> Result<IpAddr, Failure> {
        let query = RouteQuery { destination, source: None, input: None };
        if let Route::Out { source: Some(source), .. } = self.route(node, query)? {
            return Ok(source);
        }
        let family = Family::of(destination);
        let of_kernel = self.links(node)?.iter().filter(|link| link.device != "lo");
        let of_kernel = of_kernel.flat_map(|link| link.addresses.clone());
        let mut of_kernel = of_kernel.map(|net| net.addr());
        let found = of_kernel.find(|&address| Family::of(address) == family);
        let declared = || self.lab.expect_host(node).ok().and_then(|host| host.address(family));
        found.or_else(declared).ok_or_else(|| {
            Failure::Other(format!(
                "{node} has no {family} address, so it cannot send to {destination}"
            ))
        })
    }

    /// Returns the devices of a node.
    pub fn links(&mut self, node: &str) -> Result<&[LinkState], Failure> {
        if !self.links.contains_key(node) {
            let links = self.running.links(node)?;
            self.links.insert(node.to_owned(), links);
        }
        Ok(self.links.get(node).map_or(&[], Vec::as_slice))
    }

    /// Returns the route of a packet at a node.
    pub fn route(&mut self, node: &str, query: RouteQuery) -> Result<Route, Failure> {
        let key = (node.to_owned(), query);
        if let Some(route) = self.routes.get(&key) {
            return Ok(route.clone());
        }
        let route = self.running.route(node, &key.1)?;
        self.routes.insert(key, route.clone());
        Ok(route)
    }

    /// Whether a node is a router of the lab.
    pub fn is_router(&self, node: &str) -> bool {
        self.lab.expect_router(node).is_ok()
    }

    /// Whether the process of a router runs.
    pub fn runs(&mut self, node: &str) -> bool {
        self.running.node(node).runs
    }

    pub fn note(&mut self, node: &str, what: What, verdict: Verdict, because: impl Into<String>) {
        self.note_rule(node, what, verdict, because, None);
    }

    pub fn note_rule(
        &mut self,
        node: &str,
        what: What,
        verdict: Verdict,
        because: impl Into<String>,
        section: Option<&str>,
    ) {
        self.steps.push(Step {
            leg: self.leg,
            depth: self.depth,
            node: node.to_owned(),
            what,
            verdict,
            because: because.into(),
            section: section.map(str::to_owned),
        });
    }

    /// Notes the step that loses a packet, and returns the loss.
    pub fn lose(&mut self, what: What, loss: Loss) -> Loss {
        let (node, because) = (loss.node.clone(), loss.because.clone());
        let section = loss.section.clone();
        self.note_rule(&node, what, Verdict::Lost, because, section.as_deref());
        loss
    }

    /// Calls `act`. The steps that `act` notes become details of the latest step before the call.
    pub fn inside<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        self.depth += 1;
        let result = act(self);
        self.depth -= 1;
        result
    }
}
