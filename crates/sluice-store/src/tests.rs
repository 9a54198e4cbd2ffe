mod crash;
mod opening;
mod properties;

mod sealing;
mod sharing;
mod support;
mod tampering;
mod writing;
