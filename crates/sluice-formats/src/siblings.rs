//! The other files of a folder, for workflows that call them.
//!
//! Whoever gathers them decides which: here is only what each reference stands for. A reference that several files answer
//! to stands for none of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_core::document::Node;
use sluice_core::text::Text;

use crate::import::Format;

/// Files by what workflows call them.
#[derive(Clone, Debug, Default)]
pub struct Siblings {
    format: Option<Format>,
    by_reference: BTreeMap<Arc<str>, Sibling>,
}

/// What a reference stands for.
#[derive(Clone, Debug)]
pub enum Sibling {
    /// This file.
    One {
        /// Its text.
        text: Text,
        /// What it says.
        tree: Node,
    },
    /// One of these, and nothing says which.
    Several(Vec<Arc<str>>),
}

impl Siblings {
    /// None yet, of workflows of one engine.
    #[must_use]
    pub const fn of(format: Format) -> Self {
        Self { format: Some(format), by_reference: BTreeMap::new() }
    }

    /// Reads a file that a reference stands for; what is no workflow of the same engine is left out.
    pub fn add(&mut self, reference: Arc<str>, name: &str, bytes: &[u8]) {
        if let Some(crate::Read { text, tree, problems, .. }) = crate::read(name, bytes)
            && problems.is_empty()
            && crate::recognise(&tree) == self.format
        {
            self.by_reference.insert(reference, Sibling::One { text, tree });
        }
    }

    /// Several files answer to a reference.
    pub fn add_several(&mut self, reference: Arc<str>, files: Vec<Arc<str>>) {
        self.by_reference.insert(reference, Sibling::Several(files));
    }

    /// What a reference stands for, if anything.
    #[must_use]
    pub fn get(&self, reference: &str) -> Option<&Sibling> {
        self.by_reference.get(reference)
    }
}
