//! `sluice gateway http`: the face for engines that speak HTTP.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::sync::Arc;

use sluice_connectors::egress::EgressClient;
use sluice_connectors::secret::{SecretStore, WorkspaceKey};
use sluice_gateway::http::{Face, ServeError, serve};
use sluice_identity::{AccessTokens, Issuer};
use sluice_runtime::connect::Connectors;
use sluice_runtime::home::Home;
use sluice_runtime::tokens::GATEWAY;
use sluice_runtime::workspace::{OpenError, SECRETS_FILE};
use tokio::net::TcpListener;

use super::rules::Rules;
use super::until::asked_to_end;
use crate::cli::HttpFace;
use crate::commands::token::tokens;
use crate::failure::{Exit, Failure};
use crate::place::Opened;
use crate::render::{Page, Part, Tone};

/// Answers until it is stopped.
///
/// # Errors
/// [`Failure`] if it cannot listen, or the ledger takes no more entries.
pub(super) fn run(arguments: &HttpFace) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal(&error))?;
    runtime.block_on(async {
        let mut stop = pin!(asked_to_end());
        let mut listener = None;
        loop {
            let folder = arguments.place.folder()?;
            let rules = Rules::of(folder.clone(), Home::of(&folder).map_err(OpenError::from)?);
            let opened = arguments.place.open_with_ledger()?;
            match serve_under(&opened, arguments, &mut listener, (stop.as_mut(), rules)).await? {
                Over::Stopped => return Ok(Exit::Fine),
                Over::Changed => eprintln!("sluice gateway: the rules are others now; every session begins anew"),
            }
        }
    })
}

/// Why it serves no longer.
#[derive(Clone, Copy)]
enum Over {
    Stopped,
    Changed,
}

/// Answers under the rules that were opened, until it is stopped or others count. It listens once: who asks in between waits.
async fn serve_under(
    opened: &Opened,
    arguments: &HttpFace,
    listener: &mut Option<TcpListener>,
    (stop, rules): (Pin<&mut impl Future<Output = ()>>, Rules),
) -> Result<Over, Failure> {
    let workspace = &opened.workspace;
    let key = WorkspaceKey::read(&workspace.home().workspace_key(), workspace.folder())?;
    let secrets = Arc::new(SecretStore::new(workspace.folder().join(SECRETS_FILE), key));
    let connectors = Connectors::of(&workspace.governance().contracts, workspace.folder(), &secrets)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let (known, tokens) = tokens(&GATEWAY, workspace)?;
    let access = access(arguments)?;
    if known.iter().next().is_none() && access.is_none() {
        return Err(Failure::usage(
            "nobody has a token yet: `sluice gateway token add NAME` gives one out; or name an --issuer",
        ));
    }
    let face = Face {
        workspace,
        ledger: &opened.ledger,
        connectors: &connectors,
        tokens,
        secrets: &secrets,
        hosts: arguments.hosts.clone(),
        console: arguments.console.clone(),
        access,
    };
    if let Some(access) = &face.access {
        // An operator learns now that it cannot be reached; later it may be back.
        if let Err(error) = access.issuer().ready().await {
            eprintln!("sluice gateway: {error}");
        }
    }
    let listener = match listener {
        Some(listener) => listener,
        none => none.insert(listen(arguments).await?),
    };
    let why = Cell::new(Over::Stopped);
    let over = async {
        tokio::select! {
            () = stop => {}
            () = rules.changed() => why.set(Over::Changed),
        }
    };
    serve(face, listener, over).await.map_err(|error| match &error {
        ServeError::Io(_) => Failure::usage(error.to_string()),
        ServeError::Session(_) => Failure::internal(&error),
    })?;
    Ok(why.get())
}

async fn listen(arguments: &HttpFace) -> Result<TcpListener, Failure> {
    let listened = async {
        let listener = TcpListener::bind(arguments.listen).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    let (listener, address) = listened.await.map_err(|error| Failure::usage(ServeError::Io(error).to_string()))?;
    tell(&address.to_string());
    Ok(listener)
}

/// The tokens of an identity provider, if one is named.
fn access(arguments: &HttpFace) -> Result<Option<AccessTokens>, Failure> {
    let (Some(issuer), Some(resource)) = (&arguments.issuer, &arguments.resource) else { return Ok(None) };
    let issuer = Issuer::new(issuer, EgressClient::default()).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Some(AccessTokens::new(issuer, resource.clone())))
}

fn tell(address: &str) {
    let mut page = Page::of_stdout();
    page.line([Part::new("listening on ", Tone::Good), Part::new(format!("http://{address}"), Tone::Accent)]);
    page.line([Part::new("callers ask for /<connector>/<path>, with `Authorization: Bearer slt_…`", Tone::Faint)]);
    page.line([Part::new(
        "agents speak the Model Context Protocol at /<connector>/mcp, or at /mcp with all of them",
        Tone::Faint,
    )]);
    page.print();
}
