//! A connection to a cluster (librados).

use std::ffi::{CStr, CString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime;

use super::failure::{checked, name};
use super::library::{Handle, Library};
use super::{Failure, Pool};

/// What fails where a connection can't be made.
pub(in crate::rbd) const CONNECTING: &str = "connect to the Ceph cluster";

/// How many bytes the values of options have, at most.
const VALUE: usize = 4096;

/// How a cluster is reached.
#[derive(Debug, Clone, Default)]
pub(in crate::rbd) struct Access {
    /// The configuration file; without one, those that librados looks for.
    pub(in crate::rbd) conf: Option<PathBuf>,
    /// The account, without `client.`; without one, librados' own default.
    pub(in crate::rbd) user: Option<String>,
    /// How long a connection, and each request, may take; without a limit, what the configuration
    /// file says, or librados' own default.
    pub(in crate::rbd) timeout: Option<Duration>,
    /// Options of Ceph, over those of the configuration file.
    pub(in crate::rbd) settings: Vec<(CString, CString)>,
}

/// What is set for every connection. This crate writes and reads large pieces, once: a cache would
/// only copy them, and take 32 MiB for each image. Without the copy that librbd makes of what it
/// sends, a write that it refuses never ends (seen with Ceph 16).
const SETTINGS: [(&CStr, &CStr); 2] =
    [(c"rbd_cache", c"false"), (c"rbd_disable_zero_copy_writes", c"true")];

/// The options that a time limit is for: those that glance_store sets.
const TIMEOUTS: [&CStr; 3] =
    [c"client_mount_timeout", c"rados_mon_op_timeout", c"rados_osd_op_timeout"];

/// How long a request may take where nobody has said it, in seconds. librados waits without end then;
/// a cluster that loses a server and finds it out (`osd_heartbeat_grace`, 20 s) is back before.
const PATIENCE: &CStr = c"120";

/// A cluster. Dropped, the connection ends.
pub(in crate::rbd) struct Cluster {
    pub(super) library: &'static Library,
    handle: Handle,
}

// SAFETY: librados' functions may be called by any thread at any time ("librados.h", rados_t).
unsafe impl Send for Cluster {}
// SAFETY: as above.
unsafe impl Sync for Cluster {}

impl Cluster {
    /// Connects. Errors: `NoLibrary`; a configuration file that can't be read; an account without a
    /// keyring, or refused; monitors that don't answer.
    pub(in crate::rbd) fn connect(access: &Access) -> Result<Arc<Self>, Failure> {
        let cluster = Self::configured(access)?;
        // SAFETY: the handle is ours, and not yet connected.
        let returned = unsafe { (cluster.library.rados.rados_connect)(cluster.handle) };
        checked(CONNECTING, returned)?;
        Ok(Arc::new(cluster))
    }

    /// The cluster's id as the configuration file has it, if it does. Asks no server.
    pub(in crate::rbd) fn configured_id(access: &Access) -> Result<Option<String>, Failure> {
        let id = Self::configured(access)?.option(c"fsid")?;
        // Unset, it is made of zeros.
        Ok(Some(id).filter(|id| id.bytes().any(|byte| byte.is_ascii_hexdigit() && byte != b'0')))
    }

    fn configured(access: &Access) -> Result<Self, Failure> {
        let library = Library::get()?;
        let user = access.user.as_deref().map(name).transpose()?;
        let mut handle = ptr::null_mut();
        // SAFETY: the name is a string or none, the place takes a handle.
        let returned = unsafe { (library.rados.rados_create)(&mut handle, pointer(user.as_ref())) };
        checked("make a client of Ceph", returned)?;
        let cluster = Self { library, handle };
        cluster.read_file(access)?;
        for (option, value) in SETTINGS {
            // Versions without an option do without it.
            let _ = cluster.set(option, value);
        }
        for (option, value) in &access.settings {
            cluster.set(option, value)?;
        }
        if let Some(timeout) = access.timeout {
            let seconds = name(&timeout.as_secs().to_string())?;
            TIMEOUTS.iter().try_for_each(|option| cluster.set(option, &seconds))?;
        }
        cluster.limit_requests()?;
        Ok(cluster)
    }

    /// Requests end, also where neither the store's options nor Ceph's say when.
    fn limit_requests(&self) -> Result<(), Failure> {
        for option in TIMEOUTS {
            if self.option(option)?.parse() == Ok(0.0) {
                self.set(option, PATIENCE)?;
            }
        }
        Ok(())
    }

    fn read_file(&self, access: &Access) -> Result<(), Failure> {
        let path = access.conf.as_ref().map(|path| CString::new(path.as_os_str().as_bytes()));
        let path = path.transpose().map_err(|_| Failure::BadName)?;
        // SAFETY: the handle is ours, the path is a string or none.
        let returned = unsafe {
            (self.library.rados.rados_conf_read_file)(self.handle, pointer(path.as_ref()))
        };
        checked("read Ceph's configuration file", returned).map(drop)
    }

    fn set(&self, option: &CStr, value: &CStr) -> Result<(), Failure> {
        // SAFETY: the handle is ours, both are strings.
        let returned = unsafe {
            (self.library.rados.rados_conf_set)(self.handle, option.as_ptr(), value.as_ptr())
        };
        checked("set an option of Ceph", returned).map(drop)
    }

    /// The value of an option of Ceph. Errors: there is none of that name.
    pub(in crate::rbd) fn option(&self, option: &CStr) -> Result<String, Failure> {
        let mut value = vec![0_u8; VALUE];
        // SAFETY: the handle is ours, the name a string, and the place as long as is said.
        let returned = unsafe {
            let place = value.as_mut_ptr().cast::<c_char>();
            (self.library.rados.rados_conf_get)(self.handle, option.as_ptr(), place, VALUE)
        };
        checked("read an option of Ceph", returned)?;
        Ok(text(&value))
    }

    /// The cluster's id (`fsid`).
    pub(in crate::rbd) fn id(&self) -> Result<String, Failure> {
        // A UUID, and the zero byte after it.
        let mut id = vec![0_u8; 37];
        // SAFETY: the handle is connected, the place as long as is said.
        let returned = unsafe {
            let place = id.as_mut_ptr().cast::<c_char>();
            (self.library.rados.rados_cluster_fsid)(self.handle, place, id.len())
        };
        checked("ask the cluster for its id", returned)?;
        Ok(text(&id))
    }

    /// A pool of that name. Errors: there is none.
    pub(in crate::rbd) fn pool(self: &Arc<Self>, pool: &str) -> Result<Arc<Pool>, Failure> {
        let (pool, mut context) = (name(pool)?, ptr::null_mut());
        // SAFETY: the handle is connected, the name a string, the place takes a handle.
        let returned = unsafe {
            (self.library.rados.rados_ioctx_create)(self.handle, pool.as_ptr(), &mut context)
        };
        checked("open the pool", returned)?;
        Ok(Arc::new(Pool { cluster: self.clone(), context }))
    }
}

/// A connection that ends with this.
struct Ending {
    library: &'static Library,
    handle: Handle,
}

// SAFETY: librados' functions may be called by any thread at any time ("librados.h", rados_t).
unsafe impl Send for Ending {}

impl Drop for Cluster {
    /// Where others wait for this thread, another one ends the connection: that takes a while.
    fn drop(&mut self) {
        let ending = Ending { library: self.library, handle: self.handle };
        if let Ok(runtime) = runtime::Handle::try_current() {
            runtime.spawn_blocking(move || drop(ending));
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // SAFETY: the handle is ours; pools and images, which hold the cluster, are closed.
        unsafe { (self.library.rados.rados_shutdown)(self.handle) }
    }
}

fn pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(ptr::null(), |text| text.as_ptr())
}

/// The text before the first zero byte.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
