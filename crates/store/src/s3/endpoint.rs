//! Where a bucket is: in the path of the service's URL, or in its host.

use std::net::IpAddr;

use reqwest::Url;

use crate::remote::encode;

/// How buckets are addressed (`s3_store_bucket_url_format`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addressing {
    /// In the host where the names allow it.
    Auto,
    /// In the host.
    Virtual,
    /// In the path.
    Path,
}

/// A service, as the operator names it.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) url: Url,
    pub(super) addressing: Addressing,
}

impl Endpoint {
    /// Reads `s3_store_host`, which may have a scheme; without one it is HTTP, as in Glance.
    pub(super) fn parse(host: &str, addressing: Addressing) -> Option<Self> {
        let text = if host.contains("://") { host.to_owned() } else { format!("http://{host}") };
        let url = Url::parse(&text).ok()?;
        let known = matches!(url.scheme(), "http" | "https");
        (known && url.host_str().is_some() && url.username().is_empty())
            .then_some(Self { url, addressing })
    }

    /// Whether the connection keeps bytes from being changed on their way.
    pub(super) fn is_secure(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The scheme of locations.
    pub(super) fn scheme(&self) -> &'static str {
        if self.is_secure() { "s3+https" } else { "s3" }
    }

    /// Host, port and path, as locations name the service.
    pub(super) fn service(&self) -> String {
        format!("{}{}", self.authority(), self.url.path()).trim_end_matches('/').to_owned()
    }

    /// The region that Amazon's hosts have in their names (`s3.REGION.amazonaws.com`).
    pub(super) fn region(&self) -> Option<&str> {
        let host = self.url.host_str()?;
        let name = host.strip_suffix(".amazonaws.com").or(host.strip_suffix(".amazonaws.com.cn"))?;
        name.strip_prefix("s3.").or(name.strip_prefix("s3-"))
    }

    /// The host, the path of a bucket or of an object in it, and the URL of both.
    pub(super) fn place(&self, bucket: &str, key: &str) -> Place {
        let base = self.url.path().trim_end_matches('/');
        let key = encode(key, b"/");
        let (host, path) = match self.in_host(bucket) {
            true => (format!("{bucket}.{}", self.authority()), format!("{base}/{key}")),
            false => {
                let bucket = encode(bucket, b"");
                let path = format!("{base}/{bucket}/{key}");
                (self.authority(), path.trim_end_matches('/').to_owned())
            }
        };
        Place { scheme: self.url.scheme().to_owned(), host, path }
    }

    fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    fn in_host(&self, bucket: &str) -> bool {
        match self.addressing {
            Addressing::Virtual => true,
            Addressing::Path => false,
            Addressing::Auto => {
                let host = self.url.host_str().unwrap_or_default();
                let address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
                // A certificate for all names of a domain has none with a dot.
                !address && is_dns_name(bucket) && !(self.is_secure() && bucket.contains('.'))
            }
        }
    }
}

/// Whether a bucket may be part of a host's name ("Bucket naming rules").
pub(super) fn is_dns_name(bucket: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (3..=63).contains(&bucket.len())
        && bucket.bytes().all(|b| fits(b) || matches!(b, b'-' | b'.'))
        && bucket.split('.').all(|label| {
            label.bytes().next().is_some_and(fits) && label.bytes().last().is_some_and(fits)
        })
        && bucket.parse::<IpAddr>().is_err()
}

/// A bucket or an object, as requests name it.
pub(super) struct Place {
    scheme: String,
    pub(super) host: String,
    /// Encoded.
    pub(super) path: String,
}

impl Place {
    /// The URL with a query, which is encoded.
    pub(super) fn url(&self, query: &str) -> String {
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}://{}{}{mark}{query}", self.scheme, self.host, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(host: &str, addressing: Addressing, bucket: &str) -> String {
        Endpoint::parse(host, addressing).unwrap().place(bucket, "k").url("")
    }

    #[test]
    fn buckets_are_where_their_names_allow() {
        use Addressing::{Auto, Path, Virtual};
        for (host, addressing, bucket, expected) in [
            ("s3.amazonaws.com", Auto, "images", "http://images.s3.amazonaws.com/k"),
            ("https://s3.amazonaws.com", Auto, "my.images", "https://s3.amazonaws.com/my.images/k"),
            ("https://s3.amazonaws.com", Auto, "Images", "https://s3.amazonaws.com/Images/k"),
            ("10.0.0.1:7480", Auto, "images", "http://10.0.0.1:7480/images/k"),
            ("https://[::1]:7480/", Auto, "images", "https://[::1]:7480/images/k"),
            ("http://rgw:7480/base", Path, "a b", "http://rgw:7480/base/a%20b/k"),
            ("http://rgw:7480/base", Virtual, "images", "http://images.rgw:7480/base/k"),
        ] {
            assert_eq!(url(host, addressing, bucket), expected);
        }
    }

    #[test]
    fn services_are_named_as_in_glance() {
        let endpoint = |host| Endpoint::parse(host, Addressing::Auto);
        let secure = endpoint("https://s3-eu-west-1.amazonaws.com/").unwrap();
        assert_eq!(secure.service(), "s3-eu-west-1.amazonaws.com");
        assert_eq!((secure.scheme(), secure.region()), ("s3+https", Some("eu-west-1")));
        let plain = endpoint("rgw.example.com:7480").unwrap();
        assert_eq!((plain.scheme(), plain.service()), ("s3", "rgw.example.com:7480".to_owned()));
        assert_eq!(plain.region(), None);
        for bad in ["", "ftp://x", "http://user:secret@host", "http://"] {
            assert!(endpoint(bad).is_none(), "{bad}");
        }
    }
}
