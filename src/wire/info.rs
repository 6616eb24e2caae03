//! Info-Request and Info-Reply: a router behind a NAT asks for its address and port outside the NAT
//! (draft-ermagan-lisp-nat-traversal, later draft-ietf-lisp-nat-traversal).

use super::Nonce;
use super::address::{Address, emit_eid, parse_optional_eid_prefix};
use super::auth::Authentication;
use super::error::ParseError;
use super::first_word::{FirstWord, MessageType};
use crate::addr::EidPrefix;

/// An Info-Request or Info-Reply. The MAC of the message is stored, but not checked.
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |Type=7 |R|                    Reserved                         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                            Nonce (64)                         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |    Key ID, Algorithm ID       |  Authentication Data Length   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~                     Authentication Data                       ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                              TTL                              |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Reserved    | EID mask-len  |        EID-Prefix-AFI         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   EID-Prefix; AFI 0, or the NAT-Traversal LCAF in a reply     |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// R: the message is an Info-Reply.
    pub reply: bool,
    /// The nonce. The reply has the nonce of the request.
    pub nonce: Nonce,
    /// The Authentication Data, as received or as it will be sent.
    pub authentication: Authentication,
    /// The time in minutes for which the receiver may keep the reply.
    pub ttl_minutes: u32,
    /// An EID-Prefix of the requesting site. This prefix selects the key of the site. `None` means
    /// AFI 0. An address that is not an IP prefix of an instance is also read as `None`.
    pub eid_prefix: Option<EidPrefix>,
    /// In a request, this is [`Address::None`]. In a reply, it is the NAT-Traversal LCAF (type 7),
    /// which is opaque.
    pub nat: Address,
}

impl Info {
    /// Reads an Info-Request or Info-Reply. The octets begin with the type of the message.
    ///
    /// # Errors
    /// A field of the message is wrong. The error names the first wrong field.
    pub fn parse(message: &[u8]) -> Result<Self, ParseError> {
        let (word, mut reader) = FirstWord::read(message, MessageType::Info)?;
        reader.enter("Nonce");
        let nonce = Nonce(reader.u64()?);
        let authentication = Authentication::parse(&mut reader)?;
        reader.enter("TTL");
        let ttl_minutes = reader.u32()?;
        reader.enter("EID-Prefix");
        let _reserved = reader.u8()?;
        let mask_len = reader.u8()?;
        let eid_prefix = parse_optional_eid_prefix(&mut reader, mask_len)?;
        reader.enter("NAT-Traversal address");
        let nat = Address::parse(&mut reader)?;
        Ok(Info { reply: word.bit(4), nonce, authentication, ttl_minutes, eid_prefix, nat })
    }

    /// Returns the octets of the message. The Authentication Data is not changed.
    pub fn emit(&self) -> Vec<u8> {
        let word = FirstWord::new(MessageType::Info).with(4, self.reply);
        let mut out = Vec::from(word.octets());
        out.extend(self.nonce.0.to_be_bytes());
        self.authentication.emit(&mut out);
        out.extend(self.ttl_minutes.to_be_bytes());
        out.extend([0, self.eid_prefix.map_or(0, |prefix| prefix.mask_len())]);
        match self.eid_prefix {
            Some(prefix) => emit_eid(prefix.network(), &mut out),
            None => Address::None.emit(&mut out),
        }
        self.nat.emit(&mut out);
        out
    }
}
