//! Volumes that are files of an NFS share, which the kernel mounts: as os-brick's `remotefs` connector
//! and glance_store reach them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex as Held, PoisonError};
use std::time::Duration;
use std::{fs, io};

use async_trait::async_trait;
use openssl::hash::MessageDigest;
use serde_json::Value;
use uuid::Uuid;

use super::super::attachment::{ConnectionInfo, Mode};
use super::super::session::Session;
use super::local::{Local, Shape};
use super::tool::Tools;
use super::turns::Turns;
use super::{Connection, Device, Way};
use crate::Result;
use crate::blocking::blocking;
use crate::remote::hex;

/// What the kernel has mounted (proc(5)).
const MOUNTED: &str = "/proc/self/mountinfo";

/// How a share is mounted beside what Cinder says: it holds volumes, and nothing that this host may run
/// or take for a device of its own.
const SAFELY: &str = "nosuid,nodev,noexec";

/// Options that have mount(8) do something else than mount the share.
const NO_OPTIONS: &[&str] =
    &["bind", "rbind", "move", "remount", "loop", "suid", "dev", "exec", "user", "users"];

/// How often a share is unmounted that is still in use, and the pause between: a write that nobody
/// waits for any more may not have ended.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// Each share is mounted or unmounted by one of this process, for whichever store.
static TURNS: LazyLock<Turns> = LazyLock::new(Turns::default);

/// The shares that volumes are in.
pub(super) struct Shares {
    /// Below it they are mounted (`cinder_mount_point_base`).
    base: PathBuf,
    tools: Tools,
    /// The attachments of this store, by the share, each with its open file: a share of which something
    /// is open is not unmounted by others.
    users: Held<HashMap<String, HashMap<Uuid, fs::File>>>,
}

impl Shares {
    pub(super) fn new(base: PathBuf, tools: Tools) -> Self {
        Self { base, tools, users: Held::default() }
    }

    /// Where a share is mounted: as glance_store names it.
    fn place(&self, export: &str) -> Result<PathBuf, String> {
        let digest = openssl::hash::hash(MessageDigest::sha256(), export.as_bytes());
        let digest = digest.map_err(|error| error.to_string())?;
        Ok(self.base.join(hex(&digest)))
    }

    /// Has a share mounted. One that is there already is used.
    async fn mount(&self, file: &Named<'_>, place: &Path) -> Result<(), String> {
        if is_mounted(place).await? {
            return Ok(());
        }
        let folder = place.to_owned();
        let made = blocking(move || fs::create_dir_all(&folder)).await;
        made.map_err(|error| {
            let base = self.base.display();
            format!("no folder can be made in {base} (cinder_mount_point_base): {error}")
        })?;
        let options = match &file.options {
            Some(options) => format!("{options},{SAFELY}"),
            None => SAFELY.to_owned(),
        };
        let place = place.to_str().ok_or("cinder_mount_point_base is not in UTF-8")?;
        let arguments = ["-t", "nfs", "-o", &options, file.export, place];
        let mounted = self.tools.run("mount", &arguments, "").await;
        mounted?.expect(&format!("mount of {}", file.export), &[0]).map(drop)
    }

