//! What can be typed after `sluice policy`, but for `check`, `sign` and `replay`.

use std::path::PathBuf;

use clap::Args;

use super::{Format, Place};

/// `sluice policy test`
#[derive(Args)]
pub struct TestPolicies {
    /// A file of tests, or a folder of them; else those in `policies/tests`.
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// Whose policies.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice policy add`
#[derive(Args)]
pub struct AddPack {
    /// Which; `sluice policy packs` lists them.
    #[arg(value_name = "PACK")]
    pub pack: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}
