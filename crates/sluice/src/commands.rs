//! One file per command; each takes what was typed and says how it ended.

pub mod approvals;
pub mod audit;
pub mod check;
pub mod connector;
pub mod draw;
pub mod explain;
pub mod gateway;
pub mod health;
pub mod import;
pub mod init;
pub mod inside;
pub mod policy;
pub mod propose;
pub mod resume;
pub mod run;
pub mod runs;
pub mod secret;
pub mod serve;
pub mod stop;
pub mod template;
pub mod token;