    /// Unmounts a share that nobody of this process uses. One that others use stays, for the last of
    /// them; so does one whose server is away.
    async fn unmount(&self, place: &Path) -> Result<(), String> {
        let text = place.to_str().ok_or("cinder_mount_point_base is not in UTF-8")?;
        for attempt in 1..=ATTEMPTS {
            if !is_mounted(place).await? {
                break;
            }
            let unmounted = self.tools.run("umount", &[text], "").await;
            match unmounted.and_then(|ended| ended.expect(&format!("umount of {text}"), &[0])) {
                Ok(_) => break,
                Err(why) if attempt == ATTEMPTS => return Err(why),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
        let place = place.to_owned();
        // Where it is still there, the next mount uses it.
        let _ = blocking(move || fs::remove_dir(place)).await;
        Ok(())
    }

    fn users(&self) -> std::sync::MutexGuard<'_, HashMap<String, HashMap<Uuid, fs::File>>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a volume, so that what is wrong with it is told before it counts as attached.
    async fn opened(
        &self,
        session: &Session,
        file: &Named<'_>,
        mode: Mode,
    ) -> Result<(Local, fs::File)> {
        let place = self.place(file.export).map_err(|why| session.failing(why))?;
        let (store, path) = (session.store.clone(), place.join(file.name));
        let local = Local { store, path, shape: Shape::File };
        for _ in 1..ATTEMPTS {
            self.mount(file, &place).await.map_err(|why| session.failing(why))?;
            let opening = local.clone();
            match blocking(move || opening.open(mode)).await {
                // Another process has unmounted it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    if is_mounted(&place).await.map_err(|why| session.failing(why))? {
                        return Err(self.refused(session, file, &error));
                    }
                }
                Err(error) => return Err(self.refused(session, file, &error)),
                Ok(opened) => return Ok((local, opened)),
            }
        }
        Err(session.failing(format!("{} is unmounted again and again", file.export)))
    }

    fn refused(&self, session: &Session, file: &Named<'_>, error: &io::Error) -> crate::Error {
        let Named { export, name, .. } = file;
        let mut why = format!("the volume {name} in {export} can't be opened: {error}");
        if error.kind() == io::ErrorKind::PermissionDenied {
            why += "; Cinder gives its files to the service's user where nas_secure_file_permissions is \
                    false, or both have the same user";
        }
        session.failing(why)
    }
}

#[async_trait]
impl Way for Shares {
    fn kind(&self) -> &'static str {
        "nfs"
    }

    async fn connect(
        &self,
        session: &Session,
        connection: &Connection,
        mode: Mode,
    ) -> Result<Arc<dyn Device>> {
        let file = Named::of(&connection.to).map_err(|why| session.failing(why))?;
        // What Cinder says at first it has guessed of the volume's bytes, which are an image's.
        let known = session.connection(connection.attachment).await?;
        let format = known.as_ref().and_then(|to| to.data.get("format")).and_then(Value::as_str);
        if let Some(why) = unfit(format) {
            return Err(session.failing(why));
        }
        let _turn = TURNS.at(file.export).await;
        let (local, opened) = self.opened(session, &file, mode).await?;
        let mut users = self.users();
        users.entry(file.export.to_owned()).or_default().insert(connection.attachment, opened);
        drop(users);
        Ok(Arc::new(local))
    }

    async fn disconnect(&self, session: &Session, connection: &Connection) -> Result<()> {
        // Whatever has no sound name was never mounted.
        let Ok(file) = Named::of(&connection.to) else { return Ok(()) };
        let _turn = TURNS.at(file.export).await;
        let (opened, is_last) = {
            let mut users = self.users();
            let of_share = users.get_mut(file.export);
            let opened = of_share.and_then(|of_share| of_share.remove(&connection.attachment));
            users.retain(|_, of_share| !of_share.is_empty());
            (opened, !users.contains_key(file.export))
        };
        // To close it may wait for the share's server.
        blocking(move || drop(opened)).await;
        if !is_last {
            return Ok(());
        }
        let place = self.place(file.export).map_err(|why| session.failing(why))?;
        if let Err(why) = self.unmount(&place).await {
            tracing::info!(why, store = session.store, "a share stays mounted");
        }
        Ok(())
    }
}

/// Why a volume of such a format can't be used.
fn unfit(format: Option<&str>) -> Option<String> {
    match format {
        Some("raw") => None,
        Some(format) => Some(format!(
            "the volume is a file of format {format}, and only raw ones are used: unset \
             nfs_qcow2_volumes in Cinder, or name another volume type"
        )),
        None => Some("Cinder does not say of which format the volume's file is".to_owned()),
    }
}

