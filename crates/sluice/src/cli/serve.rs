//! What can be typed after `sluice serve` and `sluice token`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, List, Place, RevokeToken};

/// `sluice serve`
#[derive(Args)]
pub struct Serve {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Where it listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7080")]
    pub listen: std::net::SocketAddr,
    /// The address under which people reach it, as their browsers write it: passkeys are for it alone. Without one, it is
    /// `http://localhost:PORT`, for people at this machine.
    #[arg(long, value_name = "ORIGIN")]
    pub origin: Option<String>,
    /// The identity provider at which people log in; whom its names mean is in the register (`identities`).
    #[arg(long, value_name = "URL", requires = "client_id")]
    pub issuer: Option<String>,
    /// What the provider calls this console.
    #[arg(long, value_name = "ID", requires = "issuer")]
    pub client_id: Option<String>,
    /// Holds what the console shows the provider, if it is given something.
    #[arg(long, value_name = "FILE", requires = "issuer")]
    pub client_secret_file: Option<PathBuf>,
    /// Tell this address, as JSON, what waits for whom; a service of yours passes it on as mail or chat.
    #[arg(long, value_name = "URL")]
    pub notify: Option<String>,
    /// Holds what that address is shown as a bearer's token.
    #[arg(long, value_name = "FILE", requires = "notify")]
    pub notify_secret_file: Option<PathBuf>,
    /// Write to everybody who is asked and has a `mail` in the register, by this relay: `smtps://HOST`, or `smtp://HOST` for STARTTLS.
    #[arg(long, value_name = "URL", requires = "mail_from")]
    pub mail: Option<String>,
    /// In whose name letters are sent.
    #[arg(long, value_name = "ADDRESS", requires = "mail")]
    pub mail_from: Option<String>,
    /// What the relay calls the console, if it asks.
    #[arg(long, value_name = "NAME", requires = "mail", requires = "mail_password_file")]
    pub mail_user: Option<String>,
    /// Holds what the relay is shown.
    #[arg(long, value_name = "FILE", requires = "mail_user")]
    pub mail_password_file: Option<PathBuf>,
    /// The root of the relay's certificate (PEM), if it is a company's own and no public one.
    #[arg(long, value_name = "FILE", requires = "mail")]
    pub mail_root: Option<PathBuf>,
    /// After how many hours people are reminded.
    #[arg(long, value_name = "HOURS", default_value = "24", value_parser = clap::value_parser!(u16).range(1..=720))]
    pub remind: u16,
    /// Print a one-time link by which this person makes a passkey. At the first start it is for the first of those who sign the rules.
    #[arg(long, value_name = "PERSON")]
    pub invite: Option<String>,
    /// How many requests a minute the API answers each principal.
    #[arg(long, value_name = "N", default_value_t = sluice_api::rest::pace::PER_MINUTE, value_parser = clap::value_parser!(u32).range(1..))]
    pub per_minute: u32,
}

/// `sluice token`
#[derive(Subcommand)]
pub enum ApiToken {
    /// Give one out. It is shown once.
    Add(AddApiToken),
    /// Which there are.
    List(List),
    /// Take one back.
    Revoke(RevokeToken),
}

/// `sluice token add`
#[derive(Args)]
pub struct AddApiToken {
    /// The program that it is for.
    pub name: String,
    /// In whose name it calls: a person, service or model of the register.
    #[arg(long = "for", value_name = "PRINCIPAL")]
    pub principal: String,
    /// What it is good for: `read`, `propose`, `run`, `approve`, `stop`, `go-on`, `evaluate`; may be said more than once.
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    pub scopes: Vec<String>,
    /// For how many days.
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=3650))]
    pub days: u64,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
