//! The engine: survey, apply, resume, undo.
