//! Unsolicited Map-Notifies about a local EID. The router asks its map-server to confirm each of
//! these notifications.
//!
//! The MAC of a Map-Notify proves which map-server wrote the message. It does not prove when the
//! message was written: after a restart of this router, an old message looks like a new message. So
//! the router acknowledges a notification immediately (RFC 9301 section 5.7), but does not believe
//! it yet. It sends an encapsulated Map-Request with one record to the map-server, to ask where the
//! EID is now. These are the possible answers and their meanings:
//!
//! ```text
//!   a Map-Reply with other locators       the EID is at these locators
//!   a Map-Reply with one of our locators  the EID is here
//!   our own request, forwarded to us      the EID is here: for the map-server, we are its ETR
//!   a negative Map-Reply                  no xTR has the EID
//!   no answer for three seconds           the router believes the notification for three minutes
//! ```
//!
//! If a map-server sends a notification on a session, the router believes the notification
//! immediately, because old messages cannot be replayed on a session.

use std::net::IpAddr;

use super::Router;
use super::away::Teller;
use super::counters::ControlDrop;
use super::event::{Event, MapServerChange};
use super::explanations;
use super::news::{About, Question};
use super::reason::{MessageReason, Report, RequestReason};
use crate::addr::Rloc;
use crate::time::Time;
use crate::wire::{MapReply, MapRequest, MappingRecord};

/// The largest number of minutes for which the router believes a notification that was not
/// confirmed.
const UNCONFIRMED_MINUTES: u32 = 3;

impl Router {
    /// Handles a record of a Map-Notify, which contains the locators of a prefix. If the record
    /// would change the tables of this router, the router asks the map-server to confirm the
    /// record.
    pub(super) fn hear_news(&mut self, told: MappingRecord, server: IpAddr, now: Time) {
        if !self.would_change(&told) {
            return;
        }
        let prefix = told.eid_prefix;
        let Some(nonce) = self.news.begin((server, prefix), told, now) else { return };
        let Some(source) = self.context.local.preferred(Rloc(server).family()) else { return };
        let request = MapRequest {
            nonce,
            itr_rlocs: self.context.local.itr_rlocs(),
            records: vec![prefix.into()],
            ..MapRequest::default()
        };
        let cause = RequestReason::Notification { prefix, server };
        let reason = MessageReason::MapRequest { cause, attempt: 1, silent: None };
        self.resolver.send_map_request(&mut self.context, &request, reason, (source, server), now);
    }

    /// Handles a Map-Reply that confirms or denies a notification.
    pub(super) fn news_answered(
        &mut self,
        about: About,
        reply: &MapReply,
        from: IpAddr,
        now: Time,
    ) {
        let prefix = about.1;
        let around = reply.records.iter().filter(|record| record.eid_prefix.covers(&prefix));
        let Some(record) = around.max_by_key(|record| record.eid_prefix.mask_len()) else {
            let told = || explanations::reply_without_eid(reply, prefix.network());
            return self.context.refuse(from, ControlDrop::WrongRecord, now, told);
        };
        let truth = MappingRecord { eid_prefix: prefix, ..record.clone() };
        let truth = Some(truth).filter(|truth| !self.names_us(truth));
        self.news_settled(about, truth, Report::MapNotify(about.0), now);
    }

    /// Handles the answer of the map-server to the question where an EID is. `truth` is the record
    /// of the answer; `None` means that the EID is at this router.
    pub(super) fn news_settled(
        &mut self,
        about: About,
        truth: Option<MappingRecord>,
        report: Report,
        now: Time,
    ) {
        let Some(Question { told, later, .. }) = self.news.end(&about) else { return };
        let (server, prefix) = about;
        let is_elsewhere = truth.as_ref().is_some_and(|truth| !truth.is_withdrawn());
        if !told.is_withdrawn() && !self.names_us(&told) && !is_elsewhere {
            let is_here = truth.is_none();
            let told = || explanations::news_of_the_past(&told, is_here);
            self.context.refuse(server, ControlDrop::OldNews, now, told);
        }
        match truth {
            Some(truth) => self.mapping_elsewhere(&truth, Teller::Datagram, report, now),
            None => self.mapping_here(prefix, report),
        }
        if let Some(later) = later {
            self.hear_news(later, server, now);
        }
    }

    /// Handles the notifications that the map-server has not confirmed in time. The router believes
    /// these notifications for at most [`UNCONFIRMED_MINUTES`].
    pub(super) fn believe_unconfirmed(&mut self, now: Time) {
        while let Some(((server, prefix), Question { told, later, .. })) = self.news.unanswered(now)
        {
            // If a map-server has reported the prefix on a session before, the router keeps the
            // mapping of that session, because the session also reports each later change.
            if self.told_before(&prefix).is_some() {
                continue;
            }
            let told = later.unwrap_or(told);
            if self.news.is_to_be_said(now) {
                let locators = explanations::locators(&told);
                let (eid_prefix, minutes) = (prefix, UNCONFIRMED_MINUTES);
                let change = MapServerChange::Unconfirmed { eid_prefix, locators, minutes };
                self.context.tell(Event::MapServer { map_server: server, change });
            }
            let ttl_minutes = told.ttl_minutes.min(UNCONFIRMED_MINUTES);
            let told = MappingRecord { ttl_minutes, ..told };
            let report = Report::UnconfirmedMapNotify(server);
            self.mapping_elsewhere(&told, Teller::Datagram, report, now);
        }
    }
}
