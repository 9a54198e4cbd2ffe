//! `sluice serve`: the console, and the engine that goes on with what people decide in it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use sluice_api::engine::work;
use sluice_api::house::{House, Origin};
use sluice_api::notify::Notices;
use sluice_connectors::egress::EgressClient;
use sluice_connectors::mail::{Login, Relay};
use sluice_connectors::secret::Secret;
use sluice_core::label::Name;
use sluice_identity::Logins;
use sluice_runtime::enrolment::passkeys;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};

use super::gateway::until::asked_to_end;
use crate::cli::Serve;
use crate::failure::{Exit, Failure};
use crate::place::{known, read};
use crate::render::{Page, Part, Tone};

/// Answers until it is stopped.
///
/// # Errors
/// [`Failure`] if it cannot listen, or the workspace cannot be trusted.
pub fn run(arguments: &Serve) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let listener = std::net::TcpListener::bind(arguments.listen)
        .map_err(|error| Failure::usage(format!("cannot listen at {}: {error}", arguments.listen)))?;
    let address = listener.local_addr().map_err(|error| Failure::internal(&error))?;
    let origin = arguments.origin.clone().unwrap_or_else(|| format!("http://localhost:{}", address.port()));
    let origin = Origin::parse(&origin).map_err(Failure::usage)?;
    let notices = notices(arguments)?;
    let (engine, deeds) = mpsc::unbounded_channel();
    let house = House::new(opened.workspace, opened.ledger, &origin, engine)?;
    let mut house = house.with_pace(arguments.per_minute);
    if let Some(provider) = provider(arguments, &origin)? {
        house = house.with_provider(provider);
    }
    let house = Arc::new(house);
    tell(&house, address, arguments.invite.as_deref())?;
    let (stop, stopping) = watch::channel(false);
    let worker = {
        let (house, mut stopping) = (Arc::clone(&house), stopping.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(work(house, deeds, async move {
                // That nobody can say so any more is the end too.
                let _ = stopping.wait_for(|stop| *stop).await;
            }));
            Ok::<_, std::io::Error>(())
        })
    };
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::internal(&error))?;
    for notices in notices {
        runtime.spawn(notices.run(Arc::clone(&house)));
    }
    let served = runtime.block_on(serve(house, listener, asked_to_end()));
    let _ = stop.send(true);
    // Pages that are open wait for news without an end.
    runtime.shutdown_background();
    let worked = worker.join().map_err(|_| Failure::broken("the engine broke; what it did is in the ledger"))?;
    served.and(worked).map(|()| Exit::Fine).map_err(|error| Failure::internal(&error))
}

/// Where people log in, if it was said.
fn provider(arguments: &Serve, origin: &Origin) -> Result<Option<Logins>, Failure> {
    let (Some(issuer), Some(client)) = (&arguments.issuer, &arguments.client_id) else { return Ok(None) };
    let secret = arguments.client_secret_file.as_deref().map(secret_in).transpose()?;
    let back = format!("{}/login/provider/back", origin.text());
    let logins = Logins::new(issuer, client, secret, back, EgressClient::default());
    logins.map(Some).map_err(|error| Failure::usage(error.to_string()))
}

/// Where people are told what waits, as far as it was said.
fn notices(arguments: &Serve) -> Result<Vec<Notices>, Failure> {
    let remind = Duration::from_secs(u64::from(arguments.remind) * 3_600);
    let mut notices = Vec::new();
    if let Some(url) = &arguments.notify {
        let secret = arguments.notify_secret_file.as_deref().map(secret_in).transpose()?;
        notices.push(Notices::to_hook(url, secret, remind).map_err(Failure::usage)?);
    }
    if let (Some(at), Some(from)) = (&arguments.mail, &arguments.mail_from) {
        let password = arguments.mail_password_file.as_deref().map(secret_in).transpose()?;
        let login = arguments.mail_user.clone().zip(password);
        let login = login.map(|(user, password)| Login { user, password: Secret::new(password.into_bytes()) });
        let root = arguments.mail_root.as_deref().map(|file| read(file, "file with a certificate")).transpose()?;
        let relay = Relay::new(at, from, login, root.as_deref()).map_err(|error| Failure::usage(error.to_string()))?;
        notices.push(Notices::by_letter(relay, remind));
    }
    Ok(notices)
}

/// The one line of a file that holds a secret.
fn secret_in(file: &Path) -> Result<String, Failure> {
    let text = String::from_utf8(read(file, "file with a secret")?);
    let text = text.map_err(|_| Failure::usage(format!("`{}` holds no text", file.display())))?;
    Ok(text.trim().to_owned())
}

/// How long a caller may take for the head of its request.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// Most connections at once: pages that are open hold one each.
const CONNECTIONS_MAX: usize = 4_096;
/// Most headers of a request, and about how many bytes its head may have.
const HEADERS_MAX: usize = 100;
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Answers at `listener` until `stop` is done.
pub(crate) async fn serve(
    house: Arc<House>,
    listener: std::net::TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let router = sluice_console::router(house);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut stop = std::pin::pin!(stop);
    loop {
        let place = Arc::clone(&places).acquire_owned().await.map_err(std::io::Error::other)?;
        let stream = tokio::select! {
            () = &mut stop => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = stream else { continue };
        // Small answers would wait for the acknowledgement of the one before; a caller that is gone already needs none.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
            http.max_headers(HEADERS_MAX).max_buf_size(HEAD_BYTES_MAX);
            // A caller that leaves in the middle concerns nobody else.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
            drop(place);
        });
    }
}

fn tell(house: &House, address: SocketAddr, invite: Option<&str>) -> Result<(), Failure> {
    let workspace = house.workspace().map_err(Failure::usage)?;
    let origin = &house.party().origin;
    let mut page = Page::of_stdout();
    page.line([Part::new("console at ", Tone::Good), Part::new(origin, Tone::Accent)]);
    if !origin.ends_with(&format!(":{}", address.port())) {
        page.line([Part::new(format!("listening on {address}; TLS is for whoever stands in front"), Tone::Faint)]);
    }
    let person = match invite {
        Some(person) => {
            let person = known(workspace.principals(), person)?;
            if !workspace.principals().persons.entries.contains_key(&person) {
                return Err(Failure::usage(format!("`{person}` is no person: only people have passkeys")));
            }
            Some(person)
        }
        None if passkeys(house.ledger())?.is_empty() && house.provider().is_none() => first_signer(&workspace),
        None => None,
    };
    if let Some(person) = person {
        let code = house.door.invite(&person)?;
        page.line([Part::new(format!("{person} makes a passkey, once, within an hour, at"), Tone::Plain)]);
        page.line([Part::plain("  "), Part::new(format!("{origin}/enrol/{code}"), Tone::Accent)]);
    }
    page.print();
    Ok(())
}

/// Who makes the first passkey: the first by name of those who sign the rules and are people of the register.
fn first_signer(workspace: &sluice_runtime::workspace::Workspace) -> Option<Name> {
    let persons = &workspace.principals().persons.entries;
    workspace.bundle().signers().iter().find(|signer| persons.contains_key(*signer)).cloned()
}
