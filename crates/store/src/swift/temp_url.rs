//! Temporary URLs: whoever has one reads an object until it ends, and needs no token. Source: Swift's
//! middleware "TempURL".

use std::time::Duration;

use client::Secret;
use jiff::{SignedDuration, Timestamp};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use reqwest::{Method, Response, StatusCode, Url};

use super::account::Target;
use super::upload::TYPE;
use crate::kind::Options;
use crate::remote::{Failed, decode, hex, hmac};
use crate::{Direct, Error, Result, SettingsError};

/// Ironic's default of the option of this name, in seconds.
const DURATION: u32 = 1200;

/// How long it is waited for an answer, once: whoever waits can be served without it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The versions of Swift's API, as they are in paths.
const VERSIONS: &[&str] = &["/v1/", "/v1.0/"];

/// What may be wrong where a server refuses a URL.
const REFUSED: &str = "it does not take a temporary URL: swift_temp_url_key is not the key of the \
                       account or container, or it knows no swift_temp_url_digest of this name";

/// How URLs are signed.
pub(super) struct TempUrls {
    /// The one that is set on the account, or on its containers.
    key: Secret,
    duration: SignedDuration,
    digest: MessageDigest,
}

impl TempUrls {
    /// As the options say; `None` where they have no key.
    pub(super) fn of(options: &Options<'_>) -> Result<Option<Self>, SettingsError> {
        let wrong = |option, expected: &str| Err(options.wrong(option, expected).into());
        let seconds: u32 = options.or("swift_temp_url_duration", DURATION)?;
        if seconds == 0 {
            return wrong("swift_temp_url_duration", "expected at least 1");
        }
        let digest: String = options.or("swift_temp_url_digest", "sha256".to_owned())?;
        let digest = match digest.as_str() {
            "sha256" => MessageDigest::sha256(),
            // What Swift knew before, and RADOS Gateways for longer.
            "sha1" => MessageDigest::sha1(),
            _ => return wrong("swift_temp_url_digest", "expected sha256 or sha1"),
        };
        let key: Option<String> = options.get("swift_temp_url_key")?;
        let duration = SignedDuration::from_secs(seconds.into());
        let of_key = |key| Self { key: Secret::new(key), duration, digest };
        Ok(key.filter(|key| !key.is_empty()).map(of_key))
    }

    /// A URL of an object, which opens it; `None` for one of another type than clients expect of an
    /// image's bytes. Errors: `Forbidden` where the server does not take it, `NotFound`,
    /// `Unavailable`.
    pub(super) async fn direct(&self, target: &Target) -> Result<Option<Direct>> {
        let account = &target.account;
        let place = account.grant().await?.service.clone();
        let query = self.query(&path(&place, target), Timestamp::now() + self.duration);
        let query = query.map_err(|error| account.failing(error.to_string()))?;
        let url = Secret::new(format!("{}?{query}", target.url(&place)));
        // Who may `GET` may `HEAD`.
        let request = account.http.request(Method::HEAD, url.expose()).timeout(PATIENCE);
        let asked = account.http.ask(request, |why| account.failing(why)).await;
        let answer = asked.map_err(Failed::error)?;
        match answer.status() {
            status if status.is_success() => {
                let size = target.length(&answer)?;
                Ok(is_of_image(&answer).then_some(Direct { url, size }))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(Error::Forbidden { store: account.store.clone(), why: REFUSED.to_owned() })
            }
            status => Err(target.failure(status).error()),
        }
    }

    /// What a URL with this path ends in, with a signature that counts until `end`.
    fn query(&self, path: &str, end: Timestamp) -> Result<String, ErrorStack> {
        let end = end.as_second();
        let text = format!("GET\n{end}\n{path}");
        let signature = hex(&hmac(self.digest, self.key.expose().as_bytes(), &text)?);
        Ok(format!("temp_url_sig={signature}&temp_url_expires={end}"))
    }
}

/// Whether an object has the type that it is stored with here. glanceclient takes another one for text.
fn is_of_image(answer: &Response) -> bool {
    let (name, value) = TYPE;
    answer.headers().get(name).is_some_and(|found| found == value)
}

/// What is signed of an object's URL: its path as the server knows it, not encoded, from the version
/// on. What is before that is known to proxies alone, and to RADOS Gateways, which take it either way.
fn path(account: &Url, target: &Target) -> String {
    let before = decode(account.path()).unwrap_or_default();
    let before = before.trim_end_matches('/');
    let path = format!("{before}/{}/{}", target.container, target.object);
    let version = VERSIONS.iter().filter_map(|version| path.find(version)).min();
    path[version.unwrap_or(0)..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Client Usage" of the middleware's documentation.
    #[test]
    fn signatures_are_those_of_swifts_example() {
        let (key, duration) = (Secret::new("mykey"), SignedDuration::from_secs(60));
        let urls = TempUrls { key, duration, digest: MessageDigest::sha256() };
        let end = "2017-12-05T21:16:03Z".parse().unwrap();
        assert_eq!(
            urls.query("/v1/AUTH_account/container/object", end).unwrap(),
            "temp_url_sig=732fcac368abb10c78a4cbe95c3fab7f311584532bf779abd5074e13cbe8b88b\
             &temp_url_expires=1512508563"
        );
    }
}
