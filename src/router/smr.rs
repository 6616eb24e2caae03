//! Handles received Solicit-Map-Requests (RFC 9301 section 6.1).
//!
//! The only effect of an SMR is that this router asks a Map-Resolver for an EID in its map-cache.
//! The router never answers an SMR, and never uses the content of an SMR as a mapping.

use std::net::IpAddr;

use super::answers::{self, MOST_RECORDS};
use super::context::Context;
use super::counters::ControlDrop;
use super::event::MessageEvent;
use super::explanations;
use super::map_cache::{MapCache, Source};
use super::resolver::Resolver;
use crate::time::Time;
use crate::wire::MapRequest;

impl Resolver {
    /// Processes an SMR: sends a Map-Request for the solicited EID to the mapping system.
    pub(super) fn handle_smr(
        &mut self,
        context: &mut Context,
        map_cache: &MapCache,
        smr: &MapRequest,
        source: IpAddr,
        now: Time,
    ) {
        context.counters.smrs.received += 1;
        let own = smr.records.first().map(|record| record.eid_prefix.network());
        // Cisco, OOR and ODL put the solicited EID in the Source-EID. VPP puts it in the records.
        let solicited = match smr.source_eid {
            Some(eid) => vec![eid],
            None => {
                answers::tell_unread_records(context, source, smr, now);
                let records = smr.records.iter().take(MOST_RECORDS);
                records.map(|record| record.eid_prefix.network()).collect()
            }
        };
        for eid in solicited {
            let roles = context.config.roles(eid.family());
            if !roles.itr && !roles.proxy_itr {
                let told = || explanations::smr_at_no_itr(eid);
                context.refuse(source, ControlDrop::NotOurRole, now, told);
                continue;
            }
            if context.config.service(eid.family()).is_some_and(|service| service.ignores_smrs) {
                let told = || explanations::smr_ignored(eid);
                context.refuse(source, ControlDrop::SmrIgnored, now, told);
                continue;
            }
            let cached = map_cache.lookup(eid);
            let Some((entry, _)) = cached.filter(|(_, entry)| entry.source != Source::Static)
            else {
                let told = || explanations::smr_not_cached(eid);
                context.refuse(source, ControlDrop::SmrNotCached, now, told);
                continue;
            };
            let asks = !self.outstanding.is_pending(eid);
            let Some(at) = asks.then(|| self.smr_guard.admit(eid, entry, now)).flatten() else {
                let told = || explanations::smr_too_often(eid, entry);
                context.refuse(source, ControlDrop::RateLimited, now, told);
                continue;
            };
            context.trace(|| Some(MessageEvent::RequestScheduled { eid, own }));
            if smr.do_not_reply {
                context.trace(|| Some(MessageEvent::NotReplying(eid)));
            }
            self.solicited(context, (eid, own), source, at, now);
        }
    }
}
