//! Registration Refresh: the map-server asks for registrations (section 6.1.4 of the draft for
//! reliable transport).

use super::{emit_sized_prefix, parse_sized_prefix};
use crate::addr::{EidPrefix, Family, InstanceId};
use crate::wire::address::Address;
use crate::wire::cursor::Reader;
use crate::wire::error::{ParseError, Problem};

/// The bit R in the 16 bits after Scope.
const REJECTED_ONLY: u16 = 0x8000;

/// The EID-prefixes that an ETR shall register again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefreshScope {
    /// 0: all EID-prefixes.
    All,
    /// 1: all EID-prefixes of one instance.
    Instance(InstanceId),
    /// 2: all EID-prefixes of one family in one instance.
    InstanceFamily(InstanceId, Family),
    /// 3: all EID-prefixes that this prefix covers, and this prefix.
    CoveredBy(EidPrefix),
    /// 4: only this prefix.
    Exactly(EidPrefix),
}

impl RefreshScope {
    /// Returns the value of the Scope field.
    pub const fn number(self) -> u8 {
        match self {
            RefreshScope::All => 0,
            RefreshScope::Instance(_) => 1,
            RefreshScope::InstanceFamily(..) => 2,
            RefreshScope::CoveredBy(_) => 3,
            RefreshScope::Exactly(_) => 4,
        }
    }

    /// Whether an ETR that receives this scope shall register `eid_prefix`.
    pub fn includes(&self, eid_prefix: &EidPrefix) -> bool {
        match self {
            RefreshScope::All => true,
            RefreshScope::Instance(instance_id) => eid_prefix.instance_id() == *instance_id,
            RefreshScope::InstanceFamily(instance_id, family) => {
                eid_prefix.instance_id() == *instance_id && eid_prefix.family() == *family
            }
            RefreshScope::CoveredBy(covering) => covering.covers(eid_prefix),
            RefreshScope::Exactly(wanted) => wanted == eid_prefix,
        }
    }
}

/// The data of a Registration Refresh.
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |     Scope     |R|          Reserved           | Prefix-Length |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |        EID-Prefix-AFI         |          EID-Prefix           ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
/// Scope 0 ends before Prefix-Length. Scopes 1 and 2 have Prefix-Length 0 and an Instance-ID LCAF,
/// even if the instance-ID is 0. In scope 1 the LCAF contains AFI 0. In scope 2 it contains the
/// zero address of the family. On receipt, the Prefix-Length and the address of scopes 1 and 2 are
/// ignored. A plain AFI means instance-ID 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistrationRefresh {
    /// The requested registrations.
    pub scope: RefreshScope,
    /// R: from the registrations in the scope, the map-server requests only those that it has
    /// rejected. In the draft, a Refresh with R ends before Prefix-Length for every Scope.
    /// Therefore we send R only with [`RefreshScope::All`]. On receipt, R is also accepted with an
    /// EID-Prefix.
    pub rejected_only: bool,
}

impl RegistrationRefresh {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        reader.enter("Scope");
        let scope_at = reader.offset();
        let number = reader.u8()?;
        let rejected_only = reader.u16()? & REJECTED_ONLY != 0;
        let without_prefix = rejected_only && reader.left() == 0;
        let scope = match number {
            0..=4 if without_prefix => RefreshScope::All,
            0 => RefreshScope::All,
            1 => parse_instance(reader)?,
            2 => parse_instance_family(reader)?,
            3 => RefreshScope::CoveredBy(parse_sized_prefix(reader)?),
            4 => RefreshScope::Exactly(parse_sized_prefix(reader)?),
            unknown => return Err(reader.error_at(scope_at, Problem::UnknownScope(unknown))),
        };
        Ok(RegistrationRefresh { scope, rejected_only })
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        out.push(self.scope.number());
        out.extend(if self.rejected_only { REJECTED_ONLY } else { 0 }.to_be_bytes());
        match self.scope {
            RefreshScope::All => {}
            RefreshScope::Instance(instance_id) => {
                emit_instance(instance_id, Address::None, out);
            }
            RefreshScope::InstanceFamily(instance_id, family) => {
                emit_instance(instance_id, Address::Ip(family.unspecified()), out);
            }
            RefreshScope::CoveredBy(eid_prefix) | RefreshScope::Exactly(eid_prefix) => {
                emit_sized_prefix(eid_prefix, out);
            }
        }
    }
}

fn parse_instance(reader: &mut Reader<'_>) -> Result<RefreshScope, ParseError> {
    match parse_instance_address(reader)? {
        (instance_id, Address::None, _) => Ok(RefreshScope::Instance(instance_id)),
        (.., at) => Err(reader.error_at(at, Problem::NotAnInstance)),
    }
}

fn parse_instance_family(reader: &mut Reader<'_>) -> Result<RefreshScope, ParseError> {
    match parse_instance_address(reader)? {
        (instance_id, Address::Ip(ip), _) => {
            Ok(RefreshScope::InstanceFamily(instance_id, Family::of(ip)))
        }
        (.., at) => Err(reader.error_at(at, Problem::NotAnEid)),
    }
}

