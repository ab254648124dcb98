//! The URL that a client used, as proxies in front of the service tell it: `Forwarded` (RFC 7239),
//! else `X-Forwarded-Proto`, `-Host` and `-Prefix`. Source: oslo.middleware's `http_proxy_to_wsgi`.
//!
//! Believed only where `enable_proxy_headers_parsing` says that there is such a proxy: everybody
//! can send these headers.

use http::{HeaderMap, header};

/// The URL under which the first proxy was reached.
pub(crate) fn url(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let first = |name| text(name).and_then(|proxies| proxies.split(',').next()).map(str::trim);
    let (scheme, host) = match first("forwarded") {
        Some(proxy) => (parameter(proxy, "proto"), parameter(proxy, "host")),
        None => (first("x-forwarded-proto"), first("x-forwarded-host")),
    };
    let own = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or(own).unwrap_or("localhost");
    let prefix = text("x-forwarded-prefix").unwrap_or_default().trim_end_matches('/');
    format!("{}://{host}{prefix}", scheme.unwrap_or("http"))
}

fn parameter<'a>(proxy: &'a str, name: &str) -> Option<&'a str> {
    let mut parameters = proxy.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = parameters.find(|(known, _)| known.trim().eq_ignore_ascii_case(name))?;
    Some(value.trim().trim_matches('"')).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn the_first_proxy_tells_the_url() {
        let cases: [(&[(&'static str, &'static str)], &str); 5] = [
            (&[("host", "h:9292")], "http://h:9292"),
            (
                &[
                    ("host", "h"),
                    ("x-forwarded-proto", "https"),
                    ("x-forwarded-host", "c.example"),
                    ("x-forwarded-prefix", "/image"),
                ],
                "https://c.example/image",
            ),
            (
                &[("forwarded", "for=1.2.3.4;proto=https;host=\"f.example\", for=2;host=x")],
                "https://f.example",
            ),
            (&[("host", "h"), ("forwarded", "for=1"), ("x-forwarded-host", "x")], "http://h"),
            (
                &[("x-forwarded-proto", "https, http"), ("x-forwarded-host", "c.example,inner:1")],
                "https://c.example",
            ),
        ];
        for (given, expected) in cases {
            let headers: HeaderMap = given
                .iter()
                .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)))
                .collect();
            assert_eq!(url(&headers), expected);
        }
    }
}
