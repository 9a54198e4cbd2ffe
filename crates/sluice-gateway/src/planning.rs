//! The gateway's own tool: `sluice_plan`.
//!
//! It is offered to an agent whose user gave their request to the gateway: only against that can a plan's values be held.

use serde_json::{Value as Json, json};
use sluice_runtime::session::{Foreseen, PlanError};

/// The tool's name. No server's tool begins as it does.
pub(crate) const PLAN: &str = "sluice_plan";
/// How the names of the gateway's own tools begin.
pub(crate) const OWN: &str = "sluice_";

/// The tool as it is listed. `connectors` are those of the tools.
pub(crate) fn definition(connectors: &[&str]) -> Json {
    let workflow = format!(
        "instead of `calls`: a definition of the Open Workflow DSL, as YAML or JSON. Its steps `call` tools as \
         CONNECTOR.TOOL (connectors: {}); constants are fixed, expressions are holes; a `for` has its list written out, or \
         `metadata: {{ times: N }}`; `metadata: {{ holes: {{ ARGUMENT: {{ max: N }} }} }}` of a call bounds what it finds",
        connectors.join(", ")
    );

    json!({
        "name": PLAN,
        "description": "Lay down, before reading anything else, which tools you will call for the user's request and with \
            which arguments. Calls that a plan foresees are made with little asking; after that, calls outside of it are \
            refused. Write known values as they stand in the request, and for a value that you will find out later a hole: \
            {\"hole\": \"what it will be\"}, with \"min\" and \"max\" for an amount, \"items\" for how many a list has at most, or \
            \"one_of\" for a choice. Or write it as a workflow.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "calls": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "properties": {
                            "tool": { "type": "string", "description": "the name of a tool" },
                            "times": { "type": "integer", "minimum": 1, "default": 1, "description": "how often at most" },
                            "arguments": {
                                "type": "object",
                                "description": "exactly the arguments of the call, each a value or a hole"
                            }
                        },
                        "required": ["tool"]
                    }
                },
                "workflow": { "type": "string", "description": workflow }
            }
        }
    })
}

/// What an agent is told of its plan.
pub(crate) fn told(laid: &Result<Foreseen, PlanError>) -> (String, bool) {
    match laid {
        Ok(foreseen) => {
            let asked: Vec<String> = foreseen
                .asks
                .iter()
                .enumerate()
                .filter(|(_, asks)| **asks)
                .map(|(at, _)| (at + 1).to_string())
                .collect();
            let people = if asked.is_empty() {
                "no person needs to be asked".to_owned()
            } else {
                format!("a person may be asked about call {}", asked.join(", "))
            };
            (
                format!(
                    "plan accepted: {} calls, and {people}. Calls outside of it will be refused.",
                    foreseen.asks.len()
                ),
                false,
            )
        }
        Err(error) => (format!("plan refused: {error}"), true),
    }
}
