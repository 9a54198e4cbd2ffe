//! A credential stands in the definition.
//!
//! Definitions are stored, shown, logged and sent to models. A secret belongs in the secret store, from where only a
//! connector takes it.
//! ```bad
//! do:
//!   - login: { set: { api_key: "q9Xc2Lr8Vt5Zw1Bn7Km4" } }
//! ```
//! ```good
//! do:
//!   - login: { set: { api_key_name: "crm-token" } }
//! ```

use std::collections::BTreeSet;

use sluice_core::credential::suspicion;
use sluice_core::program::{NodeId, NodeKind, PlaceId};
use sluice_core::value::{Data, Value};

use super::{Code, Confidence, Context, Diagnostic, RuleMeta, Severity};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(211),
    name: "hard-coded-secret",
    severity: Severity::High,
    confidence: Confidence::Medium,
    page: include_str!("hard_coded_secret.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (id, node) in cx.world.program.nodes() {
        for value in known_values(cx, id) {
            let mut found = Vec::new();
            look(&value, "", &mut found);
            for (text, why) in found {
                let path = cx.world.program.step_of(id).map_or_else(String::new, |s| s.path.to_string());
                if seen.insert(text) {
                    // The secret itself is not repeated: findings are logged.
                    let message = format!("a credential stands in the text: {why}");
                    let help = "store it with `sluice secret set`, and let a contract name it as its credential";
                    findings.push(META.finding(node.span, message, help).at_step(path));
                }
            }
        }
    }
}

/// What a node computes from constants alone. Nothing else is known before the run, so every known text was written
/// by the author.
fn known_values(cx: &Context<'_>, id: NodeId) -> Vec<Value> {
    let analysis = cx.world.analysis;
    let written = |target: PlaceId| {
        analysis.successors(id).filter_map(|to| analysis.state(to)).map(move |state| state.get(target)).collect()
    };
    match cx.world.program.node(id).map(|n| &n.kind) {
        Some(NodeKind::Assign { target, .. }) => written(*target),
        Some(NodeKind::Call { .. }) => {
            cx.sites.iter().filter(|s| s.id == id).map(|s| s.prepared.arguments.clone()).collect()
        }
        _ => Vec::new(),
    }
}

fn look(value: &Value, key: &str, found: &mut Vec<(String, String)>) {
    match &value.data {
        Data::Text(text) => {
            if let Some(why) = suspicion(key, text) {
                found.push((text.to_string(), why));
            }
        }
        Data::Array(items) => items.iter().for_each(|item| look(item, key, found)),
        Data::Object(fields) => fields.iter().for_each(|(key, field)| look(field, key, found)),
        Data::Unknown(shape) => shape.fields.iter().for_each(|(key, field)| look(field, key, found)),
        Data::Null | Data::Bool(_) | Data::Int(_) | Data::Float(_) => {}
    }
}
