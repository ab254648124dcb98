//! What Cinder says of a volume by iSCSI, as os-brick's `iscsi` connector takes it.

use std::net::IpAddr;

use serde_json::Value;

use super::super::super::attachment::ConnectionInfo;

/// A way to a volume: a unit of a target at a portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// `ADDRESS:PORT`; an address of IPv6 is in brackets.
    pub(super) portal: String,
    pub(super) iqn: String,
    pub(super) lun: u64,
}

impl Path {
    /// Whether this is its portal. Addresses may be spelled in several ways.
    pub(super) fn is_at(&self, portal: &str) -> bool {
        let ((own, own_port), (address, port)) = (parts(&self.portal), parts(portal));
        let parsed = |text: &str| text.parse::<IpAddr>().ok();
        let is_same = match (parsed(own), parsed(address)) {
            (Some(own), Some(other)) => own == other,
            _ => own.eq_ignore_ascii_case(address),
        };
        is_same && own_port == port
    }
}

/// A portal's address, without brackets, and its port.
fn parts(portal: &str) -> (&str, &str) {
    let (address, port) = portal.rsplit_once(':').unwrap_or((portal, ""));
    (address.trim_matches(['[', ']']), port)
}

/// What a target asks of who logs in. Its `Debug` would show a password, so it has none.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Chap {
    pub(super) user: String,
    pub(super) password: String,
}

/// A volume, as Cinder says where it is.
pub(super) struct Volume {
    /// All ways to it, the main one first.
    pub(super) paths: Vec<Path>,
    pub(super) chap: Option<Chap>,
}

