//! Where a bucket is: in the path of the service's URL, or in its host.

use std::net::IpAddr;

use reqwest::Url;

use crate::remote::encode;

/// How buckets are addressed (`s3_store_bucket_url_format`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addressing {
    /// In the host where it is one of Amazon's and the bucket's name allows it, else in the path:
    /// other services need names and certificates for each bucket to be addressed otherwise.
    Auto,
    /// In the host.
    Virtual,
    /// In the path.
    Path,
}

impl Addressing {
    /// Reads the option. As Glance with boto, `auto` is in the path wherever a region is named,
    /// which makes the host a service of one's own. `None` where it is no such word.
    pub(super) fn parse(text: &str, is_region_named: bool) -> Option<Self> {
        match text {
            "auto" if is_region_named => Some(Self::Path),
            "auto" => Some(Self::Auto),
            "virtual" => Some(Self::Virtual),
            "path" => Some(Self::Path),
            _ => None,
        }
    }
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
        let name = self.of_amazon()?;
        name.strip_prefix("s3.").or(name.strip_prefix("s3-"))
    }

    /// The beginning of the host's name, where it is one of Amazon's.
    fn of_amazon(&self) -> Option<&str> {
        let host = self.url.host_str()?;
        host.strip_suffix(".amazonaws.com").or(host.strip_suffix(".amazonaws.com.cn"))
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
                // A certificate for all names of a domain has none with a dot.
                let has_certificate = !(self.is_secure() && bucket.contains('.'));
                self.of_amazon().is_some() && is_dns_name(bucket) && has_certificate
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
    fn buckets_are_where_hosts_and_names_allow() {
        use Addressing::{Auto, Path, Virtual};
        for (host, addressing, bucket, expected) in [
            ("s3.amazonaws.com", Auto, "images", "http://images.s3.amazonaws.com/k"),
            (
                "https://s3.cn-north-1.amazonaws.com.cn",
                Auto,
                "images",
                "https://images.s3.cn-north-1.amazonaws.com.cn/k",
            ),
            ("https://s3.amazonaws.com", Auto, "my.images", "https://s3.amazonaws.com/my.images/k"),
            ("https://s3.amazonaws.com", Auto, "Images", "https://s3.amazonaws.com/Images/k"),
            ("https://rgw.example.com", Auto, "images", "https://rgw.example.com/images/k"),
            ("http://minio:9000", Auto, "images", "http://minio:9000/images/k"),
            ("10.0.0.1:7480", Auto, "images", "http://10.0.0.1:7480/images/k"),
            ("https://[::1]:7480/", Auto, "images", "https://[::1]:7480/images/k"),
            ("http://rgw:7480/base", Path, "a b", "http://rgw:7480/base/a%20b/k"),
            ("http://rgw:7480/base", Virtual, "images", "http://images.rgw:7480/base/k"),
        ] {
            assert_eq!(url(host, addressing, bucket), expected);
        }
    }

    /// As boto does, of which Glance asks the same.
    #[test]
    fn a_named_region_puts_buckets_into_paths() {
        use Addressing::{Auto, Path, Virtual};
        for (text, is_region_named, expected) in [
            ("auto", false, Some(Auto)),
            ("auto", true, Some(Path)),
            ("virtual", true, Some(Virtual)),
            ("path", false, Some(Path)),
            ("host", false, None),
        ] {
            assert_eq!(Addressing::parse(text, is_region_named), expected, "{text}");
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
