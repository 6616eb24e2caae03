//! The objects that the router wants in the kernel of its namespace.
//!
//! The wanted objects are a set of links, addresses, rules and routes. When the set changes, the
//! router requests the difference between the old set and the new set. When a link is back, the
//! router requests the objects of the link again, because the kernel drops addresses and routes
//! together with a link and does not put them back. The router also puts back every other wanted
//! object that vanishes ([`Losses`] decides when). There is one exception: a port that another
//! program sets down stays down, because a lab makes a link fail in this way.
//!
//! ```text
//! 100  iif lisp0   lookup main suppress_ifgroup 4341   packets from lisp0, never back into it
//! 101  iif lisp0   lookup 4341
//! 102  from RLOC   lookup main suppress_ifgroup 4341   control and encapsulated packets of Eidway
//! 103  from RLOC   lookup 4341
//! table 4341: the native default, a blackhole for each local EID prefix,
//!             and unreachable for all other destinations
//! ```
//! Each part of these objects is necessary. Without the rules of the RLOCs, the router's own
//! packets to port 4341 of a peer enter `lisp0` again, and never reach the peer. Without the
//! suppressed lookup of main, the table of `lisp0` would need copies of the site's routes and of
//! the default route. When a link vanishes, the kernel removes these copies without a notification.
//! After this, a single ping goes through `lisp0` again and again, a hundred thousand times a
//! second. Without the blackholes, packets leak into the core while the link of a site is down.
//! With `unreachable` in place of the blackholes, hosts get an error about a failure that the
//! mapping system will soon repair.

mod events;
mod wanted;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::IpNet;

use super::config::{Config, InterfaceName};
use super::event::{Event, KernelObjectChange};
use super::io::{Device, KernelObject, KernelRequest, Output, RouteTarget};
use super::losses::{Losses, Verdict};
use super::made::place;
use super::rib::Rib;
use crate::addr::EidPrefix;
use crate::time::Time;
pub(super) use wanted::guard;

/// The objects that the router wants in the kernel.
#[derive(Debug, Default)]
pub struct Kernel {
    /// The objects of the configuration that belong to no EID.
    fixed: BTreeSet<KernelObject>,
    /// The objects that each EID prefix needs in addition.
    mobile: BTreeMap<EidPrefix, BTreeSet<KernelObject>>,
    /// For each object in `mobile`, the number of EID prefixes that want the object. Several
    /// prefixes can want one object, because instances share the tables of the kernel.
    wanted_by: BTreeMap<KernelObject, usize>,
    /// The MTU that a link had before an MTU was configured; `None` if the link had not been seen.
    own_mtus: BTreeMap<InterfaceName, Option<u16>>,
    /// The time at which the router requested objects again because their link changed, and these
    /// objects. The kernel's notification about the lost objects may arrive after the requests.
    asked_again: (Time, BTreeSet<KernelObject>),
    /// The objects that have vanished or were refused lately.
    losses: Losses<KernelObject>,
    /// The ports that another program set down.
    down_by_hand: BTreeSet<Device>,
    /// Ports that the router has asked the kernel to set down. A port stays in this set until the
    /// kernel reports the port down.
    going_down: BTreeSet<Device>,
}

