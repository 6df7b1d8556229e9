//! The `$batch` codec: several requests in one, as `multipart/mixed`.
//!
//! Microsoft: "Execute batch operations using the Web API". Only the headers of the outer request are
//! known to impersonate, so one batch is for one impersonated user.

mod decode;
mod encode;

pub use decode::{BatchError, decode};
pub use encode::{Part, content_type, encode};
