//! The bundle that `sluice init` writes, and the schema that every bundle is checked against.

/// The schema. It is Sluice's and not the workspace's: a request has one shape everywhere.
pub const SCHEMA: &str = include_str!("../../../policies/schema.cedarschema");

/// The default policies: name and text of each file.
pub const DEFAULT_SOURCES: [(&str, &str); 5] = [
    ("agents.cedar", include_str!("../../../policies/agents.cedar")),
    ("choosing.cedar", include_str!("../../../policies/choosing.cedar")),
    ("leaving.cedar", include_str!("../../../policies/leaving.cedar")),
    ("permits.cedar", include_str!("../../../policies/permits.cedar")),
    ("storing.cedar", include_str!("../../../policies/storing.cedar")),
];

/// The tests of the default policies: name and text of their file, beside the policies.
pub const DEFAULT_TESTS: (&str, &str) = ("tests/default.yaml", include_str!("../../../policies/tests/default.yaml"));
