//! The time at which each timer is due, and the work that the timer starts. If a timer has no time
//! or no work here, the code does not compile.

use super::Router;
use super::timer::Timer;
use crate::time::Time;

impl Router {
    /// The time at which a timer is due; `None` if the timer has no work.
    pub(super) fn due_at(&self, timer: Timer) -> Option<Time> {
        match timer {
            Timer::MapCache => self.map_cache.next_expiry(),
            Timer::Paths => self.paths.next_expiry(),
            Timer::Reachability => self.reachability.next_expiry(),
            Timer::EchoNonce => self.echo_nonce.next_request(),
            Timer::StatusBits => self.status_holds.next_expiry(),
            Timer::FallenSessions => self.map_server.next_look(),
            Timer::Registrations => self.map_server.next_expiry(),
            Timer::MapNotifies => self.map_server.next_notify(),
            Timer::Lig => self.lig.next_work(),
            Timer::News => self.news.next_unanswered(),
            Timer::Away => self.away.next_expiry(),
            Timer::Searches => self.mobility.searches.next_end(),
            Timer::RefusedSearches => self.mobility.searches.next_retry(),
            Timer::Duplicates => self.mobility.owners.next_claim_at(),
            Timer::Rests => self.resolver.outstanding.next_end_of_rest(),
            Timer::MapRequests => self.resolver.outstanding.next_retry(),
            Timer::MapRegisters => self.registrar.next_register(),
            Timer::SilentSessions => self.registrar.next_end_of_session(),
            Timer::ChangedMappings => self.solicitor.next_solicitation(),
            Timer::SmrRepetitions => self.solicitor.next_repetition(),
            Timer::Refusals => self.context.refusals.next_sum(),
            Timer::Kernel => self.kernel.next_put_back(),
            Timer::Process => self.process.next_open(),
        }
    }

    /// Does the work of a timer that is due.
    pub(super) fn fire(&mut self, timer: Timer, now: Time) {
        match timer {
            Timer::MapCache => self.map_cache.expire(now),
            Timer::Paths => self.paths.expire(now),
            Timer::Reachability => self.reachability.expire(now),
            Timer::EchoNonce => self.echo_nonce.ask_due(now),
            Timer::StatusBits => self.status_holds.expire(now),
            Timer::FallenSessions => self.map_server.orphan_some(),
            Timer::Registrations => self.map_server.expire_registrations(&mut self.context, now),
            Timer::MapNotifies => self.map_server.repeat_map_notifies(&mut self.context, now),
            Timer::Lig => self.lig.work(&mut self.context, &mut self.resolver, now),
            Timer::News => self.believe_unconfirmed(now),
            Timer::Away => self.expire_away(now),
            Timer::Searches => self.end_searches(now),
            Timer::RefusedSearches => self.retry_searches(now),
            Timer::Duplicates => self.claim_duplicates(now),
            Timer::Rests => self.resolver.outstanding.end_rests(now),
            Timer::MapRequests => self.resolver.retry_requests(&mut self.context, now),
            Timer::MapRegisters => {
                self.registrar.register_due(&mut self.context, &self.database, now);
            }
            Timer::SilentSessions => {
                self.registrar.end_silent_sessions(&mut self.context, &self.database, now);
            }
            Timer::ChangedMappings => {
                self.solicitor.solicit_due(&mut self.context, &self.map_cache, now);
            }
            Timer::SmrRepetitions => self.solicitor.repeat_smrs(&mut self.context, now),
            Timer::Refusals => self.context.sum_up_refusals(now),
            Timer::Kernel => {
                let requests = self.kernel.put_back_due(now);
                self.context.request(requests);
            }
            Timer::Process => self.process.open_due(&mut self.context, now),
        }
    }

    /// Deletes old entries for which no timer is due. The exact time of their removal does not
    /// matter.
    pub(super) fn forget_old(&mut self, now: Time) {
        self.map_cache.expire(now);
        self.paths.expire(now);
        self.solicitor.forget_silent(now);
    }
}
