//! Connection strings of PostgreSQL: the parameters that SQLAlchemy hands to libpq.

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use super::certificates::{Certificates, Names};
use super::{BadConnection, Parameters, with_host};

const FILES: Names = ["sslrootcert", "sslcert", "sslkey"];

/// The parameters of libpq that have an effect, beside `options[…]`.
const KNOWN: [&str; 12] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

pub(super) fn options(rest: &str) -> Result<(PgConnectOptions, Certificates), BadConnection> {
    let mut url = Url::parse(&format!("postgresql://{}", with_host(rest)))?;
    let parameters = Parameters::of(&url);
    url.set_query(None);
    for (name, value) in &parameters.0 {
        match KNOWN.contains(&name.as_str()) || name.starts_with("options[") {
            true => drop(url.query_pairs_mut().append_pair(name, value)),
            false => Parameters::warn_of(name),
        }
    }
    let options = PgConnectOptions::from_url(&url).map_err(|_| BadConnection::Parameter)?;
    let mode = trust(options.get_ssl_mode(), &parameters);
    let options = options.ssl_mode(mode);
    let options = match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("tintype"),
    };
    Ok((options, Certificates::of(&parameters, FILES)))
}

/// libpq checks the server's certificate, too, where it is to be encrypted to and there is a CA
/// ("SSL Support", "Protection Provided in Different Modes"); what `allow` begins in plain,
/// `prefer` begins encrypted.
fn trust(mode: PgSslMode, parameters: &Parameters) -> PgSslMode {
    match mode {
        PgSslMode::Require if parameters.get("sslrootcert").is_some() => PgSslMode::VerifyCa,
        PgSslMode::Allow => PgSslMode::Prefer,
        mode => mode,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_is_what_libpq_makes_of_the_parameters() {
        let cases = [
            ("", "Prefer"),
            ("sslmode=allow", "Prefer"),
            ("sslmode=disable", "Disable"),
            ("sslmode=require", "Require"),
            ("sslmode=require&sslrootcert=/ca.pem", "VerifyCa"),
            ("sslrootcert=/ca.pem&sslmode=require", "VerifyCa"),
            ("sslmode=verify-ca&sslrootcert=/ca.pem", "VerifyCa"),
            ("sslmode=verify-full&sslrootcert=/ca.pem", "VerifyFull"),
        ];
        for (parameters, mode) in cases {
            let (options, _) = options(&format!("glance:s@db/glance?{parameters}")).unwrap();
            assert_eq!(format!("{:?}", options.get_ssl_mode()), mode, "{parameters}");
        }
    }

    #[test]
    fn the_server_is_told_who_asks() {
        let name = |parameters: &str| {
            let (options, _) = options(&format!("glance:s@db/glance?{parameters}")).unwrap();
            options.get_application_name().map(str::to_owned)
        };
        assert_eq!(name("").as_deref(), Some("tintype"));
        assert_eq!(name("application_name=glance").as_deref(), Some("glance"));
    }
}
