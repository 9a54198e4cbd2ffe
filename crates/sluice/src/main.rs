//! The `sluice` binary: reads the command line and hands over to the command's file.

use std::process::ExitCode;

use clap::Parser as _;
use sluice::cli::{Arguments, Command};
use sluice::failure::{Exit, Failure};
use sluice::{commands, demo};

/// Checking a folder is one small tree after another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Init(arguments) => commands::init::run(&arguments),
        Command::Check(arguments) => commands::check::run(&arguments),
        Command::Import(arguments) => commands::import::run(&arguments),
        Command::Draw(arguments) => commands::draw::run(&arguments),
        Command::Explain(arguments) => commands::explain::run(&arguments),
        Command::Propose(arguments) => commands::propose::run(&arguments),
        Command::Template(command) => commands::template::run(&command),
        Command::Approvals(command) => commands::approvals::run(&command),
        Command::Run(arguments) => commands::run::run(&arguments),
        Command::Resume(arguments) => commands::resume::run(&arguments),
        Command::Runs(command) => commands::runs::run(&command),
        Command::Audit(command) => commands::audit::run(&command),
        Command::Connector(command) => commands::connector::run(&command),
        Command::Gateway(arguments) => commands::gateway::run(&arguments),
        Command::Stop(arguments) => commands::stop::stop(&arguments),
        Command::GoOn(arguments) => commands::stop::go_on(&arguments),
        Command::Secret(command) => commands::secret::run(&command),
        Command::Policy(command) => commands::policy::run(&command),
        Command::Serve(arguments) => commands::serve::run(&arguments),
        Command::Health(arguments) => commands::health::run(&arguments),
        Command::Token(command) => commands::token::run(&command),
        Command::Demo(arguments) => demo::play::run(&arguments).map(|()| Exit::Fine),
        Command::DemoResume(arguments) => demo::crash::resume(&arguments).map(|()| Exit::Fine),
        Command::Inside(arguments) => commands::inside::run(&arguments),
        Command::DemoServices(arguments) => {
            demo::serve::run(&arguments).map(|()| Exit::Fine).map_err(|error| Failure::internal(error.as_ref()))
        }
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.print();
            failure.exit().into()
        }
    }
}
