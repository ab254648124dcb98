//! The images of a pool.

use std::ffi::{CStr, c_int};
use std::ptr;
use std::sync::Arc;

use super::failure::{checked, name};
use super::image::Image;
use super::library::{Handle, Library};
use super::{Cluster, Failure};

/// `RBD_FEATURE_LAYERING`: an image of which others are copy-on-write clones.
const LAYERING: u64 = 1;

/// `RBD_IMAGE_OPTION_*`.
const FORMAT: c_int = 0;
const FEATURES: c_int = 1;
const ORDER: c_int = 2;

/// What can't be done when a clone is not made.
pub(in crate::rbd) const CLONING: &str = "clone the image";

/// The object in which a pool keeps the names of its images.
const DIRECTORY: &CStr = c"rbd_directory";

/// How an image is laid out.
#[derive(Debug, Clone, Copy)]
pub(in crate::rbd) struct Shape {
    /// Its objects have two to the power of this many bytes, 12 to 25.
    pub(in crate::rbd) order: u8,
}

/// A pool. Dropped, it is closed.
pub(in crate::rbd) struct Pool {
    pub(super) cluster: Arc<Cluster>,
    pub(super) context: Handle,
}

// SAFETY: a context may be used by several threads ("librados.h", rados_ioctx_t); what may not be
// called meanwhile (locators, namespaces, snapshots of the context) is not called at all.
unsafe impl Send for Pool {}
// SAFETY: as above.
unsafe impl Sync for Pool {}

