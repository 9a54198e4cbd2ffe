//! A Sluice that is served elsewhere, as commands with `--server` reach it: its API, with a token of whoever types.
//!
//! What it answers is shown as what a workspace's own folder holds is shown. The way there is the one that connectors take: TLS is
//! checked against the public roots, a token goes in clear to this machine only, redirects are reported and not followed, proxies of
//! the environment do not exist. No message holds the token.

pub mod approvals;
mod codes;
pub mod ledger;
pub mod propose;
pub mod runs;
pub mod stops;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use sluice_connectors::egress::{
    Body, Credential, EgressClient, EgressError, EgressReply, EgressRequest, EgressRule, Method,
};
use sluice_connectors::http::Base;
use sluice_connectors::path::PathTemplate;
use sluice_connectors::secret::Secret;
use sluice_runtime::tokens::API;
use zeroize::Zeroizing;

use crate::cli::Server;
use crate::commands::run::block_on;
use crate::failure::{Exit, Failure};
use crate::place::read;

pub use codes::CODES;

/// The variable of the environment that holds a token.
pub const TOKEN_VARIABLE: &str = "SLUICE_TOKEN";
/// The largest answer: a page of definitions.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// How long it may take: a start waits ten seconds until its run is in the ledger.
const WITHIN: Duration = Duration::from_secs(30);
/// Pages of a list that are asked for, each of two hundred things.
const PAGES_MAX: usize = 25;
/// The longest token, with a line's end.
const TOKEN_BYTES_MAX: usize = 512;

/// A served Sluice.
pub struct Served {
    at: Base,
    address: String,
    token: Zeroizing<String>,
    http: EgressClient,
}

/// A page of a list.
#[derive(Deserialize)]
struct Listed<T> {
    items: Vec<T>,
    next: Option<String>,
}

/// Problem details, as the API writes them.
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
}

impl Server {
    /// The served Sluice that was named, if one was.
    ///
    /// # Errors
    /// [`Failure`] if the address is none, or there is no token.
    pub fn served(&self) -> Result<Option<Served>, Failure> {
        let Some(address) = &self.server else { return Ok(None) };
        let address = address.trim_end_matches('/').to_owned();
        let at = Base::parse(&address)
            .map_err(|error| Failure::usage(format!("`{address}` is no address of a served Sluice: {error}")))?;
        Ok(Some(Served { at, address, token: self.token()?, http: EgressClient::default() }))
    }

    fn token(&self) -> Result<Zeroizing<String>, Failure> {
        let text = match &self.token_file {
            Some(file) => {
                let bytes = Zeroizing::new(read(file, "token file")?);
                Zeroizing::new(String::from_utf8_lossy(&bytes).trim().to_owned())
            }
            None => Zeroizing::new(std::env::var(TOKEN_VARIABLE).unwrap_or_default().trim().to_owned()),
        };
        let is_one =
            text.starts_with(API.prefix) && text.len() <= TOKEN_BYTES_MAX && text.bytes().all(|b| b.is_ascii_graphic());
        if is_one {
            return Ok(text);
        }
        let what = if text.is_empty() { "there is no token" } else { "what was given as a token is none of the API" };
        Err(Failure::usage(format!(
            "SL799: {what}; `sluice token add` gives one out, and `{TOKEN_VARIABLE}` or `--token-file` holds it"
        )))
    }
}

/// Something to be asked.
struct Asked<'a> {
    method: Method,
    /// Below `/api/v1`, with `{id}` where the one part stands that differs.
    path: &'a str,
    id: Option<&'a str>,
    query: Vec<(String, String)>,
    body: Option<Json>,
}

impl Served {
    /// Where people look at something.
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// Asks for one thing. `path` is below `/api/v1`, `{id}` in it is what differs.
    ///
    /// # Errors
    /// [`Failure`] if it is not to be had.
    pub fn get<T: DeserializeOwned>(&self, path: &str, id: Option<&str>) -> Result<T, Failure> {
        self.fitting(&self.ask(Asked { method: Method::Get, path, id, query: Vec::new(), body: None })?)
    }

    /// The same as text.
    ///
    /// # Errors
    /// [`Failure`] if it is not to be had.
    pub fn get_text(&self, path: &str, id: Option<&str>) -> Result<String, Failure> {
        let reply = self.ask(Asked { method: Method::Get, path, id, query: Vec::new(), body: None })?;
        String::from_utf8(reply.body.to_vec()).map_err(|_| self.foreign())
    }

