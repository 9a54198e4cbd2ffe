//! Policies to take over: each pack is one file of policies and one of their tests, for a workspace to make its own.
//!
//! They add to the default policies and never loosen them: a pack has forbids only.

/// Policies with their tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pack {
    /// What it is called.
    pub name: &'static str,
    /// The text of `policies/<name>.cedar`.
    pub policies: &'static str,
    /// The text of `policies/tests/<name>.yaml`.
    pub tests: &'static str,
}

macro_rules! pack {
    ($name:literal) => {
        Pack {
            name: $name,
            policies: include_str!(concat!("../../../policies/packs/", $name, "/", $name, ".cedar")),
            tests: include_str!(concat!("../../../policies/packs/", $name, "/", $name, ".yaml")),
        }
    };
}

/// Every pack, by name.
pub const PACKS: [Pack; 6] = [
    pack!("access-grants"),
    pack!("budgets"),
    pack!("exports"),
    pack!("gdpr"),
    pack!("model-steps"),
    pack!("separation-of-duties"),
];

impl Pack {
    /// What it is about: the first line of its policies.
    #[must_use]
    pub fn about(&self) -> &'static str {
        self.policies.lines().next().unwrap_or_default().trim_start_matches("// ")
    }

    /// Its files: path inside a workspace, and text.
    #[must_use]
    pub fn files(&self) -> [(String, &'static str); 2] {
        [
            (format!("policies/{}.cedar", self.name), self.policies),
            (format!("policies/tests/{}.yaml", self.name), self.tests),
        ]
    }
}
