//! The functions of librados and librbd that are used, found at run time. Their declarations are
//! those of `rados/librados.h` and `rbd/librbd.h`, as Ceph has kept them since version 14.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;

use super::Failure;

/// `rados_t`, `rados_ioctx_t`, `rbd_image_t`, `rbd_completion_t` and `rbd_image_options_t`.
pub(super) type Handle = *mut c_void;

/// `rbd_callback_t`.
pub(super) type Callback = unsafe extern "C" fn(Handle, *mut c_void);

/// `rbd_image_watcher_t`.
#[repr(C)]
pub(super) struct Watcher {
    pub(super) address: *mut c_char,
    pub(super) id: i64,
    pub(super) cookie: u64,
}

/// `rbd_linked_image_spec_t`.
#[repr(C)]
pub(super) struct LinkedImage {
    pub(super) pool_id: i64,
    pub(super) pool: *mut c_char,
    pub(super) namespace: *mut c_char,
    pub(super) id: *mut c_char,
    pub(super) name: *mut c_char,
    pub(super) in_trash: bool,
}

/// A struct of a library's functions, and how it is loaded.
macro_rules! functions {
    (
        $(#[$doc:meta])* $library:ident in $file:literal:
        $($function:ident($($argument:ty),*) $(-> $returned:ty)?;)*
    ) => {
        $(#[$doc])*
        pub(super) struct $library {
            $(pub(super) $function: unsafe extern "C" fn($($argument),*) $(-> $returned)?,)*
        }

        impl $library {
            fn load() -> Result<Self, Failure> {
                let object = Object::open($file)?;
                Ok(Self {
                    $($function: {
                        const NAME: &CStr = match CStr::from_bytes_with_nul(
                            concat!(stringify!($function), "\0").as_bytes(),
                        ) {
                            Ok(name) => name,
                            Err(_) => panic!("a name of a function has no zero byte in it"),
                        };
                        let symbol = object.symbol(NAME)?;
                        // SAFETY: a symbol of this name is this function, declared as above; the
                        // library stays loaded for good.
                        unsafe {
                            std::mem::transmute::<
                                *mut c_void,
                                unsafe extern "C" fn($($argument),*) $(-> $returned)?,
                            >(symbol)
                        }
                    },)*
                })
            }
        }
    };
}

functions! {
    /// librados: clusters and pools.
    Rados in c"librados.so.2":
    rados_create(*mut Handle, *const c_char) -> c_int;
    rados_conf_read_file(Handle, *const c_char) -> c_int;
    rados_conf_set(Handle, *const c_char, *const c_char) -> c_int;
    rados_conf_get(Handle, *const c_char, *mut c_char, usize) -> c_int;
    rados_connect(Handle) -> c_int;
    rados_shutdown(Handle);
    rados_cluster_fsid(Handle, *mut c_char, usize) -> c_int;
    rados_ioctx_create(Handle, *const c_char, *mut Handle) -> c_int;
    rados_ioctx_destroy(Handle);
    rados_stat(Handle, *const c_char, *mut u64, *mut libc::time_t) -> c_int;
}

functions! {
    /// librbd: images.
    Rbd in c"librbd.so.1":
    rbd_image_options_create(*mut Handle);
    rbd_image_options_destroy(Handle);
    rbd_image_options_set_uint64(Handle, c_int, u64) -> c_int;
    rbd_create4(Handle, *const c_char, u64, Handle) -> c_int;
    rbd_clone3(Handle, *const c_char, *const c_char, Handle, *const c_char, Handle) -> c_int;
    rbd_remove(Handle, *const c_char) -> c_int;
    rbd_trash_move(Handle, *const c_char, u64) -> c_int;
    rbd_open(Handle, *const c_char, *mut Handle, *const c_char) -> c_int;
    rbd_open_read_only(Handle, *const c_char, *mut Handle, *const c_char) -> c_int;
    rbd_close(Handle) -> c_int;
    rbd_get_size(Handle, *mut u64) -> c_int;
    rbd_get_op_features(Handle, *mut u64) -> c_int;
    rbd_resize(Handle, u64) -> c_int;
    rbd_flatten(Handle) -> c_int;
    rbd_list_children3(Handle, *mut LinkedImage, *mut usize) -> c_int;
    rbd_linked_image_spec_list_cleanup(*mut LinkedImage, usize);
    rbd_snap_create(Handle, *const c_char) -> c_int;
    rbd_snap_remove(Handle, *const c_char) -> c_int;
    rbd_snap_protect(Handle, *const c_char) -> c_int;
    rbd_snap_unprotect(Handle, *const c_char) -> c_int;
    rbd_watchers_list(Handle, *mut Watcher, *mut usize) -> c_int;
    rbd_watchers_list_cleanup(*mut Watcher, usize);
    rbd_aio_create_completion(*mut c_void, Callback, *mut Handle) -> c_int;
    rbd_aio_get_return_value(Handle) -> isize;
    rbd_aio_release(Handle);
    rbd_aio_read(Handle, u64, usize, *mut c_char, Handle) -> c_int;
    rbd_aio_writev(Handle, *const libc::iovec, c_int, u64, Handle) -> c_int;
}

/// Both libraries.
pub(super) struct Library {
    pub(super) rados: Rados,
    pub(super) rbd: Rbd,
}

impl Library {
    /// The libraries, loaded when they are first asked for, and for good: their threads may outlive
    /// whoever uses them. Errors: `NoLibrary`, and again when asked again, until the service is
    /// started anew.
    pub(super) fn get() -> Result<&'static Self, Failure> {
        static LOADED: OnceLock<Result<Library, Failure>> = OnceLock::new();
        let load = || Ok(Self { rados: Rados::load()?, rbd: Rbd::load()? });
        LOADED.get_or_init(load).as_ref().map_err(Failure::clone)
    }
}

/// A shared object that stays loaded.
struct Object(*mut c_void);

impl Object {
    fn open(file: &CStr) -> Result<Self, Failure> {
        // SAFETY: the name is a string; the object's initializers are the system's own library's.
        let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if handle.is_null() { Err(no_library()) } else { Ok(Self(handle)) }
    }

    fn symbol(&self, name: &CStr) -> Result<*mut c_void, Failure> {
        // SAFETY: the handle is open, the name is a string.
        let symbol = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        if symbol.is_null() { Err(no_library()) } else { Ok(symbol) }
    }
}

fn no_library() -> Failure {
    // SAFETY: the text is this thread's, and stays until its next call.
    let text = unsafe {
        let text = libc::dlerror();
        if text.is_null() { c"" } else { CStr::from_ptr(text) }
    };
    Failure::NoLibrary(text.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_installed_is_named() {
        let Err(error) = Object::open(c"libnone-of-that-name.so.7") else { panic!("it is there") };
        let text = error.to_string();
        assert!(text.contains("libnone-of-that-name.so.7") && text.contains("librbd1"), "{text}");
    }

    #[test]
    fn what_is_too_old_is_named() {
        let libc = Object::open(c"libc.so.6").unwrap();
        let error = libc.symbol(c"rbd_of_tomorrow").unwrap_err();
        assert!(error.to_string().contains("rbd_of_tomorrow"), "{error}");
    }
}