impl Kernel {
    /// Changes the set of wanted objects. Returns the requests that make the same changes in the
    /// kernel. The removals come first. The kernel does not compare all fields of a route when it
    /// removes a route. So if a new route was added before the old route is removed, the removal
    /// could remove the new route. If a new route and an old route have the same key in the kernel,
    /// the new route replaces the old route in one step. So each packet finds one of the two
    /// routes.
    ///
    /// `fixed` contains the objects that belong to no EID, if they may have changed. `mobile`
    /// contains the objects of the EID prefixes that were added, removed or changed.
    pub fn reconcile(
        &mut self,
        fixed: Option<BTreeSet<KernelObject>>,
        mobile: BTreeMap<EidPrefix, BTreeSet<KernelObject>>,
    ) -> Vec<KernelRequest> {
        let none = BTreeSet::new();
        let mut touched: Vec<KernelObject> = Vec::new();
        if let Some(fixed) = &fixed {
            touched.extend(self.fixed.symmetric_difference(fixed));
        }
        for (prefix, after) in &mobile {
            let before = self.mobile.get(prefix).unwrap_or(&none);
            touched.extend(before.symmetric_difference(after));
        }
        touched.sort();
        touched.dedup();
        let (stood, others): (Vec<_>, Vec<_>) =
            touched.into_iter().partition(|object| self.stands(object));
        if let Some(fixed) = fixed {
            self.fixed = fixed;
        }
        for (prefix, after) in mobile {
            self.replace(prefix, after);
        }
        let gone: Vec<_> = stood.into_iter().rev().filter(|object| !self.stands(object)).collect();
        gone.iter().for_each(|object| self.losses.forget(object));
        let mut come: Vec<_> = others.into_iter().filter(|object| self.stands(object)).collect();
        let taken: BTreeSet<KernelObject> =
            come.iter().copied().filter(is_route).map(place).collect();
        let gone = gone.into_iter().filter(|&object| !taken.contains(&place(object)));
        let gone: Vec<_> = gone.collect();
        come.extend(gone.iter().flat_map(|object| self.in_the_place_of(object)));
        come.sort();
        gone.into_iter().map(KernelRequest::Remove).chain(self.make(come)).collect()
    }

    /// The wanted routes that have the same key in the kernel as the removed route `object`.
    /// Several wanted routes can have the same key, but the kernel has only one of them.
    fn in_the_place_of(&self, object: &KernelObject) -> Vec<KernelObject> {
        let KernelObject::Route { table, prefix, .. } = *object else {
            return Vec::new();
        };
        let of =
            |target, metric, source| KernelObject::Route { table, prefix, target, metric, source };
        let first = of(RouteTarget::NextHop(Ipv4Addr::UNSPECIFIED.into()), 0, None);
        let last = of(RouteTarget::Unreachable, u32::MAX, Some([0xff; 16].into()));
        let fixed = self.fixed.range(first..=last);
        let mobile = self.wanted_by.range(first..=last).map(|(object, _)| object);
        let all = fixed.chain(mobile).copied();
        all.filter(|&other| place(other) == place(*object)).collect()
    }

    /// The requests that make these objects. A port that another program set down stays down.
    fn make(&mut self, objects: Vec<KernelObject>) -> Vec<KernelRequest> {
        let mut requests = Vec::with_capacity(objects.len());
        for mut object in objects {
            if let KernelObject::Link { device, up, .. } = &mut object {
                match *up {
                    true => *up = !self.down_by_hand.contains(device),
                    false => {
                        self.down_by_hand.remove(device);
                        self.going_down.insert(*device);
                    }
                }
            }
            requests.push(KernelRequest::Add(object));
        }
        requests
    }

    fn stands(&self, object: &KernelObject) -> bool {
        self.fixed.contains(object) || self.wanted_by.contains_key(object)
    }

    fn replace(&mut self, prefix: EidPrefix, after: BTreeSet<KernelObject>) {
        for &object in &after {
            *self.wanted_by.entry(object).or_default() += 1;
        }
        let before = match after.is_empty() {
            true => self.mobile.remove(&prefix),
            false => self.mobile.insert(prefix, after),
        };
        for object in before.into_iter().flatten() {
            if let Entry::Occupied(mut count) = self.wanted_by.entry(object) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        }
    }

    /// The prefixes that want objects in addition to the objects of the configuration.
    pub fn prefixes(&self) -> impl Iterator<Item = EidPrefix> {
        self.mobile.keys().copied()
    }

    /// The objects of the configuration, as the present links require them.
    pub fn fixed(&mut self, config: &Config, rib: &Rib) -> BTreeSet<KernelObject> {
        self.remember_mtus(config, rib);
        wanted::wanted(config, rib, &self.own_mtus)
    }