    /// The things of a list, from the first on, at most `count` of them.
    ///
    /// # Errors
    /// [`Failure`] if they are not to be had.
    pub fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        id: Option<&str>,
        query: &[(&str, String)],
        count: usize,
    ) -> Result<Vec<T>, Failure> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        for _ in 0..PAGES_MAX {
            let limit = count.saturating_sub(all.len()).clamp(1, 200).to_string();
            let more = [("limit", limit)].into_iter().chain(cursor.map(|cursor| ("cursor", cursor)));
            let query = query.iter().cloned().chain(more).map(|(name, value)| (name.to_owned(), value)).collect();
            let page: Listed<T> =
                self.fitting(&self.ask(Asked { method: Method::Get, path, id, query, body: None })?)?;
            all.extend(page.items);
            cursor = page.next;
            if cursor.is_none() || all.len() >= count {
                break;
            }
        }
        all.truncate(count);
        Ok(all)
    }

    /// Has something done.
    ///
    /// # Errors
    /// [`Failure`] if it was not, or it is not known whether it was.
    pub fn post<T: DeserializeOwned>(&self, path: &str, id: Option<&str>, body: Json) -> Result<T, Failure> {
        self.fitting(&self.ask(Asked { method: Method::Post, path, id, query: Vec::new(), body: Some(body) })?)
    }

    fn ask(&self, asked: Asked<'_>) -> Result<EgressReply, Failure> {
        let Asked { method, path, id, query, body } = asked;
        let below =
            PathTemplate::parse(&format!("/api/v1{path}")).map_err(|_| Failure::broken("a path of ours is none"))?;
        let template = below.under(&self.at.path);
        let filled = id.map(|id| ("id".to_owned(), id.to_owned())).into_iter().collect::<BTreeMap<_, _>>();
        let named = id.unwrap_or_default();
        let path =
            template.fill(&filled).map_err(|_| Failure::usage(format!("`{named}` names nothing that is served")))?;
        let rule = EgressRule {
            scheme: self.at.scheme,
            host: self.at.host.clone(),
            port: self.at.port,
            method,
            path: template,
            // Whoever typed the address named this very host.
            allow_private: true,
            pin: None,
            reply_bytes_max: ANSWER_BYTES_MAX,
            timeout: WITHIN,
        };
        let request = EgressRequest {
            scheme: self.at.scheme,
            host: self.at.host.clone(),
            port: self.at.port,
            method,
            path,
            query,
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body: body.map(|body| Body { content_type: "application/json", bytes: body.to_string().into_bytes() }),
            credentials: vec![Credential::Bearer(Secret::new(self.token.as_bytes().to_vec()))],
            idempotency: None,
            run: "cli".to_owned(),
        };
        let reply = block_on(self.http.send(request, &rule))?.map_err(|error| self.unreached(&error))?;
        if (200..300).contains(&reply.status) { Ok(reply) } else { Err(self.refused(&reply)) }
    }

    fn unreached(&self, error: &EgressError) -> Failure {
        let address = &self.address;
        match error {
            EgressError::Redirect { .. } | EgressError::Encoded { .. } => self.foreign_because(&error.to_string()),
            EgressError::SecretInClear { .. } => Failure::usage(format!(
                "{}: `{address}` is not on this machine, and a token is shown to others over https only",
                error.code()
            )),
            EgressError::SecretEchoed { .. } => Failure::broken(format!(
                "{}: `{address}` sent the token back; it is no Sluice. Revoke the token: `sluice token revoke`",
                error.code()
            )),
            error if error.nothing_left() => Failure::broken(format!(
                "SL796: no Sluice is reached at `{address}`: {error}. Look whether `sluice serve` runs there, and under this address"
            )),
            error => Failure::broken(format!(
                "SL796: `{address}` did not answer: {error}. What was asked for may have been done; look before asking again"
            )),
        }
    }

    /// What is not 2xx: a problem of the API, or no Sluice.
    fn refused(&self, reply: &EgressReply) -> Failure {
        let Ok(problem) = serde_json::from_slice::<Problem>(&reply.body) else {
            // The guard before the API tells in words that begin with a code.
            let words =
                std::str::from_utf8(&reply.body).ok().filter(|text| text.starts_with("SL46") && text.len() < 500);
            return match words {
                Some(words) => Failure::usage(words),
                None => self.foreign_because(&format!("it answered {}", reply.status)),
            };
        };
        let is_code = problem.code.len() == 5 && problem.code.starts_with("SL");
        if !is_code {
            return self.foreign_because(&format!("it answered {}", reply.status));
        }
        let words = format!("{}: {}", problem.code, problem.detail);
        match reply.status {
            // It was called by another name than its own.
            403 if problem.code == "SL460" => Failure::usage(words),
            400 | 401 | 404 | 405 | 413 | 415 | 422 if problem.code != "SL482" => Failure::usage(words),
            403 | 409 | 422 => Failure::refused(words),
            _ => Failure::broken(words),
        }
    }

    fn fitting<T: DeserializeOwned>(&self, reply: &EgressReply) -> Result<T, Failure> {
        if serde_json::from_slice::<Json>(&reply.body).is_err() {
            return Err(self.foreign());
        }
        serde_json::from_slice(&reply.body).map_err(|error| {
            Failure::broken(format!(
                "SL798: what `{}` answers is not what this version of Sluice understands ({error}); it may be of another version, or none",
                self.address
            ))
        })
    }

    fn foreign(&self) -> Failure {
        self.foreign_because("its answer is no JSON")
    }

    fn foreign_because(&self, why: &str) -> Failure {
        Failure::usage(format!("SL797: `{}` is no served Sluice: {why}", self.address))
    }
}

/// The exit code where something waits for a person at their browser.
const WAITS: Exit = Exit::Held;
