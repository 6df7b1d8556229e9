//! Everything that is read: progress, tables, JSON, CSV.
