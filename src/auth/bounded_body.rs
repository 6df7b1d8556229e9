//! Reading the whole body of an answer, in bounded memory.
//!
//! What comes from outside has no end by itself: one answer that never ended took 18 GiB, and 1 MiB of gzip became
//! 2 GiB. Counted is what comes out of the decompression, piece by piece, while it is read.

use bytes::Bytes;
use http::Response;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::SendError;

/// The longest body, in bytes. A page of 5,000 users is about 3 MiB, and a batch of 20 users with every column less.
pub(super) const LONGEST: usize = 16 << 20;
/// The longest body that is read beside many others, in bytes: one user's filters are a few kilobytes.
const SMALL: usize = 512 << 10;
/// Bodies at once. More than the 52 requests that the platform allows at once, so that nobody waits here first.
const AT_ONCE: usize = 64;
/// Bodies at once that are longer than [`SMALL`]. With all of the small ones that makes 64 MiB, which is the bound:
/// 64 times 512 KiB, and twice 16 MiB.
const LARGE_AT_ONCE: usize = 2;

/// One memory for the whole process, however many environments are talked to.
static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);
static LARGE_PLACES: Semaphore = Semaphore::const_new(LARGE_AT_ONCE);

/// A body and its place, which it holds until the last view of it is gone.
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

/// Reads an answer to its end; one that is longer than `longest` is given up.
///
/// A body that grows takes a place for the longest there can be, once: nobody who holds one waits for another, so that
/// many large bodies come one after the other and never wait for each other in a circle.
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
    // The semaphores are never closed; without a place is as good as with one that cannot be had.
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

/// A length for people: `16 MiB`.
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
