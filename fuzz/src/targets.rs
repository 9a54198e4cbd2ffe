//! One file per target.

pub mod contract;
pub mod definition;
pub mod dify;
pub mod entry;
pub mod expression;
pub mod frame;
pub mod github_actions;
pub mod inspect;
pub mod javascript;
pub mod json;
pub mod logic_apps;
pub mod n8n;
pub mod native;
pub mod note;
pub mod passkey;
pub mod proof;
pub mod schema;
pub mod step_functions;
