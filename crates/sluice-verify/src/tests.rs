//! Labels, verdicts and reports of whole programs, as people read them.

mod actions_guards;
mod code_guards;
mod conditions;
mod foreign;
mod guards;
mod labels;
mod logic_apps;
mod mutants;
mod n8n;
mod native;
mod senders;
mod size;
mod standing;
mod step_functions;
mod stories;
