//! Signing in: where the bearer token comes from.
