//! What is known when a run starts.

use sluice_core::label::{Label, Universe};
use sluice_core::program::Program;
use sluice_core::value::Value;

/// What a run starts with, as far as it is known.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The catalogue's atoms, and those of the author and the requester.
    pub universe: Universe,
    /// The raw input.
    pub input: Value,
    /// `$workflow.id`.
    pub id: Value,
    /// The control label of the entry: ⊥ for a definition whose digest a person signs, else its author's origin.
    pub base: Label,
}

/// `$workflow.definition`. A run must start with the very same one.
#[must_use]
pub fn definition_json(program: &Program) -> serde_json::Value {
    let said = &program.document;
    let mut document = serde_json::json!({
        "dsl": said.dsl,
        "namespace": said.namespace,
        "name": said.name,
        "version": said.version,
    });
    if let (Some(title), Some(fields)) = (&said.title, document.as_object_mut()) {
        fields.insert("title".to_owned(), title.as_str().into());
    }
    serde_json::json!({ "document": document })
}

/// `$workflow`: id, the definition's document, the raw input.
pub(super) fn workflow_value(program: &Program, entry: &Entry) -> Value {
    let definition = Value::from_json(&definition_json(program), Label::BOTTOM);
    let fields =
        [("id".into(), entry.id.clone()), ("definition".into(), definition), ("input".into(), entry.input.clone())];
    Value::object(Label::BOTTOM, fields)
}
