//! Decides which requests of a browser are answered.
//!
//! A page of another site can make the browser of the user send requests to this server. So three
//! parts of each request are checked:
//!
//! - The field `Host` must name this machine. Without this check, another site could give its own
//!   name to this server (DNS rebinding).
//! - If there is a field `Origin`, it must name this server.
//! - The request must have the token of the printed URL, because all users of the machine can reach
//!   the loopback address.

use std::net::{IpAddr, SocketAddr};

use subtle::ConstantTimeEq;

use super::http::{Refusal, Request};

/// The address and the token of a server. The parts of a request are compared with them.
#[derive(Clone, Debug)]
pub struct Access {
    /// The address on which the server listens.
    address: SocketAddr,
    /// The token of the printed URL.
    token: String,
}

impl Access {
    /// Creates the checks for the requests of a server.
    pub fn new(address: SocketAddr, token: String) -> Self {
        Access { address, token }
    }

    /// The URL for the user, with the token.
    pub fn url(&self) -> String {
        format!("http://{}/?token={}", self.address, self.token)
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Checks a request. Returns the field `Host` of the request.
    ///
    /// # Errors
    /// The reason why the request is refused.
    pub fn check<'r>(&self, request: &'r Request) -> Result<&'r str, Refusal> {
        let refused = |reason: &str| Refusal::new("403 Forbidden", reason);
        let host = request.host.as_deref().unwrap_or_default();
        if !self.is_here(host) {
            return Err(refused("the request is for another server: use the printed URL"));
        }
        let own = format!("http://{host}");
        if request.origin.as_deref().is_some_and(|origin| !origin.eq_ignore_ascii_case(&own)) {
            return Err(refused("the request comes from a page of another site"));
        }
        let bearer = request.authorization.as_deref().and_then(|it| it.strip_prefix("Bearer "));
        let query = request.query.split('&').find_map(|part| part.strip_prefix("token="));
        // Only the request for the page itself may have the token in its URL. All other requests
        // have the token in a header field, which a form or an image of another page cannot set.
        let given = if request.path == "/" { bearer.or(query) } else { bearer };
        let is_known =
            bool::from(given.unwrap_or_default().as_bytes().ct_eq(self.token.as_bytes()));
        if !is_known {
            return Err(refused("the token is missing or wrong: use the printed URL"));
        }
        Ok(host)
    }

    /// Whether the field `Host` names this server: `localhost`, a loopback address, or the address
    /// on which the server listens. The port in the field may be a different port, because a user
    /// may forward a port.
    fn is_here(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.parse::<u16>().is_ok() => name,
            _ => host,
        };
        let name = name.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(name);
        let address: Option<IpAddr> = name.parse().ok();
        name.eq_ignore_ascii_case("localhost")
            || address.is_some_and(|it| {
                let own = self.address.ip();
                it.is_loopback() || it == own || own.is_unspecified()
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        Access::new("127.0.0.1:8080".parse().unwrap(), "secret".to_owned())
    }

    fn request(path: &str, host: &str, authorization: Option<&str>) -> Request {
        Request {
            path: path.to_owned(),
            host: Some(host.to_owned()),
            authorization: authorization.map(str::to_owned),
            ..Request::default()
        }
    }

    #[test]
    fn only_this_machine_is_a_host() {
        for host in ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "127.0.0.1:9", "[::1]:8080"] {
            let known = request("/events", host, Some("Bearer secret"));
            assert_eq!(access().check(&known), Ok(host));
        }
        for host in ["", "evil.example:8080", "127.0.0.1.evil.example", "192.0.2.1:8080", "[::1"] {
            let other = request("/events", host, Some("Bearer secret"));
            assert!(access().check(&other).is_err(), "{host}");
        }
    }

    #[test]
    fn a_page_of_another_site_is_refused() {
        let mut request = request("/request", "localhost:8080", Some("Bearer secret"));
        for (origin, is_own) in [
            ("http://localhost:8080", true),
            ("http://localhost:8081", false),
            ("http://127.0.0.1:8080", false),
            ("https://localhost:8080", false),
            ("null", false),
        ] {
            request.origin = Some(origin.to_owned());
            assert_eq!(access().check(&request).is_ok(), is_own, "{origin}");
        }
    }

    #[test]
    fn every_request_needs_the_token_and_only_the_page_takes_it_from_the_url() {
        for authorization in [None, Some("Bearer "), Some("Bearer secre"), Some("Basic secret")] {
            assert!(access().check(&request("/request", "localhost", authorization)).is_err());
        }
        let mut page = request("/", "localhost", None);
        page.query = "x=1&token=secret".to_owned();
        assert!(access().check(&page).is_ok());
        page.path = "/request".to_owned();
        assert!(access().check(&page).is_err());
    }
}
