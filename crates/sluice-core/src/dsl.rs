//! Lowers definitions in the Open Workflow DSL 1.0.x to a [`Program`].
//!
//! What the DSL leaves to the runtime is decided here, once:
//! - Each `do` list has one place for its data: a task's raw input, and after it its transformed output.
//! - A skipped task (`if`) leaves the data alone and control goes to the next task; its `then` does not count.
//! - `exit` ends the list it stands in: in the `do` of a `for`, that iteration.
//! - `end` hands the data of the list it stands in to the workflow's output.
//! - `while` is asked before each iteration, of the data as the iteration would see it.
//! - The tasks of a `catch` start from the input of their `try`, and so do what its expressions see as `.`.
//!   Without `do`, that input is also the output.
//! - A retry that gives up goes to the tasks of the `catch`; without any, the error is raised on.
//! - A branch of a `fork` hands an error that it does not catch to the join, which raises the first in the
//!   order of the branches once all have ended.
//! - `$context` starts as the workflow's transformed input.
//!
//! Constructs that are read but cannot run yet are diagnostics of their own (`SL130`–`SL149`): nothing is
//! skipped in silence, and a definition with any diagnostic has no program.

mod attempt;
mod branch;
mod call;
mod codes;
mod duration;
mod each;
mod expression;
mod fork;
mod hole;
mod list;
mod locate;
mod raise;
mod retry;
mod task;
mod template;
mod uri;
mod workflow;

use std::sync::Arc;

pub use codes::CODES;

use crate::diagnostic::Diagnostic;
use crate::document;
use crate::program::Program;
use crate::text::Text;

/// What became of a definition.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The program, if the definition has no diagnostic.
    pub program: Option<Program>,
    /// Everything that is wrong with it or not supported, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Lowers a definition.
#[must_use]
pub fn lower(text: &Text) -> Lowered {
    match document::read(text) {
        Ok(tree) => workflow::lower(text, &tree),
        Err(diagnostics) => Lowered { program: None, diagnostics },
    }
}

/// Lowers bytes that may not even be text.
#[must_use]
pub fn lower_bytes(name: impl Into<Arc<str>>, bytes: &[u8]) -> Lowered {
    match document::decode(name, bytes) {
        Ok(text) => lower(&text),
        Err(diagnostic) => Lowered { program: None, diagnostics: vec![*diagnostic] },
    }
}

#[cfg(test)]
mod tests;
