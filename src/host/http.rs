//! The HTTP page of a host, and the part of HTTP/1.1 (RFC 9112) that is needed to serve the page.

use std::fmt::Write;

use super::HostConfig;

/// The maximum number of header fields that a request may have.
const FIELDS: usize = 32;

/// Makes the page of a host. The page shows the name, the addresses and the gateways of the host.
pub(super) fn page(config: &HostConfig) -> String {
    let HostConfig { name, addresses, gateways, .. } = config;
    let name = escaped(name);
    let mut page = format!("<!DOCTYPE html>\n<title>{name}</title>\n<h1>Host {name}</h1>\n<ul>\n");
    for address in addresses {
        let _ = writeln!(page, "<li>address {address}");
    }
    for gateway in gateways {
        let _ = writeln!(page, "<li>router {gateway}");
    }
    page.push_str("</ul>\n");
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// Returns the answer to a request. Returns `None` if the request is not complete yet. If `is_full`
/// is true, there is no space for the rest of the request. Then the answer to an incomplete request
/// is an error.
pub(super) fn answer(request: &[u8], is_full: bool, page: &str) -> Option<String> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    match parsed.parse(request) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) if !is_full => return None,
        Ok(httparse::Status::Partial) => {
            return Some(response("431 Request Header Fields Too Large", "", true));
        }
        Err(_) => return Some(response("400 Bad Request", "", true)),
    }
    let with_body = parsed.method != Some("HEAD");
    Some(match (parsed.method, parsed.path) {
        (Some("GET" | "HEAD"), Some("/" | "/index.html")) => response("200 OK", page, with_body),
        (Some("GET" | "HEAD"), _) => response("404 Not Found", "", with_body),
        _ => response("405 Method Not Allowed", "", with_body),
    })
}

fn response(status: &str, page: &str, with_body: bool) -> String {
    let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
    let (len, body) = (page.len(), if with_body { page } else { "" });
    format!(
        "HTTP/1.1 {status}\r\n{allow}Content-Type: text/html; charset=utf-8\r\n\
         Content-Length: {len}\r\nConnection: close\r\n\r\n{body}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_answered_when_it_is_whole() {
        let said = |request: &str| answer(request.as_bytes(), false, "<p>");
        assert_eq!(said("GET / HTTP/1.1\r\nHost: c\r\n"), None);
        let status = |request: &str| said(request).unwrap()[9..12].to_owned();
        assert_eq!(status("GET / HTTP/1.1\r\nHost: c\r\n\r\n"), "200");
        assert_eq!(status("GET / HTTP/1.0\r\n\r\n"), "200");
        assert_eq!(status("GET /other HTTP/1.0\r\n\r\n"), "404");
        assert_eq!(status("POST / HTTP/1.1\r\n\r\n"), "405");
        assert_eq!(status("\0\r\n\r\n"), "400");
        assert!(said("GET / HTTP/1.0\r\n\r\n").unwrap().ends_with("\r\n\r\n<p>"));
        let head = said("HEAD / HTTP/1.0\r\n\r\n").unwrap();
        assert!(head.contains("Content-Length: 3\r\n") && head.ends_with("\r\n\r\n"));
    }

    #[test]
    fn a_request_that_does_not_fit_is_refused() {
        assert!(answer(b"GET / HTTP/1.1\r\nx: y", true, "").unwrap().contains(" 431 "));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(FIELDS + 1));
        assert!(answer(many.as_bytes(), false, "").unwrap().contains(" 400 "));
    }
}
