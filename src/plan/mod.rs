//! From a survey and a wanted state to the changes to make; no I/O.
