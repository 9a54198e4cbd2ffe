//! What leaves this machine and what comes back, against real servers, each as kind or as hostile as its test needs.

#[cfg(test)]
mod egress;
#[cfg(test)]
mod server;
#[cfg(test)]
mod transports;
