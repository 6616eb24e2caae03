//! The reference model. It has the places of the hosts and the configuration. From these it
//! computes the pairs of hosts that reach each other, and the right registrations of each
//! map-server. It is small and simple, but slow.

use std::collections::{BTreeMap, BTreeSet};

use eidway::addr::{Eid, EidPrefix, Family};

use crate::plan::{Event, Plan};
use crate::topology::{Cable, End, Lan, Router, Settings, Topology, eid, prefix};

#[derive(Clone, Debug)]
pub struct World {
    pub topology: Topology,
    pub settings: Settings,
    /// The site of each roaming host.
    pub roamers_at: Vec<usize>,
    pub lans_down: BTreeSet<Lan>,
    pub cables_down: BTreeSet<Cable>,
    pub impaired: BTreeSet<Cable>,
    pub dead: BTreeSet<Router>,
    /// LANs that were removed from the configuration of an xTR before it was started again. The xTR
    /// does not know that these LANs were its own, so it sends no SMR for them. An ITR keeps its
    /// mapping of these LANs until the TTL has passed.
    pub forgotten: BTreeSet<Lan>,
}

impl World {
    pub fn new(plan: &Plan) -> World {
        World {
            topology: plan.topology.clone(),
            settings: Settings::default(),
            roamers_at: plan.roamers_at.clone(),
            lans_down: BTreeSet::new(),
            cables_down: BTreeSet::new(),
            impaired: BTreeSet::new(),
            dead: BTreeSet::new(),
            forgotten: BTreeSet::new(),
        }
    }

    /// Applies an event. Returns false if the event changes nothing, or is about a missing part.
    pub fn apply(&mut self, event: Event) -> bool {
        let has_router = |router| self.topology.routers().contains(&router);
        let has_lan = |lan: Lan| self.topology.all_lans().contains(&lan);
        let has_cable = |cable| self.topology.cables().contains(&cable);
        let has_key =
            |site, server| site < self.topology.sites() && server < self.topology.servers.len();
        match event {
            Event::Move(n, site, _) => {
                let moves = site < self.topology.sites()
                    && self.roamers_at.get(n).is_some_and(|&at| at != site);
                if moves {
                    self.roamers_at[n] = site;
                }
                moves
            }
            Event::LanDown(lan) => has_lan(lan) && self.lans_down.insert(lan),
            Event::LanUp(lan) => self.lans_down.remove(&lan),
            Event::CableDown(cable) => has_cable(cable) && self.cables_down.insert(cable),
            Event::CableUp(cable) => self.cables_down.remove(&cable),
            Event::Impair(cable, ..) => {
                let there = has_cable(cable);
                if there {
                    self.impaired.insert(cable);
                }
                there
            }
            Event::Kill(router) | Event::Stop(router) => {
                has_router(router) && self.dead.insert(router)
            }
            Event::Start(router) => {
                let unmapped = self.settings.unmapped.iter().copied();
                self.forgotten.extend(unmapped.filter(|lan| Router::Xtr(lan.0) == router));
                self.dead.remove(&router)
            }
            Event::WrongKey(site, server) => {
                has_key(site, server) && self.settings.wrong_keys.insert((site, server))
            }
            Event::RightKey(site, server) => self.settings.wrong_keys.remove(&(site, server)),
            Event::Unmap(lan) => has_lan(lan) && self.settings.unmapped.insert(lan),
            Event::Map(lan) => {
                self.forgotten.remove(&lan);
                self.settings.unmapped.remove(&lan)
            }
            Event::Ping(from, to, ..) => {
                let ends = self.topology.ends();
                ends.contains(&from) && ends.contains(&to)
            }
        }
    }

    /// The events that end the temporary faults.
    pub fn healing(&self) -> Vec<Event> {
        let cables = self.cables_down.iter().map(|&cable| Event::CableUp(cable));
        let routers = self.dead.iter().map(|&router| Event::Start(router));
        let keys = self.settings.wrong_keys.iter();
        let keys = keys.map(|&(site, server)| Event::RightKey(site, server));
        cables.chain(routers).chain(keys).collect()
    }

    /// The LAN of a host. The outside host is on no LAN of a site.
    pub fn lan_of(&self, end: End) -> Option<Lan> {
        match end {
            End::At(lan) => Some(lan),
            End::Roamer(n) => Some(Lan(self.roamers_at[n], 0)),
            End::Outside => None,
        }
    }

    pub fn site_of(&self, end: End) -> Option<usize> {
        self.lan_of(end).map(|lan| lan.0)
    }

    /// Whether the address of a host must be registered: it is an EID, and its LAN is up.
    pub fn is_mapped(&self, end: End) -> bool {
        let Some(lan) = self.lan_of(end) else { return false };
        let configured = match end {
            End::At(lan) => !self.settings.unmapped.contains(&lan),
            End::Roamer(_) | End::Outside => true,
        };
        configured && !self.lans_down.contains(&lan)
    }

    /// Whether two hosts can ping each other.
    pub fn has_path(&self, from: End, to: End) -> bool {
        let plugged = |end| self.lan_of(end).is_none_or(|lan| !self.lans_down.contains(&lan));
        let local = self.site_of(from).is_some() && self.site_of(from) == self.site_of(to);
        let reachable = |end| end == End::Outside || self.is_mapped(end);
        let hidden =
            |one, other| self.site_of(one).is_some_and(|site| self.is_hidden_from(site, other));
        if hidden(from, to) || hidden(to, from) {
            return false;
        }
        plugged(from) && plugged(to) && (local || reachable(from) && reachable(to))
    }

    /// Whether a site sends no packets to a host at another site, although the EID of the host may
    /// be registered.
    ///
    /// The EID is in a smaller prefix at the other site. A map-server reports this prefix only to
    /// an ETR that registers a larger prefix around it. If the xTR does not register the larger
    /// prefix, its LAN hides the smaller prefix in two cases. If the LAN is up, its connected route
    /// is used. If the LAN is down and in the database, packets for a local EID without a route are
    /// dropped, and no mapping is requested.
    pub fn is_hidden_from(&self, site: usize, end: End) -> bool {
        let first = Lan(0, 0);
        let is_up = !self.lans_down.contains(&first);
        let is_unmapped = self.settings.unmapped.contains(&first);
        let is_piece = matches!(end, End::At(lan) if self.topology.is_overlapping(lan));
        site == first.0 && is_piece && is_up == is_unmapped
    }

    /// The right registrations of each map-server: the prefixes, each with its xTRs.
    pub fn registrations(&self) -> BTreeMap<EidPrefix, BTreeSet<usize>> {
        let mut held: BTreeMap<EidPrefix, BTreeSet<usize>> = BTreeMap::new();
        for end in self.topology.ends().into_iter().filter(|&end| self.is_mapped(end)) {
            let Some(site) = self.site_of(end) else { continue };
            for (at, family) in Family::BOTH.into_iter().enumerate() {
                let prefix = match end {
                    End::At(lan) => prefix(self.topology.prefixes(lan)[at]),
                    _ => eid(self.topology.address(end, family)).host_prefix(),
                };
                held.entry(prefix).or_default().insert(site);
            }
        }
        held
    }

    /// The site that an EID leads to by the longest registration.
    pub fn leads_to(&self, eid: Eid) -> Option<usize> {
        let registrations = self.registrations();
        let around = registrations.iter().filter(|(prefix, _)| prefix.contains(eid));
        let longest = around.max_by_key(|(prefix, _)| prefix.mask_len())?;
        longest.1.first().copied()
    }
}
