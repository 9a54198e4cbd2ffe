//! The codes of definitions: what is wrong with them, and what is not supported yet.

use crate::document::CodeInfo;

pub(super) const TOO_MANY_STEPS: CodeInfo =
    CodeInfo::new(107, "too-many-steps", "split the workflow; the bound is `STEPS_MAX`");
pub(super) const EXPRESSION_SYNTAX: CodeInfo =
    CodeInfo::new(120, "expression-syntax", "write a jq expression, whole between `${` and `}`");
pub(super) const CLOCK: CodeInfo = CodeInfo::new(
    122,
    "expression-reads-clock",
    "pass the time in as input: what a run computes must not depend on a clock",
);
pub(super) const SECRET_OUTSIDE_CALL: CodeInfo = CodeInfo::new(
    123,
    "expression-reads-secret",
    "name a declared secret as a whole argument, `${ $secrets.NAME }`, in `with` of a call: only a connector opens it",
);
pub(super) const UNKNOWN_VARIABLE: CodeInfo = CodeInfo::new(
    124,
    "unknown-variable",
    "use an argument that the DSL gives here, or a variable of an enclosing task",
);
pub(super) const UNKNOWN_TARGET: CodeInfo =
    CodeInfo::new(125, "unknown-target", "name a task of the same list, or `continue`, `exit` or `end`");
pub(super) const DUPLICATE_STEP: CodeInfo =
    CodeInfo::new(126, "duplicate-step", "give each task of a list its own name");
pub(super) const UNKNOWN_REFERENCE: CodeInfo = CodeInfo::new(127, "unknown-reference", "define it under `use`");
pub(super) const DSL_VERSION: CodeInfo = CodeInfo::new(128, "dsl-version", "write the definition for DSL 1.0.x");
pub(super) const TASK_KIND: CodeInfo = CodeInfo::new(
    129,
    "task-kind",
    "a task has exactly one of `call`, `do`, `emit`, `for`, `fork`, `listen`, `raise`, `run`, `set`, `switch`, `try`, `wait`",
);

const CONNECTOR: &str = "declare the service as a connector with a contract and call it as `connector.action`";
pub(super) const CALL_ASYNCAPI: CodeInfo = CodeInfo::new(130, "unsupported-call-asyncapi", CONNECTOR);
pub(super) const CALL_GRPC: CodeInfo = CodeInfo::new(130, "unsupported-call-grpc", CONNECTOR);
pub(super) const CALL_OPENAPI: CodeInfo = CodeInfo::new(130, "unsupported-call-openapi", CONNECTOR);
pub(super) const CALL_MCP: CodeInfo = CodeInfo::new(130, "unsupported-call-mcp", CONNECTOR);
pub(super) const CALL_A2A: CodeInfo = CodeInfo::new(130, "unsupported-call-a2a", CONNECTOR);
pub(super) const FUNCTION: CodeInfo = CodeInfo::new(
    131,
    "unsupported-function",
    "write the task where it is called: inline and catalogued functions are not supported yet",
);
pub(super) const FORK_COMPETE: CodeInfo =
    CodeInfo::new(132, "unsupported-compete", "let all branches finish: racing branches are not supported yet");
pub(super) const FORK_CONTEXT: CodeInfo = CodeInfo::new(
    133,
    "fork-context-conflict",
    "export after the fork: branches run at once, so one must not write the context that another uses",
);
pub(super) const LEAVES_FORK: CodeInfo = CodeInfo::new(
    134,
    "unsupported-leaving-fork",
    "decide after the fork: leaving it from a branch is not supported yet",
);
pub(super) const LISTEN: CodeInfo = CodeInfo::new(135, "unsupported-listen", "events are not supported yet");
pub(super) const EMIT: CodeInfo = CodeInfo::new(136, "unsupported-emit", "events are not supported yet");
pub(super) const RUN: CodeInfo = CodeInfo::new(
    137,
    "unsupported-run",
    "call a connector instead: containers, scripts, shells and sub-workflows are not supported yet",
);
pub(super) const SCHEDULE: CodeInfo =
    CodeInfo::new(138, "unsupported-schedule", "start runs from outside: schedules are not supported yet");
pub(super) const SCHEMA: CodeInfo =
    CodeInfo::new(139, "unsupported-schema", "remove it: data is not validated against schemas yet");
pub(super) const AUTHENTICATION: CodeInfo = CodeInfo::new(
    140,
    "unsupported-authentication",
    "remove it: how a service is authenticated to belongs to its connector's contract",
);
pub(super) const EXTENSION: CodeInfo =
    CodeInfo::new(141, "unsupported-extension", "write the tasks out: extensions are not supported yet");
pub(super) const CATALOG: CodeInfo =
    CodeInfo::new(142, "unsupported-catalog", "write the tasks out: catalogs are not supported yet");
pub(super) const RETRY: CodeInfo = CodeInfo::new(
    143,
    "unsupported-retry",
    "use constant `delay`, `backoff` and `limit` only: jitter, limits of one attempt and computed delays are not supported yet",
);
pub(super) const RETRY_DURATION: CodeInfo = CodeInfo::new(
    147,
    "unsupported-retry-duration",
    "use `limit.attempt.count`: giving up a retry by the clock is not supported yet; a `timeout` of the task bounds its time",
);
pub(super) const HTTP_OPTION: CodeInfo = CodeInfo::new(
    144,
    "unsupported-http-option",
    "remove it: a call gives the content of the reply, and redirects are errors",
);
pub(super) const EVALUATE: CodeInfo =
    CodeInfo::new(145, "unsupported-evaluate", "use jq in strict mode: every expression between `${` and `}`");
pub(super) const DESCRIPTOR: CodeInfo = CodeInfo::new(
    146,
    "unsupported-descriptor",
    "use what a run knows without a clock or credentials: `$task.name`, `$task.reference`, `$task.definition`, `$workflow.id`, `$workflow.input`, `$workflow.definition.document`",
);

/// Every code that lowering a definition can give beside those of texts and expressions, in order; a code with
/// several names says which construct.
pub const CODES: [CodeInfo; 32] = [
    TOO_MANY_STEPS,
    EXPRESSION_SYNTAX,
    CLOCK,
    SECRET_OUTSIDE_CALL,
    UNKNOWN_VARIABLE,
    UNKNOWN_TARGET,
    DUPLICATE_STEP,
    UNKNOWN_REFERENCE,
    DSL_VERSION,
    TASK_KIND,
    CALL_ASYNCAPI,
    CALL_GRPC,
    CALL_OPENAPI,
    CALL_MCP,
    CALL_A2A,
    FUNCTION,
    FORK_COMPETE,
    FORK_CONTEXT,
    LEAVES_FORK,
    LISTEN,
    EMIT,
    RUN,
    SCHEDULE,
    SCHEMA,
    AUTHENTICATION,
    EXTENSION,
    CATALOG,
    RETRY,
    HTTP_OPTION,
    EVALUATE,
    DESCRIPTOR,
    RETRY_DURATION,
];
