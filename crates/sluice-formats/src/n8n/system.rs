//! Which system a node talks to: data that goes back to where it came from does not leave.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::catalogue::Found;
use super::effects::fixed_host;
use super::lower::Lowering;
use super::parameters::text_at;
use super::read::Node;

/// Parameters that name one document of a service which holds many, shared with different people each.
const DOCUMENTS: [&str; 5] = ["documentId", "sheetId", "workbook", "fileId", "folderId"];

/// The systems of a node: the host that its URL names, the account that it acts with, the document that it works on.
pub(super) fn of(node: &Node<'_>, known: &Found) -> BTreeSet<Arc<str>> {
    let mut systems = BTreeSet::new();
    if let Some(host) = fixed_host(node) {
        systems.insert(format!("host {host}").into());
    }
    let Some(service) = &known.service else { return systems };
    match document(node) {
        Holds::One(document) => {
            systems.insert(format!("document {service} {document}").into());
        }
        Holds::Some => {}
        // Whom a mail goes to is elsewhere, whoever's account sends it.
        Holds::All if known.sink.as_deref() == Some("email") && known.effect.is_outbound() => {}
        Holds::All => {
            systems.extend(node.credentials.iter().map(|account| format!("account {service} {account}").into()))
        }
    }
    systems
}

enum Holds {
    /// This document.
    One(String),
    /// A document that the text does not name.
    Some,
    /// The whole account.
    All,
}

fn document(node: &Node<'_>) -> Holds {
    let present = DOCUMENTS.iter().find(|key| node.parameters.is_some_and(|p| p.get(key).is_some()));
    let Some(key) = present else { return Holds::All };
    let paths = [format!("{key}.value"), (*key).to_owned()];
    let named = paths.iter().find_map(|path| text_at(node.parameters, path));
    match named.filter(|text| !text.is_empty() && !text.starts_with('=')) {
        Some(text) => Holds::One(text),
        None => Holds::Some,
    }
}

impl Lowering<'_, '_> {
    /// Whether a vector store is a database of the author's own, and what makes its vectors runs there, too.
    pub(super) fn is_own_store(&self, i: usize) -> bool {
        const OWN: [&str; 4] = ["vectorStorePGVector", "vectorStoreInMemory", "vectorStoreRedis", "vectorStoreMilvus"];
        let vectors = self.graph.parts_of(i, "ai_embedding");
        let is_own = OWN.contains(&self.store_type(i).as_str());
        is_own && !vectors.is_empty() && vectors.iter().all(|part| self.short_type(*part) == "embeddingsOllama")
    }
}
