//! Where in a reply something stands.

use std::sync::Arc;

use sluice_core::catalogue::{Pattern, Segment};
use sluice_core::found::Finder;

/// One step into a tree.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// Something that a finder found. The text is somebody's data: it is looked at and forgotten.
#[derive(Debug)]
pub struct Hit<'a> {
    /// What kind of thing.
    pub finder: Finder,
    /// By which of the finder's rules.
    pub rule: &'static str,
    /// The thing itself.
    pub text: &'a str,
    pub(crate) steps: &'a [Step<'a>],
}

impl Hit<'_> {
    /// Where it stands: keys, and indexes in decimal. What stands in a key stands in the object that has it.
    #[must_use]
    pub fn path(&self) -> Vec<Arc<str>> {
        let word = |step: &Step<'_>| match step {
            Step::Key(key) => Arc::from(*key),
            Step::Index(index) => index.to_string().into(),
        };
        self.steps.iter().map(word).collect()
    }

    /// The same with `*` for every index.
    #[must_use]
    pub fn pattern(&self) -> Pattern {
        let segment = |step: &Step<'_>| match step {
            Step::Key(key) => Segment::Key(Arc::from(*key)),
            Step::Index(_) => Segment::Any,
        };
        Pattern(self.steps.iter().map(segment).collect())
    }
}
