//! How fast, how many at once, and when to try again.