    /// The requests that make the lost objects again: the objects for which `lost` returns true.
    /// The requests are in the order in which objects are made.
    fn again(&mut self, lost: impl Fn(&&KernelObject) -> bool, now: Time) -> Vec<KernelRequest> {
        let mobile: BTreeSet<KernelObject> = self.wanted_by.keys().copied().collect();
        let lost: Vec<_> = self.fixed.union(&mobile).filter(lost).copied().collect();
        lost.iter().for_each(|object| self.losses.forget(object));
        if self.asked_again.0 != now {
            self.asked_again = (now, BTreeSet::new());
        }
        self.asked_again.1.extend(&lost);
        self.make(lost)
    }

    /// Stores the MTU that each link had before an MTU was configured. The kernel does not keep the
    /// old MTU. When the configured MTU is removed, the router sets the old MTU again.
    fn remember_mtus(&mut self, config: &Config, rib: &Rib) {
        for (&name, _) in config.interfaces.iter().filter(|(_, each)| each.mtu.is_some()) {
            let own = || rib.link(&name.device()).and_then(|link| u16::try_from(link.mtu).ok());
            self.own_mtus.entry(name).or_insert_with(own);
        }
    }

    /// The requests for the objects of a device that has just appeared. The device was connected
    /// late, or it was made again.
    pub fn introduce(&mut self, device: &str, now: Time) -> Vec<KernelRequest> {
        let of_device = |object: &&KernelObject| match object {
            KernelObject::Link { device: on, .. } | KernelObject::Address { device: on, .. } => {
                on.name() == device
            }
            _ => false,
        };
        self.again(of_device, now)
    }

    /// The requests for the objects that the kernel may have dropped when `device` went down: its
    /// addresses and every route.
    pub fn reassert(&mut self, device: &str, now: Time) -> Vec<KernelRequest> {
        let lost = |object: &&KernelObject| match object {
            KernelObject::Address { device: on, .. } => on.name() == device,
            KernelObject::Route { .. } => true,
            KernelObject::ProxyNeighbour { device: on, .. } => on.name() == device,
            KernelObject::Namespace | KernelObject::Link { .. } | KernelObject::Rule { .. } => {
                false
            }
        };
        self.again(lost, now)
    }

    /// Handles a port that has gone down. Returns whether another program set the port down. This
    /// is the case if the configuration wants the port up, and the router has not asked the kernel
    /// to set the port down.
    pub fn went_down(&mut self, port: InterfaceName, config: &Config) -> bool {
        let device = Device::Interface(port);
        let was_asked = self.going_down.remove(&device);
        let is_wanted = config.interfaces.get(&port).is_some_and(|interface| !interface.shutdown);
        let by_hand = is_wanted && !was_asked;
        if by_hand {
            self.down_by_hand.insert(device);
        }
        by_hand
    }

    /// Handles a port that is up again, or was removed. Returns whether another program had set the
    /// port down.
    pub fn forget_hand(&mut self, device: &str) -> bool {
        self.going_down.retain(|going| going.name() != device);
        self.down_by_hand.extract_if(.., |held| held.name() == device).count() > 0
    }

    /// Whether another program set a port down.
    pub fn is_down_by_hand(&self, port: &InterfaceName) -> bool {
        self.down_by_hand.contains(&Device::Interface(*port))
    }

    /// The wanted object for which the router requested `object`. `None` if the router does not
    /// want the object any more. Usually both objects are equal. They differ only for the link of a
    /// port that another program set down: the configuration wants this port up, and the router
    /// requested the port down.
    fn wish(&self, object: KernelObject) -> Option<KernelObject> {
        let mut wish = object;
        if let KernelObject::Link { device, up, .. } = &mut wish {
            *up |= self.down_by_hand.contains(device);
        }
        self.stands(&wish).then_some(wish)
    }