impl Volume {
    /// Reads it. Errors, in words: it is not said, or could be taken for something else.
    pub(super) fn of(to: &ConnectionInfo) -> Result<Self, String> {
        let mut paths = Vec::new();
        let one = |name: &str| to.data.get(name);
        let list = |name: &str| to.data.get(name).and_then(Value::as_array);
        if let Some(((portal, iqn), lun)) =
            one("target_portal").zip(one("target_iqn")).zip(one("target_lun"))
        {
            paths.push(path(portal, iqn, lun)?);
        }
        if let Some((portals, iqns)) = list("target_portals").zip(list("target_iqns")) {
            let luns = list("target_luns").map(Vec::as_slice).unwrap_or_default();
            for (number, (portal, iqn)) in portals.iter().zip(iqns).enumerate() {
                let lun = luns.get(number).or(one("target_lun"));
                let lun = lun.ok_or("Cinder does not say which unit of a target a volume is")?;
                let path = path(portal, iqn, lun)?;
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        if paths.is_empty() {
            return Err("Cinder does not say where a volume is in iSCSI".to_owned());
        }
        Ok(Self { paths, chap: chap(to)? })
    }

    /// The unit that it is at a portal of a target. At one that Cinder did not name it is known where it
    /// is the same at all that were: another unit is another volume.
    pub(super) fn unit_at(&self, iqn: &str, portal: &str) -> Option<u64> {
        let mut of_target = self.paths.iter().filter(|path| path.iqn == iqn);
        if let Some(named) = of_target.clone().find(|path| path.is_at(portal)) {
            return Some(named.lun);
        }
        let first = of_target.next()?.lun;
        of_target.all(|path| path.lun == first).then_some(first)
    }
}

fn path(portal: &Value, iqn: &Value, lun: &Value) -> Result<Path, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (portal, iqn) = (text(portal), text(iqn));
    // Some drivers tell the group of portals too: `ADDRESS:PORT,1`.
    let portal = portal.split(',').next().unwrap_or_default().to_owned();
    let is_portal = portal.rsplit_once(':').is_some_and(|(address, port)| {
        let sound = |c: char| c.is_ascii_alphanumeric() || ".-:[]%_".contains(c);
        !address.is_empty()
            && !address.starts_with('-')
            && address.chars().all(sound)
            && port.parse::<u16>().is_ok()
    });
    if !is_portal {
        return Err(format!("{portal:?} is no portal of iSCSI: expected ADDRESS:PORT"));
    }
    // RFC 7143, section 4.2.7: three kinds of names.
    let is_name = ["iqn.", "eui.", "naa."].iter().any(|kind| iqn.starts_with(kind))
        && iqn.len() <= 223
        && iqn.chars().all(|c| c.is_ascii_graphic() && !"/\\'\"`$".contains(c));
    if !is_name {
        return Err(format!("{iqn:?} is no name of a target of iSCSI"));
    }
    let number = lun.as_u64().or_else(|| lun.as_str()?.parse().ok());
    let lun = number.ok_or_else(|| format!("{lun} is no number of a unit of a target"))?;
    Ok(Path { portal, iqn, lun })
}

fn chap(to: &ConnectionInfo) -> Result<Option<Chap>, String> {
    let text = |name: &str| to.data.get(name).and_then(Value::as_str);
    let Some(method) = text("auth_method").filter(|method| !method.is_empty()) else {
        return Ok(None);
    };
    if method != "CHAP" {
        return Err(format!("the target asks for a log-in by {method:?}, and only CHAP is known"));
    }
    let given = text("auth_username").zip(text("auth_password"));
    let (user, password) = given.ok_or("Cinder does not say how one logs in to a target")?;
    if [user, password].iter().any(|text| text.is_empty() || text.contains(char::is_control)) {
        return Err("the user or the password for a target can't be told to open-iscsi".to_owned());
    }
    Ok(Some(Chap { user: user.to_owned(), password: password.to_owned() }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const IQN: &str = "iqn.2010-10.org.openstack:volume-1";

    fn volume(data: Value) -> Result<Volume, String> {
        let mut data = data;
        data["driver_volume_type"] = json!("iscsi");
        Volume::of(&serde_json::from_value(data).unwrap())
    }

    #[test]
    fn a_unit_is_known_where_it_is_no_other_volume() {
        let volume = |luns: [u64; 2]| Volume {
            paths: vec![path("10.0.0.1:3260", luns[0]), path("10.0.0.2:3260", luns[1])],
            chap: None,
        };
        for (luns, portal, expected) in [
            ([1, 2], "10.0.0.1:3260", Some(1)),
            ([1, 2], "10.0.0.2:3260", Some(2)),
            ([1, 2], "10.0.0.3:3260", None),
            ([4, 4], "10.0.0.3:3260", Some(4)),
        ] {
            assert_eq!(volume(luns).unit_at(IQN, portal), expected, "{luns:?} {portal}");
        }
        assert_eq!(volume([1, 1]).unit_at("iqn.other", "10.0.0.1:3260"), None);
    }

    fn path(portal: &str, lun: u64) -> Path {
        Path { portal: portal.to_owned(), iqn: IQN.to_owned(), lun }
    }

    #[test]
    fn a_volume_is_where_cinder_says() {
        let main = json!({"target_portal": "10.0.0.1:3260,1", "target_iqn": IQN, "target_lun": 1});
        assert_eq!(volume(main.clone()).unwrap().paths, [path("10.0.0.1:3260", 1)]);
        let mut several = main;
        several["target_portals"] = json!(["10.0.0.1:3260", "[fd00::1]:3260"]);
        several["target_iqns"] = json!([IQN, IQN]);
        let both = |second| vec![path("10.0.0.1:3260", 1), path("[fd00::1]:3260", second)];
        assert_eq!(volume(several.clone()).unwrap().paths, both(1));
        several["target_luns"] = json!([1, "2"]);
        assert_eq!(volume(several).unwrap().paths, both(2));
    }

    #[test]
    fn a_log_in_is_by_chap_or_by_none() {
        let main = |method: &str| {
            json!({"target_portal": "h:3260", "target_iqn": IQN, "target_lun": 0,
                "auth_method": method, "auth_username": "u", "auth_password": "-p w"})
        };
        let chap = volume(main("CHAP")).unwrap().chap.unwrap();
        assert_eq!((&*chap.user, &*chap.password), ("u", "-p w"));
        assert!(volume(main("")).unwrap().chap.is_none());
        assert!(volume(main("SRP")).err().unwrap().contains("SRP"));
        let mut none = main("CHAP");
        none["auth_password"] = json!("a\nb");
        let why = volume(none).err().unwrap();
        assert!(!why.contains("a\nb"), "{why}");
    }

    #[test]
    fn what_could_be_something_else_is_refused() {
        for (portal, iqn, lun) in [
            (json!("10.0.0.1"), json!(IQN), json!(1)),
            (json!("-p:3260"), json!(IQN), json!(1)),
            (json!("a b:3260"), json!(IQN), json!(1)),
            (json!("10.0.0.1:99999"), json!(IQN), json!(1)),
            (json!("10.0.0.1:3260"), json!("--logout"), json!(1)),
            (json!("10.0.0.1:3260"), json!("iqn.a/../b"), json!(1)),
            (json!("10.0.0.1:3260"), json!("iqn.a b"), json!(1)),
            (json!("10.0.0.1:3260"), json!(7), json!(1)),
            (json!("10.0.0.1:3260"), json!(IQN), json!("- - -")),
            (json!("10.0.0.1:3260"), json!(IQN), json!(-1)),
        ] {
            let told = json!({"target_portal": portal, "target_iqn": iqn, "target_lun": lun});
            assert!(volume(told.clone()).is_err(), "{told}");
        }
        assert!(volume(json!({})).is_err());
    }

    #[test]
    fn a_portal_is_known_however_it_is_spelled() {
        assert!(path("10.0.0.1:3260", 1).is_at("10.0.0.1:3260"));
        assert!(path("[fd00::1]:3260", 1).is_at("[fd00:0:0:0:0:0:0:1]:3260"));
        assert!(path("San.example:3260", 1).is_at("san.example:3260"));
        assert!(!path("10.0.0.1:3260", 1).is_at("10.0.0.1:3261"));
        assert!(!path("10.0.0.1:3260", 1).is_at("10.0.0.2:3260"));
    }
}
