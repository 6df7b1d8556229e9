//! The causes of an error, from outside to inside.

use std::error::Error;
use std::iter::successors;

/// An error and its causes, the outermost first.
pub fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |error| (*error).source())
}

/// The innermost cause of an error, or the error itself. It says why; the errors of the HTTP library around it repeat the
/// whole URL.
pub fn last_cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    causes(error).last().unwrap_or(error)
}
