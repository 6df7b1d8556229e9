//! Reads the whole body of an answer in bounded memory.
//!
//! Data from outside has no limit by itself: one answer that never ended took 18 GiB, and 1 MiB of gzip became
//! 2 GiB. The decompressed bytes are counted while they are read.

use bytes::Bytes;
use http::Response;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::SendError;

/// The longest body, in bytes. A page of 5,000 users is about 3 MiB, and a batch of 20 users with every column less.
pub(super) const LONGEST: usize = 16 << 20;
/// The longest body that may be read beside many others, in bytes: the filters of one user take a few kilobytes.
const SMALL: usize = 512 << 10;
/// Bodies at once: more than the platform's 52 requests at once, so that this is not the first limit to be reached.
const AT_ONCE: usize = 64;
/// Bodies longer than [`SMALL`] at once. Together the bound is 64 MiB:
/// 64 times 512 KiB, and twice 16 MiB.
const LARGE_AT_ONCE: usize = 2;

/// One for the whole process, however many environments it connects to.
static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);
/// In the same way for long bodies.
static LARGE_PLACES: Semaphore = Semaphore::const_new(LARGE_AT_ONCE);

/// A body with its place, which is freed when the last reference to the bytes is dropped.
struct Body {
    bytes: Vec<u8>,
    _place: Option<SemaphorePermit<'static>>,
    _large: Option<SemaphorePermit<'static>>,
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads an answer to its end; stops with an error at more than `longest` bytes.
///
/// A body that grows beyond [`SMALL`] takes one place for the longest body, once. A holder never waits for another one,
/// so large bodies come one after the other without a deadlock.
pub(super) async fn read_whole(
    mut answer: reqwest::Response,
    longest: usize,
) -> Result<Response<Bytes>, SendError> {
    let mut whole = Response::new(Bytes::new());
    *whole.status_mut() = answer.status();
    *whole.headers_mut() = answer.headers().clone();
    let announced = answer.content_length().unwrap_or(0);
    if announced > u64::try_from(longest).unwrap_or(u64::MAX) {
        return Err(SendError::TooLong { longest });
    }
    // The semaphores are never closed. If they were, reading without a place would do no harm.
    let place = PLACES.acquire().await.ok();
    let mut large = None;
    let mut bytes = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(SendError::Request)? {
        let length = bytes.len() + piece.len();
        if length > longest {
            return Err(SendError::TooLong { longest });
        }
        if length > SMALL && large.is_none() {
            large = LARGE_PLACES.acquire().await.ok();
        }
        bytes.extend_from_slice(&piece);
    }
    if !bytes.is_empty() {
        *whole.body_mut() = Bytes::from_owner(Body {
            bytes,
            _place: place,
            _large: large,
        });
    }
    Ok(whole)
}

/// A length in bytes for people: `16 MiB`.
pub(crate) fn mebibytes(bytes: usize) -> String {
    format!("{} MiB", bytes >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bodies_at_once_stay_below_64_mebibytes() {
        assert_eq!(AT_ONCE * SMALL + LARGE_AT_ONCE * LONGEST, 64 << 20);
    }
}