    /// Handles objects that have vanished from the kernel. The router requests each object again if
    /// the router still wants the object. An object that was lost together with its link is
    /// requested when the link is back.
    pub fn lost(
        &mut self,
        objects: Vec<KernelObject>,
        (config, rib): (&Config, &Rib),
        now: Time,
    ) -> Vec<Output> {
        let (mut outputs, mut put_back) = (Vec::new(), Vec::new());
        for object in objects {
            let Some(object) = self.wish(object) else { continue };
            let is_asked = self.asked_again.0 == now && self.asked_again.1.contains(&object);
            if is_asked || awaits_link(&object, config, rib) {
                continue;
            }
            match self.losses.vanished(object, now) {
                Verdict::Now => put_back.push(object),
                Verdict::Later { first: true } => {
                    outputs.push(told(object, KernelObjectChange::Vanishes));
                }
                Verdict::Later { first: false } => {}
            }
        }
        if !put_back.is_empty() {
            outputs.push(Output::Event(Event::PutBack(put_back.clone())));
        }
        outputs.extend(self.make(put_back).into_iter().map(Output::Kernel));
        outputs
    }

    /// Handles an object that the kernel refused to make. The router requests the object again
    /// later, unless the object waits for a link.
    pub fn refused(
        &mut self,
        object: KernelObject,
        error: &str,
        (config, rib): (&Config, &Rib),
        now: Time,
    ) -> Option<Output> {
        let wish = self.wish(object)?;
        if awaits_link(&wish, config, rib) {
            return Some(told(wish, KernelObjectChange::WaitsForLink(error.to_owned())));
        }
        let refused = || told(wish, KernelObjectChange::Refused(error.to_owned()));
        self.losses.refused(wish, now).then(refused)
    }

    /// The requests for the objects that are due to be made again.
    pub fn put_back_due(&mut self, now: Time) -> Vec<KernelRequest> {
        let due = self.losses.take_due(now);
        self.make(due)
    }

    /// The next time at which [`Kernel::put_back_due`] returns requests.
    pub fn next_put_back(&self) -> Option<Time> {
        self.losses.next_due()
    }

    /// The requests that remove all objects of the router from the kernel.
    pub fn withdraw(&mut self) -> Vec<KernelRequest> {
        let mut objects = std::mem::take(&mut self.fixed);
        objects.extend(std::mem::take(&mut self.wanted_by).into_keys());
        self.mobile.clear();
        self.losses.clear();
        objects.into_iter().rev().map(KernelRequest::Remove).collect()
    }
}

fn is_route(object: &KernelObject) -> bool {
    matches!(object, KernelObject::Route { .. })
}

fn told(object: KernelObject, change: KernelObjectChange) -> Output {
    Output::Event(Event::KernelObject { object, change })
}

/// Whether an object cannot be made yet, because its link does not exist or is not up. When the
/// link is ready, the router requests all objects of the link again.
fn awaits_link(object: &KernelObject, config: &Config, rib: &Rib) -> bool {
    let is_there = |device: &Device| rib.link(&device.name()).is_some();
    let is_up = |device: &Device| rib.link(&device.name()).is_some_and(|link| link.up);
    match object {
        // The kernel keeps no link-local address on a link that is down.
        KernelObject::Address { device, address: IpNet::V6(net), .. }
            if net.addr().is_unicast_link_local() =>
        {
            !is_up(device)
        }
        KernelObject::Link { device, .. } | KernelObject::Address { device, .. } => {
            !is_there(device)
        }
        KernelObject::ProxyNeighbour { device, .. } => !is_up(device),
        KernelObject::Route { target: RouteTarget::Device(device), .. } => !is_up(device),
        KernelObject::Route { target: RouteTarget::NextHop(gateway), .. } => {
            let mut towards = config.addresses().filter(|(_, net)| net.contains(gateway));
            towards.next().is_some_and(|(name, _)| !is_up(&Device::Interface(name)))
        }
        KernelObject::Namespace | KernelObject::Rule { .. } | KernelObject::Route { .. } => false,
    }
}
