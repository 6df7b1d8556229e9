//! Work that waits for files: on a thread that may wait.

use crate::report::{ErrorClass, ErrorReport};

/// Does such work. Where it ends because of a defect, that is its error.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ErrorReport> + Send + 'static,
) -> Result<T, ErrorReport> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(defect()))
}

/// Does work to its end, also where the browser that asked for it is gone before.
pub(super) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, ErrorReport>> + Send + 'static,
) -> Result<T, ErrorReport> {
    tokio::spawn(work).await.unwrap_or_else(|_| Err(defect()))
}

/// What is said where this program itself is wrong.
pub(super) fn defect() -> ErrorReport {
    let why = "a defect of syncfilters ended this; the command that does the same may work";
    ErrorReport::new("defect", ErrorClass::Unexpected, &why)
}
