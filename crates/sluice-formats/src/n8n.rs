//! n8n's JSON export.

pub mod catalogue;
