//! `passwd(5)` and `shadow(5)`.

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) home: String,
    pub(crate) shell: String,
}

/// Regular users begin here in each distribution of the last decade, and end before `nobody`.
const PEOPLE: std::ops::Range<u32> = 1000..65534;

impl Account {
    /// Whether a person logs in with it: root, or a regular user.
    pub(crate) fn is_persons(&self) -> bool {
        self.uid == 0 || PEOPLE.contains(&self.uid)
    }

    /// Whether it is a regular user's.
    pub(crate) fn is_regular(&self) -> bool {
        PEOPLE.contains(&self.uid)
    }
}

/// The accounts of `/etc/passwd`; broken lines are left out.
pub(crate) fn accounts(passwd: &str) -> Vec<Account> {
    passwd.lines().filter_map(account).collect()
}

fn account(line: &str) -> Option<Account> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, _, _, home, shell] = fields.as_slice() else { return None };
    Some(Account {
        name: (*name).into(),
        uid: uid.parse().ok()?,
        home: (*home).into(),
        shell: (*shell).into(),
    })
}

/// Names and password fields of `/etc/shadow`.
pub(crate) fn passwords(shadow: &str) -> impl Iterator<Item = (&str, &str)> {
    shadow.lines().filter_map(|line| {
        let mut fields = line.split(':');
        Some((fields.next()?, fields.next()?))
    })
}

/// Replaces password fields of `/etc/shadow`: `change` gets a name and what it has.
pub(crate) fn with_passwords(
    shadow: &str,
    change: impl Fn(&str, &str) -> Option<String>,
) -> String {
    let line = |line: &str| {
        let mut fields = line.splitn(3, ':');
        let (name, password, rest) = (fields.next()?, fields.next()?, fields.next()?);
        Some(format!("{name}:{}:{rest}", change(name, password)?))
    };
    shadow.split_inclusive('\n').map(|old| line(old).unwrap_or_else(|| old.into())).collect()
}

/// Whether nobody can log in with this password field: `crypt(5)` produces neither `*` nor `!`.
pub(crate) fn is_locked(password: &str) -> bool {
    password.starts_with(['!', '*'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_root_and_regular_users() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nsshd:x:74:74::/:/sbin/nologin\n\
                      ann:x:1000:1000::/home/ann:/bin/sh\nbroken\n";
        let names: Vec<String> = accounts(passwd)
            .into_iter()
            .filter(Account::is_persons)
            .map(|account| account.name)
            .collect();
        assert_eq!(names, ["root", "ann"]);
    }

    #[test]
    fn one_password_changes_and_nothing_else() {
        let shadow = "root:*:1:0:99999:7:::\nann:x:1::::::\n";
        let new = with_passwords(shadow, |name, _| (name == "root").then(|| "$6$".into()));
        assert_eq!(new, "root:$6$:1:0:99999:7:::\nann:x:1::::::\n");
    }
}