/// Reads an instance-ID. Also returns the address in the same LCAF, and the position of this LCAF.
fn parse_instance_address(
    reader: &mut Reader<'_>,
) -> Result<(InstanceId, Address, usize), ParseError> {
    reader.enter("EID-Prefix");
    let _prefix_length = reader.u8()?;
    let at = reader.offset();
    let (number, address) = match Address::parse(reader)? {
        Address::InstanceId { instance_id, address } => (instance_id, *address),
        plain => (InstanceId::DEFAULT.number(), plain),
    };
    let too_large = reader.error_at(at, Problem::InstanceIdTooLarge(number));
    Ok((InstanceId::new(number).ok_or(too_large)?, address, at))
}

fn emit_instance(instance_id: InstanceId, address: Address, out: &mut Vec<u8>) {
    const NO_PREFIX: u8 = 0;
    out.push(NO_PREFIX);
    Address::InstanceId { instance_id: instance_id.number(), address: address.into() }.emit(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(octets: &[u8]) -> Result<RegistrationRefresh, ParseError> {
        RegistrationRefresh::parse(&mut Reader::new(octets, "test"))
    }

    fn emit(scope: RefreshScope) -> Vec<u8> {
        let mut out = Vec::new();
        RegistrationRefresh { scope, rejected_only: false }.emit(&mut out);
        out
    }

    fn prefix(instance_id: u32, text: &str) -> EidPrefix {
        let instance_id = InstanceId::new(instance_id).expect("24 bits");
        EidPrefix::new(instance_id, text.parse().expect("a prefix"))
    }

    #[test]
    fn an_instance_stands_in_an_lcaf_even_if_it_is_0() {
        let iid_0 = [0x40, 3, 0, 0, 2, 32];
        let scope_1 = [&[1, 0, 0, 0][..], &iid_0, &[0, 6, 0, 0, 0, 0, 0, 0]].concat();
        assert_eq!(emit(RefreshScope::Instance(InstanceId::DEFAULT)), scope_1);
        let scope_2 = [&[2, 0, 0, 0][..], &iid_0, &[0, 10, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]].concat();
        let ipv4 = RefreshScope::InstanceFamily(InstanceId::DEFAULT, Family::Ipv4);
        assert_eq!(emit(ipv4), scope_2);
    }

    #[test]
    fn a_plain_afi_is_instance_0_and_a_prefix_length_means_nothing() {
        let scope = |octets: &[u8]| parse(octets).expect("a refresh").scope;
        let instance = RefreshScope::Instance(InstanceId::DEFAULT);
        assert_eq!(scope(&[1, 0, 0, 255, 0, 0]), instance);
        let family = RefreshScope::InstanceFamily(InstanceId::DEFAULT, Family::Ipv4);
        assert_eq!(scope(&[2, 0, 0, 255, 0, 1, 10, 0, 0, 1]), family);
    }

    #[test]
    fn only_rejected_ones_are_asked_for_without_a_prefix_whatever_the_scope() {
        for scope in 0..=4 {
            let refresh = parse(&[scope, 0x80, 0]).expect("a refresh");
            let all = RegistrationRefresh { scope: RefreshScope::All, rejected_only: true };
            assert_eq!(refresh, all, "{scope}");
            assert_eq!(parse(&[scope, 0x7f, 0xff]).is_ok(), scope == 0, "{scope}");
        }
    }

    #[test]
    fn what_does_not_fit_its_scope_is_an_error() {
        let problem = |octets: &[u8]| parse(octets).expect_err("no refresh").problem;
        assert_eq!(problem(&[5, 0, 0]), Problem::UnknownScope(5));
        assert_eq!(problem(&[1, 0, 0, 0, 0, 1, 0, 0, 0, 0]), Problem::NotAnInstance);
        assert_eq!(problem(&[2, 0, 0, 0, 0, 0]), Problem::NotAnEid);
        let mut large = emit(RefreshScope::Instance(InstanceId::DEFAULT));
        large[12] = 1;
        assert_eq!(problem(&large), Problem::InstanceIdTooLarge(1 << 24));
    }

    #[test]
    fn a_scope_includes_what_it_says_and_nothing_of_another_instance_or_family() {
        let seven = InstanceId::new(7).expect("24 bits");
        let included = |scope: RefreshScope| {
            let prefixes = [
                prefix(7, "172.16.0.0/16"),
                prefix(7, "172.16.1.0/24"),
                prefix(7, "2001:db8::/32"),
                prefix(0, "172.16.0.0/16"),
            ];
            prefixes.map(|prefix| scope.includes(&prefix))
        };
        let network = prefix(7, "172.16.0.0/16");
        for (scope, expected) in [
            (RefreshScope::All, [true; 4]),
            (RefreshScope::Instance(seven), [true, true, true, false]),
            (RefreshScope::InstanceFamily(seven, Family::Ipv6), [false, false, true, false]),
            (RefreshScope::CoveredBy(network), [true, true, false, false]),
            (RefreshScope::Exactly(network), [true, false, false, false]),
        ] {
            assert_eq!(included(scope), expected, "{scope:?}");
        }
    }
}
