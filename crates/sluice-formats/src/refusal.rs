//! Why a text is not imported: every code of every importer, with the help that goes with it.

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::CodeInfo;
use sluice_core::text::Span;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal $kebab:literal $help:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: CodeInfo = CodeInfo::new($code, $kebab, $help);)*
        /// Every code of a refusal, in order.
        pub const CODES: &[CodeInfo] = &[$($name),*];
    };
}

codes! {
    NOT_THIS_FORMAT = 801 "not-this-format" "export the workflow again, or leave the file out";
    TOO_LARGE = 802 "workflow-too-large" "split it into workflows that call each other";
    NODE_WITHOUT_NAME = 803 "node-without-name" "export the workflow again; n8n itself writes both";
    UNCLEAR_ALLOW = 804 "unclear-allow" "write `sluice: allow CODE because REASON`, with one code";
    WRONG_SHAPE = 820 "wrong-shape" "write it as the documentation of workflow syntax shows: GitHub refuses this one";
    JOBS_IN_A_CIRCLE = 821 "jobs-in-a-circle" "take one of the `needs` out: GitHub refuses such a workflow";
    STATE_WITHOUT_TYPE = 822 "state-without-type"
        "write one of `Task`, `Pass`, `Choice`, `Map`, `Parallel`, `Wait`, `Succeed`, `Fail`";
    ACTION_WITHOUT_TYPE = 823 "action-without-type" "export the workflow again; the designer writes one";
    APP_WITHOUT_GRAPH = 830 "dify-app-without-graph" "convert it to a chatflow or workflow in Dify, and export that";
    NODE_WITHOUT_ID = 831 "dify-node-without-id" "export the app again; Dify itself writes both";
    /// A step that a native definition cannot have.
    STEP_WITHOUT_EQUIVALENT = 840 "step-without-equivalent" "write what it does as tasks of the definition, or as an action of a connector";
    /// An expression that is no jq.
    EXPRESSION_WITHOUT_EQUIVALENT = 841 "expression-without-equivalent" "compute it in jq, or take it out of the workflow before it is imported";
    /// A parameter of a step that is otherwise understood.
    PARAMETER_WITHOUT_EQUIVALENT = 842 "parameter-without-equivalent" "take the parameter out, or write the step by hand";
    /// An order of steps that no list of tasks has.
    ORDER_WITHOUT_EQUIVALENT = 843 "order-without-equivalent" "connect the steps in another way, or write the tasks by hand";
    /// What was written would be judged less strictly than the original.
    SAYS_LESS = 845 "says-less" "write this step by hand; nothing was written, for the definition would hide what `sluice check` finds";
}

/// It was taken for a format that it is not.
pub(crate) fn not_this_format(span: Span, format: &str, needs: &str) -> Diagnostic {
    NOT_THIS_FORMAT.at(span, format!("this is no workflow of {format}: it has no {needs}"))
}

/// More of something than is read.
pub(crate) fn too_many(span: Span, what: &str, most: usize) -> Diagnostic {
    TOO_LARGE.at(span, format!("the workflow has more than the {most} {what} that are analysed"))
}
