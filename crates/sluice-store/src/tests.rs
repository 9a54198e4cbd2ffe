mod crash;
mod killed;
mod opening;
mod properties;

mod sealing;
mod sharing;
mod support;
mod tampering;
mod writing;
