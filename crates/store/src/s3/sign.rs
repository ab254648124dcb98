//! Signatures of requests: AWS Signature Version 4, in a header.

use std::fmt;

use jiff::Timestamp;
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};

use crate::remote::{encode, hex, hmac};

/// How a request names the body that it does not sign.
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// SHA-256 of nothing.
pub(super) const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Who asks.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) key: String,
    pub(super) secret: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// What of a request is signed.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// The path as it is sent, encoded.
    pub(super) path: &'a str,
    /// Names and values, not encoded.
    pub(super) query: &'a [(&'a str, &'a str)],
    /// Names in lower case, and values. `host` is among them.
    pub(super) headers: &'a [(&'a str, &'a str)],
    /// The SHA-256 of the body, or [`UNSIGNED`].
    pub(super) payload: &'a str,
}

/// The headers that are added: names and values.
pub(super) type Signed = [(&'static str, String); 3];

/// The query as it is sent: sorted and encoded.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let mut pairs: Vec<_> =
        pairs.iter().map(|(name, value)| (encode(name, b""), encode(value, b""))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// The headers that sign a request, made at `now` in a region.
pub(super) fn sign(
    request: &Request<'_>,
    credentials: &Credentials,
    region: &str,
    now: Timestamp,
) -> Result<Signed, ErrorStack> {
    let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let scope = format!("{}/{region}/s3/aws4_request", &time[..8]);
    let mut headers: Vec<_> = request.headers.to_vec();
    headers.extend([("x-amz-content-sha256", request.payload), ("x-amz-date", &time)]);
    headers.sort_unstable();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical = format!(
        "{}\n{}\n{}\n{lines}\n{names}\n{}",
        request.method,
        request.path,
        query(request.query),
        request.payload
    );
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes())?);
    let key = key(&credentials.secret, &time[..8], region)?;
    let signature = hex(&hmac(MessageDigest::sha256(), &key, &text)?);
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        credentials.key
    );
    let payload = request.payload.to_owned();
    Ok([("authorization", authorization), ("x-amz-content-sha256", payload), ("x-amz-date", time)])
}

fn key(secret: &str, day: &str, region: &str) -> Result<Vec<u8>, ErrorStack> {
    let first = format!("AWS4{secret}").into_bytes();
    let parts = [day, region, "s3", "aws4_request"];
    parts.iter().try_fold(first, |key, part| hmac(MessageDigest::sha256(), &key, part))
}

pub(super) fn sha256(bytes: &[u8]) -> Result<String, ErrorStack> {
    Ok(hex(&hash(MessageDigest::sha256(), bytes)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (Credentials, Timestamp) {
        let credentials = Credentials {
            key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        };
        (credentials, "2013-05-24T00:00:00Z".parse().unwrap())
    }

    fn signature(request: &Request<'_>) -> String {
        let (credentials, now) = example();
        let [(_, authorization), ..] = sign(request, &credentials, "us-east-1", now).unwrap();
        authorization.rsplit_once("Signature=").unwrap().1.to_owned()
    }

    /// "GET Object" and "GET Bucket (List Objects)" of Amazon's "Signature Calculations for the
    /// Authorization Header: Transferring Payload in a Single Chunk".
    #[test]
    fn signatures_are_those_of_amazons_examples() {
        let host = ("host", "examplebucket.s3.amazonaws.com");
        let get = Request {
            method: "GET",
            path: "/test.txt",
            query: &[],
            headers: &[host, ("range", "bytes=0-9")],
            payload: EMPTY,
        };
        let expected = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        assert_eq!(signature(&get), expected);
        let list = Request {
            method: "GET",
            path: "/",
            query: &[("prefix", "J"), ("max-keys", "2")],
            headers: &[host],
            payload: EMPTY,
        };
        let expected = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
        assert_eq!(signature(&list), expected);
    }

    #[test]
    fn credentials_show_nothing() {
        assert_eq!(format!("{:?}", example().0), "Credentials");
    }
}
