//! Changes the impairments of links. Returns the impairment and the packet counts of each direction
//! of a link.

use super::{Sim, SimError};
use crate::lab::file::{LabFile, Port};
use crate::lab::impairment::{Counts, Impairment};
use crate::lab::link_target::Target;
use crate::lab::running::Sender;

impl Sim {
    /// Changes the impairment of a link of the lab, or of one direction of the link. If
    /// `impairment` has another MTU than the present impairment, and `mtu` is given, the MTU of the
    /// link becomes `mtu`.
    pub fn impair_target(
        &mut self,
        file: &LabFile,
        target: Target,
        impairment: Impairment,
        mtu: Option<u16>,
    ) -> Result<(), SimError> {
        let link = target.link(file);
        let mtu_before = self.sent_by(&link.name(), &link.ends[0])?.0.mtu;
        for port in target.senders(file) {
            self.impair_sender(&link.name(), port, impairment)?;
        }
        match mtu.filter(|_| mtu_before != impairment.mtu) {
            Some(mtu) => self.set_link_mtu(&link.name(), mtu),
            None => Ok(()),
        }
    }

    /// Returns two senders for each link, in the order of the links in the lab file. A sender is
    /// one end of a link. It has the impairment and the counts of the packets that this end sends.
    pub fn senders(&self, file: &LabFile) -> Result<Vec<Sender>, SimError> {
        let mut senders = Vec::new();
        for link in &file.links {
            for port in &link.ends {
                let (impairment, counts) = self.sent_by(&link.name(), port)?;
                senders.push(Sender { port: port.clone(), impairment, counts });
            }
        }
        Ok(senders)
    }

    /// Changes the impairment of a link in both directions. The new impairment applies to packets
    /// that are sent from now on. The MTU of `impairment` is not used.
    pub fn impair(&mut self, name: &str, impairment: Impairment) -> Result<(), SimError> {
        let at = self.find_link(name)?;
        self.segments[at].impair(None, impairment);
        Ok(())
    }

    /// Changes the impairment of the packets that a port of a link sends from now on. The MTU of
    /// `impairment` is not used.
    fn impair_sender(
        &mut self,
        link: &str,
        port: &Port,
        impairment: Impairment,
    ) -> Result<(), SimError> {
        let at = self.find_link(link)?;
        let port = self.port(&port.node, &port.device)?;
        self.segments[at].impair(Some(port), impairment);
        Ok(())
    }

    /// Sets the MTU of a link. Also sets the MTU of each port of the link, if the port belongs to a
    /// node with a kernel.
    fn set_link_mtu(&mut self, link: &str, mtu: u16) -> Result<(), SimError> {
        let at = self.find_link(link)?;
        self.segments[at].mtu = mtu;
        for port in self.segments[at].ports.clone() {
            if let Some(kernel) = self.clock(port.node).kernel_mut() {
                kernel.set_mtu(port.device, Some(mtu));
                self.settle(port.node);
            }
        }
        Ok(())
    }

    /// Returns the impairment of the packets that a port of a link sends, and the counts of these
    /// packets.
    fn sent_by(&self, link: &str, port: &Port) -> Result<(Impairment, Counts), SimError> {
        let at = self.find_link(link)?;
        Ok(self.segments[at].sent_by(self.port(&port.node, &port.device)?))
    }
}
