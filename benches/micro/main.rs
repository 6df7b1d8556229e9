//! Single parts, without a server: the `$batch` codec, the journal, the pacing.
//!
//! `cargo bench -p syncfilters-micro`; a word after `--` chooses.

mod batch;
mod journal;
mod pacing;

fn main() {
    divan::main();
}
