//! Checks whether an ICMP error is about a packet that this router has sent.
//!
//! Any host can send an ICMP error. The kernel passes on each error that names the address and the
//! port of one of our sockets. So an error has an effect only if all quoted data matches packets of
//! this router. The port must be the data port, and the router must send packets to the locator. If
//! the error quotes a LISP header and an inner header, these headers must belong to a flow that was
//! encapsulated to this locator. Some routers quote only eight octets after the outer IP header
//! (RFC 792). These octets contain only the UDP header, so the router checks only the port and the
//! locator.

use super::Router;
use super::disbelief::Disbelief;
use super::event::Event;
use super::paths::IcmpError;
use crate::addr::InstanceId;
use crate::packet::{IpHeader, NotIp};
use crate::wire::{DATA_PORT, DataHeader, NonceField};

/// The flow of the packet that an ICMP error quotes.
#[derive(Debug)]
pub(super) struct QuotedFlow<'a> {
    pub instance_id: InstanceId,
    pub header: IpHeader,
    /// The inner packet, as far as it is quoted.
    pub inner: &'a [u8],
}

impl Router {
    /// The flow that an ICMP error quotes. `None` if the quoted data ends before the ports of the
    /// flow.
    ///
    /// # Errors
    /// If the ICMP error is not about a packet of this router, the result is the reason.
    pub(super) fn quoted_flow<'a>(
        &self,
        error: &'a IcmpError,
    ) -> Result<Option<QuotedFlow<'a>>, Disbelief> {
        if error.port != DATA_PORT {
            return Err(Disbelief::NoData);
        }
        let flow = self.read_quote(&error.quoted)?;
        if !self.is_in_use(error.rloc) {
            return Err(Disbelief::UnusedLocator);
        }
        match &flow {
            Some(QuotedFlow { instance_id, header, .. })
                if !self.flows.has_sent(*instance_id, header, error.rloc) =>
            {
                Err(Disbelief::UnknownFlow)
            }
            _ => Ok(flow),
        }
    }

    fn read_quote<'a>(&self, quoted: &'a [u8]) -> Result<Option<QuotedFlow<'a>>, Disbelief> {
        let Ok((lisp, inner)) = DataHeader::parse(quoted) else { return Ok(None) };
        let instance_id = lisp.instance_id.unwrap_or_default();
        let is_of_ours = lisp.key == 0
            && !matches!(lisp.nonce, NonceField::MapVersion { .. })
            && self.context.config.has_instance(instance_id);
        if !is_of_ours {
            return Err(Disbelief::NoLispHeader);
        }
        match IpHeader::parse_quoted(inner) {
            Ok(header) => Ok(Some(QuotedFlow { instance_id, header, inner })),
            Err(NotIp::Truncated) => Ok(None),
            Err(NotIp::Header | NotIp::Checksum) => Err(Disbelief::UnknownFlow),
        }
    }

    /// Counts an ICMP error that the router ignores. Logs the error if the count is a power of two.
    pub(super) fn disbelieve(&mut self, error: &IcmpError, why: Disbelief) {
        self.context.counters.icmp_disbelieved += 1;
        let count = self.context.counters.icmp_disbelieved;
        if count.is_power_of_two() {
            let &IcmpError { rloc, reporter, kind, .. } = error;
            self.context.tell(Event::IcmpDisbelieved { rloc, reporter, kind, why, count });
        }
    }
}
