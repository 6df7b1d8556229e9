//! The nouns of the field.
