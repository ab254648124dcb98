//! Reads and writes of an image. Each is under way once the method returns; its future waits for its
//! end, and need not be waited for: buffers and image live until then in any case.

use std::ffi::{c_int, c_void};
use std::future::Future;
use std::ptr;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::failure::checked;
use super::library::Handle;
use super::{Failure, Image};

/// What librbd holds of a transfer, by a pointer: it comes back with its end.
struct Pending<B> {
    buffer: B,
    image: Image,
    ended: oneshot::Sender<(isize, B)>,
}

impl Image {
    /// Writes these pieces, one after the other, from `offset` on. When the future ends, they are
    /// stored durably.
    pub(in crate::rbd) fn write(
        &self,
        offset: u64,
        pieces: Vec<Bytes>,
    ) -> impl Future<Output = Result<(), Failure>> + Send + use<> {
        let doing = "write to the image";
        let rbd_aio_writev = self.library().rbd.rbd_aio_writev;
        // The bytes stay where they are when their list moves.
        let vectors: Vec<_> = pieces.iter().map(vector).collect();
        let count = c_int::try_from(vectors.len()).unwrap_or(c_int::MAX);
        let started = self.start(doing, pieces, |image, completion| {
            // SAFETY: the image is open; the list is read in the call, what it points to lives
            // until the completion is called.
            unsafe { rbd_aio_writev(image, vectors.as_ptr(), count, offset, completion) }
        });
        async move {
            let (returned, _) = ended(doing, started?).await?;
            code(doing, returned).map(drop)
        }
    }

    /// Reads `length` bytes from `offset` on; fewer, where the image ends before.
    pub(in crate::rbd) fn read(
        &self,
        offset: u64,
        length: usize,
    ) -> impl Future<Output = Result<Bytes, Failure>> + Send + use<> {
        let doing = "read the image";
        let rbd_aio_read = self.library().rbd.rbd_aio_read;
        let mut buffer = Vec::<u8>::with_capacity(length);
        // The bytes stay where they are when what owns them moves.
        let place = buffer.as_mut_ptr().cast();
        let started = self.start(doing, buffer, |image, completion| {
            // SAFETY: the image is open; the place is as long as is said, and lives until the
            // completion is called; nobody looks at it before.
            unsafe { rbd_aio_read(image, offset, length, place, completion) }
        });
        async move {
            let (returned, mut buffer) = ended(doing, started?).await?;
            let read = code(doing, returned)?.min(length);
            // SAFETY: so many bytes were written there, and there is room for them.
            unsafe { buffer.set_len(read) };
            Ok(buffer.into())
        }
    }

    /// Begins a transfer that needs `buffer` to live until its end. `call` is given the image and
    /// the completion, and returns a negative number where nothing has begun.
    fn start<B: Send + 'static>(
        &self,
        doing: &'static str,
        buffer: B,
        call: impl FnOnce(Handle, Handle) -> c_int,
    ) -> Result<oneshot::Receiver<(isize, B)>, Failure> {
        let rbd = &self.library().rbd;
        let (ended, end) = oneshot::channel();
        let pending = Box::into_raw(Box::new(Pending { buffer, image: self.clone(), ended }));
        let mut completion = ptr::null_mut();
        // SAFETY: the place takes a handle; `complete` is for this type of pointer.
        let returned = unsafe {
            (rbd.rbd_aio_create_completion)(pending.cast(), complete::<B>, &mut completion)
        };
        if let Err(failure) = checked(doing, returned) {
            // SAFETY: it was made by `into_raw`, and there is no completion that has it.
            drop(unsafe { Box::from_raw(pending) });
            return Err(failure);
        }
        // Once the call has begun something, `pending` may be gone.
        if let Err(failure) = checked(doing, call(self.handle(), completion)) {
            // SAFETY: nothing has begun, so `complete` is never called.
            unsafe {
                (rbd.rbd_aio_release)(completion);
                drop(Box::from_raw(pending));
            }
            return Err(failure);
        }
        Ok(end)
    }
}

/// Called by a thread of librbd, once for each transfer that has begun.
unsafe extern "C" fn complete<B>(completion: Handle, pending: *mut c_void) {
    // SAFETY: it is what `start` made for this very completion.
    let pending = unsafe { Box::from_raw(pending.cast::<Pending<B>>()) };
    let rbd = &pending.image.library().rbd;
    // SAFETY: the completion is this transfer's, which has ended.
    let returned = unsafe {
        let returned = (rbd.rbd_aio_get_return_value)(completion);
        (rbd.rbd_aio_release)(completion);
        returned
    };
    let Pending { buffer, image, ended } = *pending;
    // Before the end is told: who is told may close the image, and expects to be the last one.
    drop(image);
    // Nobody may wait for it any more.
    let _ = ended.send((returned, buffer));
}

async fn ended<T>(doing: &'static str, end: oneshot::Receiver<T>) -> Result<T, Failure> {
    // A sender is dropped unused only where the process ends.
    end.await.map_err(|_| Failure::Call { doing, code: libc::ECANCELED })
}

/// The number of bytes that a transfer returns, or its failure.
fn code(doing: &'static str, returned: isize) -> Result<usize, Failure> {
    usize::try_from(returned).map_err(|_| {
        let code = i32::try_from(returned.saturating_neg()).unwrap_or(libc::EIO);
        Failure::Call { doing, code }
    })
}

fn vector(piece: &Bytes) -> libc::iovec {
    libc::iovec { iov_base: piece.as_ptr().cast_mut().cast(), iov_len: piece.len() }
}
