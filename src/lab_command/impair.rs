//! `eidway lab impair`.

use clap::Args;
use eidway::lab::failure::Failure;
use eidway::lab::impairment::{Delay, Impairment, MTUS, Percent, Rate};
use eidway::lab::link_target::Target as Link;
use eidway::lab::verbs::impair::{self, SenderStatus};
use eidway::netns::user::Need;

use super::super::Outcome;
use super::Target;

/// The arguments of `eidway lab impair`.
#[derive(Args)]
pub struct ImpairCommand {
    #[command(flatten)]
    target: Target,
    /// The link: NODE:NODE, or NODE:INTERFACE. Without this argument, the command prints the
    /// impairments and the packet counters of all links
    link: Option<String>,
    #[command(flatten)]
    words: Words,
    /// The direction of the link. Without this option, the command is about both directions
    #[arg(long, value_name = "NODE-to-NODE", requires = "link")]
    direction: Option<String>,
    /// End all impairments of the link
    #[arg(long, requires = "link", conflicts_with = "Words")]
    clear: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// The impairments. They replace the present impairments of the link.
#[derive(Args)]
#[group(multiple = true, requires = "link")]
struct Words {
    /// The delay of each packet, for example 20ms
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    delay: Option<Delay>,
    /// The largest difference between the delay of a packet and the option --delay, for example 5ms
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    jitter: Option<Delay>,
    /// The percentage of packets that are lost, for example 1%
    #[arg(long, value_name = "N%", allow_hyphen_values = true)]
    loss: Option<Percent>,
    /// The percentage of packets that arrive twice
    #[arg(long, value_name = "N%", allow_hyphen_values = true)]
    duplicate: Option<Percent>,
    /// The percentage of packets that are sent without the delay. These packets overtake the
    /// delayed packets
    #[arg(long, value_name = "N%", allow_hyphen_values = true)]
    reorder: Option<Percent>,
    /// The maximum rate of the frames, for example 10Mbit
    #[arg(long, allow_hyphen_values = true)]
    rate: Option<Rate>,
    /// The MTU of the ports at both ends, in octets
    #[arg(long, value_name = "OCTETS", value_parser = clap::value_parser!(u16)
        .range(i64::from(*MTUS.start())..=i64::from(*MTUS.end())))]
    mtu: Option<u16>,
}

impl Words {
    fn impairment(&self) -> Result<Impairment, Failure> {
        let delay = |delay: Option<Delay>| delay.unwrap_or_default().0;
        let percent = |percent: Option<Percent>| percent.unwrap_or_default().0;
        let impairment = Impairment {
            delay: delay(self.delay),
            jitter: delay(self.jitter),
            loss: percent(self.loss),
            duplicate: percent(self.duplicate),
            reorder: percent(self.reorder),
            rate: self.rate,
            mtu: self.mtu,
        };
        impairment.check().map_err(Failure::Other)?;
        Ok(impairment)
    }

    fn are_given(&self) -> bool {
        let Words { delay, jitter, loss, duplicate, reorder, rate, mtu } = self;
        let delays = [delay, jitter].iter().any(|it| it.is_some());
        let shares = [loss, duplicate, reorder].iter().any(|it| it.is_some());
        delays || shares || rate.is_some() || mtu.is_some()
    }
}

impl ImpairCommand {
    /// Returns the command's need for network namespaces: never, only if a lab is up, or always.
    pub fn need(&self) -> Need {
        self.target.need()
    }

    /// Runs the command.
    pub fn run(self) -> Outcome {
        let changes = self.clear || self.words.are_given();
        let impairment = self.words.impairment()?;
        let ImpairCommand { target, link, direction, json, .. } = self;
        let lab = target.which.open()?;
        let link = match &link {
            Some(link) => {
                let link = Link::named(&lab.file, link, direction.as_deref());
                Some(link.map_err(Failure::Other)?)
            }
            None => None,
        };
        if let Some(link) = link.filter(|_| changes) {
            return target.change(|_, running| running.impair(link, &impairment));
        }
        let senders = target.running(&lab, json)?.impairments()?;
        let is_meant = |sender: &SenderStatus| match &link {
            Some(link) => link.senders(&lab.file).any(|port| port.to_string() == sender.from),
            None => true,
        };
        let mut states = impair::status(&lab, &senders);
        states.retain(is_meant);
        match json {
            true => println!("{}", serde_json::to_string(&states)?),
            false => print!("{}", impair::table(&states)),
        }
        Ok(true)
    }
}
