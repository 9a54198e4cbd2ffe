//! Named bounds on what outsiders can grow. Each has a reason and, where met, a code.

/// Largest definition text read, in bytes. Real definitions stay under 200 kB; 4 MiB leaves room for generated ones. SL104.
pub const TEXT_BYTES_MAX: usize = 4 << 20;
/// Largest export of another engine that is read, in bytes. They carry sample data and inlined code: the largest real ones
/// have several MiB, and 32 MiB is still read in a fraction of a second. SL104.
pub const IMPORT_BYTES_MAX: usize = 32 << 20;
/// Most values and keys of an export: some 16 bytes of text for each, and 200 MB of memory at most. SL106.
pub const IMPORT_NODES_MAX: usize = 2_000_000;
/// Most duplicate keys of one text that are reported: each report takes far more memory than its key.
pub const DUPLICATES_REPORTED_MAX: usize = 100;
/// Deepest nesting of a definition's text. SL105.
pub const DEPTH_MAX: usize = 64;
/// Most nodes of a parsed text, aliases expanded: stops alias bombs. SL106.
pub const TEXT_NODES_MAX: usize = 250_000;
/// Most aliases followed in one text. SL106.
pub const ALIASES_MAX: usize = 1_000;
/// Most steps of one definition, so that analysis stays interactive. SL107.
pub const STEPS_MAX: usize = 5_000;
/// Longest expression text, in bytes. SL108.
pub const EXPRESSION_BYTES_MAX: usize = 16 << 10;
/// Deepest nesting inside one expression. SL108.
pub const EXPRESSION_DEPTH_MAX: usize = 100;
/// Most evaluation steps that one expression may take; meeting it is a fault of the expression, never of the process. SL503.
pub const EVALUATION_STEPS_MAX: u64 = 1_000_000;
/// Most bytes that the strings of one evaluation may build. SL503.
pub const EVALUATION_BYTES_MAX: usize = 16 << 20;
/// Most distinct atoms that one analysis can name (labels are 256 bits wide and the last bit says "unknown"). SL110.
pub const ATOMS_MAX: usize = 255;
/// Deepest abstract value; below it a value is summarized by one label.
pub const ABSTRACT_DEPTH_MAX: usize = 12;
/// Most children that an abstract value keeps apart; beyond it they are summarized.
pub const ABSTRACT_CHILDREN_MAX: usize = 64;
/// Most bytes that are kept of how an unknown text begins: a host and a path, not a page.
pub const HEAD_BYTES_MAX: usize = 256;
/// Largest reply of a connector, in bytes. SL707.
pub const REPLY_BYTES_MAX: usize = 16 << 20;
/// Most data subjects that one run tells apart: each is a key of its own in every payload of the run. Beyond it what the run
/// seals counts as anybody's.
pub const SUBJECTS_MAX: usize = 1_000;
/// Most visits of one node in one run: a loop that never ends must end. SL504.
pub const VISITS_MAX: u64 = 100_000;
