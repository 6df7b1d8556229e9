//! The run file: what was before, what we intend, what came back.
