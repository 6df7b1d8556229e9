//! `$batch` (Microsoft: "Execute batch operations using the Web API").

mod decode;
mod encode;
mod multipart;
mod run;

pub(super) use run::run;
