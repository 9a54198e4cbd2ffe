//! The expressions of real files.