impl Pool {
    pub(super) fn library(&self) -> &'static Library {
        self.cluster.library
    }

    /// Another pool of the same cluster. Errors: there is none of that name.
    pub(in crate::rbd) fn beside(&self, pool: &str) -> Result<Arc<Self>, Failure> {
        self.cluster.pool(pool)
    }

    /// Asks the pool for something that need not be there. Errors: it may not be read, or does not
    /// answer.
    pub(in crate::rbd) fn probe(&self) -> Result<(), Failure> {
        let (mut size, mut time) = (0, 0);
        // SAFETY: the context is open, the name a string, the places take what they are given.
        let returned = unsafe {
            let rados_stat = self.library().rados.rados_stat;
            rados_stat(self.context, DIRECTORY.as_ptr(), &mut size, &mut time)
        };
        match checked("read the pool", returned) {
            // No image yet.
            Err(failure) if failure.code() == libc::ENOENT => Ok(()),
            probed => probed.map(drop),
        }
    }

    /// Makes an image of `size` bytes, with the features of `rbd_default_features`; layering alone,
    /// where that says none. Errors: there is one of that name.
    pub(in crate::rbd) fn create(
        &self,
        image: &str,
        size: u64,
        shape: Shape,
    ) -> Result<(), Failure> {
        let (image, options) = (name(image)?, self.options(shape)?);
        // SAFETY: the context is open, the name a string, the options live.
        let returned = unsafe {
            (self.library().rbd.rbd_create4)(self.context, image.as_ptr(), size, options.handle)
        };
        checked("make the image", returned).map(drop)
    }

    /// Makes a copy-on-write clone of a snapshot of an image in `parent`, a pool of the same cluster.
    /// Errors: there is an image of that name; the snapshot is not there; it is not protected, and
    /// clones are of the first format (`EINVAL`).
    pub(in crate::rbd) fn clone_of(
        &self,
        parent: &Self,
        (of, snapshot): (&str, &str),
        image: &str,
        shape: Shape,
    ) -> Result<(), Failure> {
        let (of, snapshot, image) = (name(of)?, name(snapshot)?, name(image)?);
        let options = self.options(shape)?;
        // SAFETY: the contexts are open, the names strings, the options live.
        let returned = unsafe {
            (self.library().rbd.rbd_clone3)(
                parent.context,
                of.as_ptr(),
                snapshot.as_ptr(),
                self.context,
                image.as_ptr(),
                options.handle,
            )
        };
        checked(CLONING, returned).map(drop)
    }

    /// What a new image is given, besides what Ceph's configuration says.
    fn options(&self, shape: Shape) -> Result<Options, Failure> {
        let default = self.cluster.option(c"rbd_default_features").unwrap_or_default();
        let options = Options::new(self.library());
        options.set(FORMAT, 2)?;
        options.set(ORDER, shape.order.into())?;
        if matches!(default.trim(), "" | "0") {
            options.set(FEATURES, LAYERING)?;
        }
        Ok(options)
    }

    /// Removes an image. Errors: it is open somewhere (`EBUSY`), has snapshots (`ENOTEMPTY`), or is
    /// not there.
    pub(in crate::rbd) fn remove(&self, image: &str) -> Result<(), Failure> {
        let image = name(image)?;
        // SAFETY: the context is open, the name a string.
        let returned = unsafe { (self.library().rbd.rbd_remove)(self.context, image.as_ptr()) };
        checked("remove the image", returned).map(drop)
    }

    /// Moves an image to the pool's trash, from which it may go at once. Errors: it is open
    /// somewhere, or not there.
    pub(in crate::rbd) fn trash(&self, image: &str) -> Result<(), Failure> {
        let image = name(image)?;
        // SAFETY: the context is open, the name a string.
        let returned =
            unsafe { (self.library().rbd.rbd_trash_move)(self.context, image.as_ptr(), 0) };
        checked("move the image to the trash", returned).map(drop)
    }

    /// Opens an image, or a snapshot of it, so that others see it is open: nobody removes it
    /// meanwhile. An account that may only read opens it unseen. Errors: it is not there.
    pub(in crate::rbd) fn open(
        self: &Arc<Self>,
        image: &str,
        snapshot: Option<&str>,
    ) -> Result<Image, Failure> {
        match self.open_by(self.library().rbd.rbd_open, image, snapshot) {
            Err(failure) if matches!(failure.code(), libc::EPERM | libc::EACCES | libc::EROFS) => {
                self.open_unseen(image, snapshot)
            }
            opened => opened,
        }
    }

    /// Opens an image, or a snapshot of it, for a look: others don't see it is open.
    pub(in crate::rbd) fn open_unseen(
        self: &Arc<Self>,
        image: &str,
        snapshot: Option<&str>,
    ) -> Result<Image, Failure> {
        self.open_by(self.library().rbd.rbd_open_read_only, image, snapshot)
    }

    fn open_by(
        self: &Arc<Self>,
        open: Open,
        image: &str,
        snapshot: Option<&str>,
    ) -> Result<Image, Failure> {
        let (image, snapshot) = (name(image)?, snapshot.map(name).transpose()?);
        let snapshot = snapshot.as_ref().map_or(ptr::null(), |snapshot| snapshot.as_ptr());
        let mut handle = ptr::null_mut();
        // SAFETY: the context is open, the names are strings or none, the place takes a handle.
        let returned = unsafe { open(self.context, image.as_ptr(), &mut handle, snapshot) };
        checked("open the image", returned)?;
        Ok(Image::opened(self.clone(), handle))
    }
}

type Open = unsafe extern "C" fn(
    Handle,
    *const std::ffi::c_char,
    *mut Handle,
    *const std::ffi::c_char,
) -> c_int;

impl Drop for Pool {
    fn drop(&mut self) {
        // SAFETY: the context is ours; images, which hold this, are closed.
        unsafe { (self.library().rados.rados_ioctx_destroy)(self.context) }
    }
}

/// Options of a new image.
struct Options {
    library: &'static Library,
    handle: Handle,
}

impl Options {
    fn new(library: &'static Library) -> Self {
        let mut handle = ptr::null_mut();
        // SAFETY: the place takes a handle.
        unsafe { (library.rbd.rbd_image_options_create)(&mut handle) }
        Self { library, handle }
    }

    fn set(&self, option: c_int, value: u64) -> Result<(), Failure> {
        // SAFETY: the handle is ours.
        let returned =
            unsafe { (self.library.rbd.rbd_image_options_set_uint64)(self.handle, option, value) };
        checked("set an option of the image", returned).map(drop)
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: the handle is ours.
        unsafe { (self.library.rbd.rbd_image_options_destroy)(self.handle) }
    }
}
