//! Conditions of state machines, logic apps and Dify's apps: what holds a value back, and what only looks as if it did.

mod dify;
mod logic_apps;
mod step_functions;
