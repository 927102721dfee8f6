//! Signing a statement.
