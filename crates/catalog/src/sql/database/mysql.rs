//! Connection strings of MySQL and MariaDB: the parameters that SQLAlchemy hands to PyMySQL.

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

use super::certificates::{Certificates, Names};
use super::parts::Parts;
use super::{BadConnection, Parameters, option_file};

const FILES: Names = ["ssl_ca", "ssl_cert", "ssl_key"];

/// The parameters that say how far the server is to be trusted, beside files.
const TRUST: [&str; 5] =
    ["ssl_disabled", "ssl_mode", "ssl_check_hostname", "ssl_verify_identity", "ssl_verify_cert"];

/// So many statements stay prepared on a connection. A server has 16,382 of them by default
/// (`max_prepared_stmt_count`), which is what three services with all their connections stay below.
const STATEMENTS: usize = 64;

pub(super) fn options(parts: Parts) -> Result<(MySqlConnectOptions, Certificates), BadConnection> {
    let Parts { user, password, hosts, ports, database, parameters } =
        option_file::completed(parts)?;
    let [host] = hosts.as_slice() else { return Err(BadConnection::Address) };
    let mut options = MySqlConnectOptions::new().statement_cache_capacity(STATEMENTS);
    options = options.host(host.as_deref().unwrap_or("localhost"));
    options = ports.iter().flatten().fold(options, |options, port| options.port(*port));
    options = user.iter().fold(options, |options, user| options.username(user));
    options = password.iter().fold(options, |options, password| options.password(password));
    options = database.iter().fold(options, |options, name| options.database(name));
    for (name, value) in &parameters.0 {
        options = match name.as_str() {
            "ssl_ca" => options.ssl_ca(value),
            "ssl_cert" => options.ssl_client_cert(value),
            "ssl_key" => options.ssl_client_key(value),
            "ssl_capath" => return Err(BadConnection::Folder),
            "unix_socket" => options.socket(value),
            // Text always travels as UTF-8.
            "charset" => options,
            "read_default_file" | "read_default_group" => options,
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

    fn options_of(parameters: &str) -> Result<MySqlConnectOptions, BadConnection> {
        options(Parts::of("glance:s@db/glance", parameters)?).map(|(options, _)| options)
    }

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
            let options = options_of(parameters).unwrap();
            assert_eq!(format!("{:?}", options.get_ssl_mode()), mode, "{parameters}");
        }
    }

    #[test]
    fn what_can_not_be_followed_is_refused() {
        for parameters in ["ssl_mode=perhaps", "ssl_capath=/etc/ssl/certs"] {
            assert!(options_of(parameters).is_err(), "{parameters}");
        }
    }
}