/// Where a volume is.
#[derive(Debug, PartialEq, Eq)]
struct Named<'a> {
    /// `HOST:/FOLDER`.
    export: &'a str,
    /// The file's name in it.
    name: &'a str,
    /// How it is to be mounted, as `-o` of mount(8) has it.
    options: Option<String>,
}

impl<'a> Named<'a> {
    /// Reads it. Errors, in words: it could be taken for something else.
    fn of(to: &'a ConnectionInfo) -> Result<Self, String> {
        let text = |name: &str| to.data.get(name).and_then(Value::as_str);
        let (export, name) = text("export")
            .zip(text("name"))
            .ok_or("Cinder does not say where a volume is in NFS")?;
        let is_plain = |text: &str| !text.starts_with('-') && !text.contains(char::is_control);
        let (host, folder) = export.split_once(":/").unwrap_or_default();
        if !is_plain(export) || host.is_empty() || folder.split('/').any(|part| part == "..") {
            return Err(format!("{export:?} is no share of NFS: expected HOST:/FOLDER"));
        }
        if !is_plain(name) || name.contains('/') || matches!(name, "" | "." | "..") {
            return Err(format!("{name:?} is no name of a volume's file"));
        }
        let options = text("options").map(options).transpose()?.flatten();
        Ok(Self { export, name, options })
    }
}

/// The options of Cinder's `nfs_shares_config`, which has them as mount(8) takes them: `-o a,b=c`.
fn options(given: &str) -> Result<Option<String>, String> {
    let wrong = || format!("{given:?} are no options to mount NFS with: expected -o NAME=VALUE,…");
    let mut words = given.split_whitespace();
    let mut options = Vec::new();
    while let Some(word) = words.next() {
        let list = match word.strip_prefix("-o").ok_or_else(wrong)? {
            "" => words.next().ok_or_else(wrong)?,
            list => list,
        };
        for option in list.split(',') {
            let name = option.split('=').next().unwrap_or_default();
            let sound = |c: char| c.is_ascii_alphanumeric() || "_-.:/=@%+[]".contains(c);
            if name.is_empty() || !option.chars().all(sound) || NO_OPTIONS.contains(&name) {
                return Err(wrong());
            }
            options.push(option);
        }
    }
    Ok((!options.is_empty()).then(|| options.join(",")))
}

/// Whether NFS is mounted there. A server that is away is not asked. Errors, in words: something else
/// is mounted.
async fn is_mounted(place: &Path) -> Result<bool, String> {
    let mounts = tokio::fs::read_to_string(MOUNTED).await;
    let mounts = mounts.map_err(|error| format!("{MOUNTED} can't be read: {error}"))?;
    match mounted(&mounts, place) {
        None => Ok(false),
        Some(kind) if kind.starts_with("nfs") => Ok(true),
        Some(kind) => Err(format!("{} has a file system {kind} mounted", place.display())),
    }
}

