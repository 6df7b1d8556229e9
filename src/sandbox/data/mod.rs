//! The practice organisation, made from a seed.

mod builtin;
mod dice;
mod filters;
mod organization;
mod people;
mod structure;
mod views;
mod words;

#[cfg(test)]
pub(super) use organization::generate;
pub(super) use organization::organization;
