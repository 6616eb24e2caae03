//! Authentication of registrations (RFC 9301 sections 5.6 and 5.7).

/// placeholder of the wire branch
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// 1
    HmacSha1,
    /// 2
    HmacSha256,
    /// 3
    HmacSha256Hkdf,
}

/// placeholder of the wire branch
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// a
    pub algorithm: Algorithm,
    /// s
    pub secret: Vec<u8>,
    /// k
    pub key_id: u8,
}
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}