/// The kind of what is mounted at a place: the last one is on top.
fn mounted<'a>(mounts: &'a str, place: &Path) -> Option<&'a str> {
    let place = place.to_str()?.replace('\\', "\\134").replace(' ', "\\040");
    mounts.lines().rev().find_map(|line| {
        // Its place is the fifth word, its kind the first one behind a dash.
        let (before, behind) = line.split_once(" - ")?;
        (before.split(' ').nth(4)? == place).then(|| behind.split(' ').next())?
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn information(data: Value) -> ConnectionInfo {
        let mut data = data;
        data["driver_volume_type"] = json!("nfs");
        serde_json::from_value(data).unwrap()
    }

    #[test]
    fn a_volume_is_where_cinder_says() {
        for (options, expected) in [
            (Value::Null, None),
            (json!(""), None),
            (json!("-o vers=4.1,sec=krb5p"), Some("vers=4.1,sec=krb5p")),
            (json!("-onolock -o rsize=65536"), Some("nolock,rsize=65536")),
        ] {
            let to =
                json!({"export": "nfs.example:/srv/a b", "name": "volume-1", "options": options});
            let to = information(to);
            let file = Named::of(&to).unwrap();
            assert_eq!((file.export, file.name), ("nfs.example:/srv/a b", "volume-1"));
            assert_eq!(file.options.as_deref(), expected);
        }
    }

    #[test]
    fn what_could_be_something_else_is_refused() {
        for (export, name, options) in [
            ("", "volume-1", ""),
            ("/srv", "volume-1", ""),
            (":/srv", "volume-1", ""),
            ("-oremount:/srv", "volume-1", ""),
            ("host:/srv/../etc", "volume-1", ""),
            ("host:/srv\n", "volume-1", ""),
            ("host:/srv", "", ""),
            ("host:/srv", "..", ""),
            ("host:/srv", "../volume-1", ""),
            ("host:/srv", "/etc/shadow", ""),
            ("host:/srv", "-f", ""),
            ("host:/srv", "volume-1", "vers=4"),
            ("host:/srv", "volume-1", "-o"),
            ("host:/srv", "volume-1", "-o vers=4,remount"),
            ("host:/srv", "volume-1", "-o bind"),
            ("host:/srv", "volume-1", "-o vers=4 --bind"),
            ("host:/srv", "volume-1", "-o vers=4,$(x)"),
            ("host:/srv", "volume-1", "-o ,"),
        ] {
            let to = information(json!({"export": export, "name": name, "options": options}));
            assert!(Named::of(&to).is_err(), "{export:?} {name:?} {options:?}");
        }
    }

    #[test]
    fn only_raw_files_are_used() {
        assert_eq!(unfit(Some("raw")), None);
        assert!(unfit(Some("qcow2")).unwrap().contains("of format qcow2"));
        assert!(unfit(None).is_some());
    }

    #[test]
    fn a_share_has_a_place_of_its_own() {
        let shares = Shares::new("/mnt".into(), Tools::of_system());
        // printf '10.0.0.1:/srv' | sha256sum
        let expected = "/mnt/27abe5456ae40d4b8d784a05b5fe1bb4cc1c18ab1c6420339b241be1bcfdf0d4";
        assert_eq!(shares.place("10.0.0.1:/srv").unwrap(), Path::new(expected));
    }

    #[test]
    fn what_is_mounted_is_known_without_asking_its_server() {
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                      40 22 0:50 / /mnt/a rw,nosuid shared:9 - nfs4 10.0.0.1:/srv rw,vers=4.2\n\
                      41 22 0:51 / /mnt/b\\040c rw - nfs 10.0.0.1:/x rw\n\
                      42 40 0:52 / /mnt/a rw - tmpfs tmpfs rw\n";
        let at = |place: &str| mounted(mounts, Path::new(place));
        assert_eq!(at("/"), Some("ext4"));
        assert_eq!(at("/mnt/a"), Some("tmpfs"));
        assert_eq!(at("/mnt/b c"), Some("nfs"));
        assert_eq!(at("/mnt"), None);
    }

    #[tokio::test]
    async fn what_a_server_refuses_is_told() {
        use super::super::tool::stand_in::program;
        let folder = tempfile::tempdir().unwrap();
        program(
            folder.path(),
            "mount",
            "echo \"$*\" >>\"$(dirname \"$0\")/asked\"; echo 'mount.nfs: access denied' >&2; exit 32",
        );
        let shares = Shares::new(folder.path().join("mnt"), Tools::of_folder(folder.path()));
        let to =
            information(json!({"export": "h:/s", "name": "volume-1", "options": "-o vers=4.1"}));
        let file = Named::of(&to).unwrap();
        let place = shares.place("h:/s").unwrap();
        let why = shares.mount(&file, &place).await.unwrap_err();
        assert_eq!(why, "mount of h:/s fails with status 32: mount.nfs: access denied");
        let asked = fs::read_to_string(folder.path().join("asked")).unwrap();
        let place = place.display();
        assert_eq!(asked, format!("-t nfs -o vers=4.1,nosuid,nodev,noexec h:/s {place}\n"));
    }
}
