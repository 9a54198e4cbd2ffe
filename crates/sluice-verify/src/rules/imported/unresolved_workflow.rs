//! Another workflow is called that is not among the files.
//!
//! What it does with the data is not known here. Where several files answer to the id that is called, none is taken for it.
//! Workflows of GitHub Actions call by path: `./` is the top of the repository, and a file that is named so and was not read is
//! told; so is a workflow of another repository, which is not fetched.
//! ```bad
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.executeWorkflow", "typeVersion": 1.2, "parameters": {"workflowId": {"__rl": true, "mode": "list", "value": "w2"}}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.noOp", "typeVersion": 1, "parameters": {}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(258),
        name: "unresolved-workflow",
        severity: Severity::Info,
        confidence: Confidence::High,
        page: include_str!("unresolved_workflow.rs"),
    },
    says: "the workflow that is called is not among the files",
    help: "check both files together: name the folder that they are in",
};
