//! Connection strings of MySQL and MariaDB: the parameters that SQLAlchemy hands to PyMySQL.

use sqlx::ConnectOptions;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use url::Url;

use super::certificates::{Certificates, Names};
use super::{BadConnection, Parameters, with_host};

const FILES: Names = ["ssl_ca", "ssl_cert", "ssl_key"];

/// The parameters that say how far the server is to be trusted, beside files.
const TRUST: [&str; 5] =
    ["ssl_disabled", "ssl_mode", "ssl_check_hostname", "ssl_verify_identity", "ssl_verify_cert"];

/// So many statements stay prepared on a connection. A server has 16,382 of them by default
/// (`max_prepared_stmt_count`), which is what three services with all their connections stay below.
const STATEMENTS: usize = 64;

pub(super) fn options(rest: &str) -> Result<(MySqlConnectOptions, Certificates), BadConnection> {
    let mut url = Url::parse(&format!("mysql://{}", with_host(rest)))?;
    let parameters = Parameters::of(&url);
    url.set_query(None);
    let options = MySqlConnectOptions::from_url(&url).map_err(|_| BadConnection::Parameter)?;
    let mut options = options.statement_cache_capacity(STATEMENTS);
    for (name, value) in &parameters.0 {
        options = match name.as_str() {
            "ssl_ca" => options.ssl_ca(value),
            "ssl_cert" => options.ssl_client_cert(value),
            "ssl_key" => options.ssl_client_key(value),
            "ssl_capath" => return Err(BadConnection::Folder),
            "unix_socket" => options.socket(value),
            // Text always travels as UTF-8.
            "charset" => options,
            name if TRUST.contains(&name) => options,
            name => {
                Parameters::warn_of(name);
                options
            }
        };
    }
    // What connections begin with is said once, with what else they begin with.
    let options = options.set_names(false).timezone(None);
    let options = options.pipes_as_concat(false).no_engine_substitution(false);
    let options = options.ssl_mode(trust(&parameters)?);
    Ok((options, Certificates::of(&parameters, FILES)))
}

/// In whatever order they stand. A CA stands for a server that has to show who it is; `ssl_mode` is
/// a word of mysqlclient's. Source: `create_connect_args` of SQLAlchemy's dialect `mysqldb`, and
/// `Connection` of PyMySQL.
fn trust(parameters: &Parameters) -> Result<MySqlSslMode, BadConnection> {
    let is_on = |name| parameters.is_on(name);
    let has = |name| parameters.get(name).is_some();
    if is_on("ssl_disabled") == Some(true) {
        return Ok(MySqlSslMode::Disabled);
    }
    if let Some(mode) = parameters.get("ssl_mode") {
        return mode.parse().map_err(|_| BadConnection::Parameter);
    }
    let named = is_on("ssl_verify_identity").or(is_on("ssl_check_hostname"));
    let signed = is_on("ssl_verify_cert").unwrap_or(has("ssl_ca"));
    Ok(match (named, signed) {
        (Some(true), _) | (None, true) => MySqlSslMode::VerifyIdentity,
        (Some(false), true) => MySqlSslMode::VerifyCa,
        (_, false) if FILES.into_iter().any(has) => MySqlSslMode::Required,
        (_, false) => MySqlSslMode::Preferred,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_is_what_pymysql_makes_of_the_parameters() {
        let cases = [
            ("", "Preferred"),
            ("charset=utf8", "Preferred"),
            ("ssl_ca=/ca.pem", "VerifyIdentity"),
            ("ssl_ca=/ca.pem&ssl_check_hostname=false", "VerifyCa"),
            ("ssl_check_hostname=false&ssl_ca=/ca.pem", "VerifyCa"),
            ("ssl_ca=/ca.pem&ssl_verify_identity=true&ssl_check_hostname=false", "VerifyIdentity"),
            ("ssl_ca=/ca.pem&ssl_verify_cert=false", "Required"),
            ("ssl_verify_cert=true&ssl_check_hostname=false", "VerifyCa"),
            ("ssl_cert=/c.pem&ssl_key=/k.pem", "Required"),
            ("ssl_disabled=true", "Disabled"),
            ("ssl_disabled=true&ssl_ca=/ca.pem", "Disabled"),
            ("ssl_ca=/ca.pem&ssl_disabled=1", "Disabled"),
            ("ssl_ca=/ca.pem&ssl_disabled=false", "VerifyIdentity"),
            ("ssl_mode=REQUIRED", "Required"),
            ("ssl_ca=/ca.pem&ssl_mode=VERIFY_CA", "VerifyCa"),
        ];
        for (parameters, mode) in cases {
            let (options, _) = options(&format!("glance:s@db/glance?{parameters}")).unwrap();
            assert_eq!(format!("{:?}", options.get_ssl_mode()), mode, "{parameters}");
        }
    }

    #[test]
    fn what_can_not_be_followed_is_refused() {
        for parameters in ["ssl_mode=perhaps", "ssl_capath=/etc/ssl/certs"] {
            assert!(options(&format!("glance:s@db/glance?{parameters}")).is_err(), "{parameters}");
        }
    }
}
