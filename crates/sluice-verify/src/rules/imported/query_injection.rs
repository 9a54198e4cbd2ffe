//! An outsider's text is pasted into a query.
//!
//! A quote in the text ends the literal that it was meant to be, and the rest is read as SQL or GraphQL.
//! ```bad
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.postgres", "typeVersion": 2.5, "parameters": {"operation": "executeQuery", "query": "=SELECT * FROM notes WHERE author = '{{ $json.from }}'"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.postgres", "typeVersion": 2.5, "parameters": {"operation": "executeQuery", "query": "SELECT * FROM notes WHERE author = $1", "options": {"queryReplacement": "={{ $json.from }}"}}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(232),
        name: "query-injection",
        severity: Severity::High,
        confidence: Confidence::High,
        page: include_str!("query_injection.rs"),
    },
    kind: FlowKind::QueryInjection,
    says: "text of outsiders is pasted into the query of",
    help: "pass it as a parameter of the query",
};
