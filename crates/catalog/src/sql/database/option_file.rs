//! Option files of MySQL's clients, which a connection string may name by `read_default_file` and
//! `read_default_group`: what the string does not say itself, they say. Source: `Connection` of PyMySQL,
//! which reads them with Python's `configparser`. In these files options may have no value, other lines
//! may stand between them, and `$` stands for itself.

use std::fs;

use super::BadConnection;
use super::parts::Parts;

/// Where only a group is named.
const FILE: &str = "/etc/my.cnf";

/// Where only a file is named.
const GROUP: &str = "client";

/// Options that parameters of a connection string say as well, and these.
const PARAMETERS: [(&str, &str); 5] = [
    ("socket", "unix_socket"),
    ("ssl-ca", "ssl_ca"),
    ("ssl-capath", "ssl_capath"),
    ("ssl-cert", "ssl_cert"),
    ("ssl-key", "ssl_key"),
];

/// The parts, with what the files say that they name. Errors: `OptionFile`, `Address`.
pub(super) fn completed(mut parts: Parts) -> Result<Parts, BadConnection> {
    let named = ["read_default_file", "read_default_group"].map(|name| parts.parameters.get(name));
    if named == [None, None] {
        return Ok(parts);
    }
    let [path, group] = named.map(|name| name.map(str::to_owned));
    let (path, group) = (path.unwrap_or(FILE.into()), group.unwrap_or(GROUP.into()));
    let text = fs::read_to_string(&path).map_err(|error| BadConnection::OptionFile {
        path: path.clone(),
        why: error.to_string(),
    })?;
    let Some(options) = Options::of(&text, &group) else {
        tracing::warn!("[database] connection: {path} has no group [{group}]");
        return Ok(parts);
    };
    parts.user = parts.user.or(options.get("user"));
    parts.password = parts.password.filter(|own| !own.is_empty()).or(options.get("password"));
    parts.database = parts.database.or(options.get("database"));
    if let [host] = parts.hosts.as_mut_slice() {
        *host = host.take().or(options.get("host"));
    }
    if let ([port @ None], Some(said)) = (parts.ports.as_mut_slice(), options.get("port")) {
        *port = Some(said.parse().map_err(|_| BadConnection::Address)?);
    }
    for (option, parameter) in PARAMETERS {
        if let (None, Some(value)) = (parts.parameters.get(parameter), options.get(option)) {
            parts.parameters.0.push((parameter.to_owned(), value));
        }
    }
    Ok(parts)
}

/// The options of one group.
struct Options(Vec<(String, String)>);

impl Options {
    /// `None` where there is no such group.
    fn of(text: &str, group: &str) -> Option<Self> {
        let mut found = None;
        let mut is_inside = false;
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
                is_inside = name == group;
                found = found.or(is_inside.then(Vec::new));
            } else if let (true, Some(all)) = (is_inside, found.as_mut()) {
                all.extend(option(line));
            }
        }
        found.map(Self)
    }

    /// What it says last, where that is not empty.
    fn get(&self, wanted: &str) -> Option<String> {
        let found = self.0.iter().rev().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    }
}

/// A name, whose words hyphens join, and a value.
fn option(line: &str) -> Option<(String, String)> {
    if line.starts_with(['#', ';']) {
        return None;
    }
    let (name, value) = line.split_once(['=', ':'])?;
    let value = value.trim();
    let quoted = |mark| value.strip_prefix(mark)?.strip_suffix(mark);
    let value = ['\'', '"'].into_iter().find_map(quoted).unwrap_or(value);
    Some((name.trim().to_lowercase().replace('_', "-"), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const TEXT: &str = "\
# Of all clients.
[client]
user = somebody
port = 3310
[tripleo]
skip-name-resolve
!includedir /etc/my.cnf.d
ssl_ca = /etc/ca.pem
ssl-key: '/etc/key.pem'
; password = old
password = \"a$b#c;d\"
Host = db
port = 3307
socket =
[client]
user = glance
";

    fn completed_by(group: &str, rest: &str) -> Result<Parts, BadConnection> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(TEXT.as_bytes()).unwrap();
        let path = file.path().display();
        completed(Parts::of(rest, &format!("read_default_file={path}{group}"))?)
    }

    #[test]
    fn what_a_string_does_not_say_its_file_says() {
        let parts = completed_by("&read_default_group=tripleo", "glance@/n").unwrap();
        let texts = [&parts.user, &parts.password, &parts.hosts[0], &parts.database];
        assert_eq!(texts.map(Option::as_deref), ["glance", "a$b#c;d", "db", "n"].map(Some));
        assert_eq!(parts.ports, [Some(3307)]);
        let files = ["ssl_ca", "ssl_key", "unix_socket"].map(|name| parts.parameters.get(name));
        assert_eq!(files, [Some("/etc/ca.pem"), Some("/etc/key.pem"), None]);
    }

    #[test]
    fn what_a_string_says_itself_counts() {
        let rest = "u:p@h:1/n?ssl_ca=/own.pem";
        let parts = completed_by("&read_default_group=tripleo", rest).unwrap();
        let texts = [&parts.user, &parts.password, &parts.hosts[0]];
        assert_eq!(texts.map(Option::as_deref), ["u", "p", "h"].map(Some));
        assert_eq!(
            (parts.ports, parts.parameters.get("ssl_ca")),
            (vec![Some(1)], Some("/own.pem"))
        );
    }

    #[test]
    fn a_group_of_all_clients_is_read_where_none_is_named() {
        let parts = completed_by("", ":p@h/n").unwrap();
        assert_eq!((parts.user.as_deref(), parts.ports), (Some("glance"), vec![Some(3310)]));
        let parts = completed_by("&read_default_group=other", "u:p@h/n").unwrap();
        assert_eq!(parts.ports, [None]);
    }

    #[test]
    fn a_file_that_can_not_be_read_is_named() {
        let parts = Parts::of("u:p@h/n", "read_default_file=/nowhere.cnf").unwrap();
        let refused = completed(parts).err().unwrap().to_string();
        assert!(refused.contains("read_default_file /nowhere.cnf: No such file"), "{refused}");
    }
}
