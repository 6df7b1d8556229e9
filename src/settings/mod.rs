//! Flags, variables, profiles and defaults become one value.
