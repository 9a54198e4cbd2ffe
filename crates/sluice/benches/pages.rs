//! The console with a long past and many people: a ledger of a million entries, and two hundred approvers at once.
//!
//! `cargo bench -p sluice --bench pages`. A real run and its held step are recorded once and repeated under other ids until
//! the ledger is full; then `sluice serve` of the same build is asked for each page, one at a time, and after that by
//! everybody at once: each has a session of their own, opens a page, reads it for two seconds, and opens the next.
//! What is measured is the whole answer at the client, loopback device and waiting included, so the server took less; and
//! the processor time of the server, which says how many pages there can be in a second whatever else runs on the machine.
//! `SLUICE_BENCH_ENTRIES` and `SLUICE_BENCH_PEOPLE` take other numbers. About 1.5 GB of the temporary folder are used.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, redirect};
use sluice_passkey::RelyingParty;
use sluice_passkey::device::Device;

#[path = "filled/mod.rs"]
mod filled;

type Answer<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ENTRIES: u64 = 1_000_000;
const PEOPLE: usize = 200;
const HELD: usize = 60;
const READS: Duration = Duration::from_secs(2);
const ROUNDS: usize = 20;

fn main() -> Answer<()> {
    if filled::is_asked()? {
        return Ok(());
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let entries = number("SLUICE_BENCH_ENTRIES").unwrap_or(ENTRIES);
    let people = number("SLUICE_BENCH_PEOPLE").and_then(|n| usize::try_from(n).ok()).unwrap_or(PEOPLE);
    let folder = tempfile::tempdir()?;
    let house = House { folder: folder.path().to_path_buf() };
    let (run, approval) = house.make(people)?;
    let started = Instant::now();
    house.fill(entries)?;
    println!("{entries} entries written in {:.0} s", started.elapsed().as_secs_f64());
    tokio::runtime::Runtime::new()?.block_on(async {
        let console = Arc::new(house.serve()?);
        let (ana, people) = everybody(&console, people).await?;
        let pages = pages(&run, &approval);
        let first = people.first().cloned().ok_or("nobody came")?;
        for (whose, person) in [("ana, who signs the rules", &ana), ("an approver", &first)] {
            let head = format!("{whose}: page, one at a time");
            println!("{head:<46} {:>8} {:>9} {:>9} {:>9}", "bytes", "p50 ms", "p95 ms", "cpu ms");
            for page in pages.iter().filter(|page| whose.starts_with("ana") || !page.starts_with("/ledger")) {
                let before = console.spent_ms();
                let (bytes, times) = often(&console, person, page).await?;
                let spent = (console.spent_ms() - before) / ROUNDS as f64;
                println!("{page:<46} {bytes:>8} {:>9.1} {:>9.1} {spent:>9.1}", at(&times, 50), at(&times, 95));
            }
        }
        // The whole ledger is for those who sign the rules.
        let pages: Vec<String> = pages.into_iter().filter(|page| !page.starts_with("/ledger")).collect();
        let before = console.spent_ms();
        let times = at_once(&console, &people, &pages).await?;
        let spent = (console.spent_ms() - before) / times.len().max(1) as f64;
        println!(
            "{} people at once, {} pages: p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms; {spent:.1} ms of processor each",
            people.len(),
            times.len(),
            at(&times, 50),
            at(&times, 95),
            at(&times, 99)
        );
        Ok(())
    })
}

/// What people look at; of the ledger also what is seldom, and what is not there at all.
fn pages(run: &str, approval: &str) -> Vec<String> {
    let fixed = [
        "/",
        "/workflows",
        "/runs",
        "/runs?status=held",
        "/ledger",
        "/ledger?kind=approval-requested",
        "/ledger?decision=forbid",
        "/ledger?action=greetings.append",
        "/ledger?code=SL999",
        "/ledger?person=ben",
        "/ledger?person=nobody",
        "/ledger/500",
        "/policies",
        "/connectors",
        "/people",
        "/health",
    ];
    let mut pages: Vec<String> = fixed.into_iter().map(str::to_owned).collect();
    pages.extend([format!("/runs/{run}"), format!("/approvals/{approval}")]);
    pages
}

async fn often(console: &Console, person: &Person, page: &str) -> Answer<(usize, Vec<Duration>)> {
    let mut times = Vec::new();
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        bytes = console.get(person, page).await?.len();
        times.push(started.elapsed());
    }
    times.sort();
    Ok((bytes, times))
}

async fn at_once(console: &Arc<Console>, people: &[Person], pages: &[String]) -> Answer<Vec<Duration>> {
    let (count, pages) = (people.len().max(1), Arc::new(pages.to_vec()));
    let visits = people.iter().enumerate().map(|(number, person)| {
        let (console, person, pages) = (Arc::clone(console), person.clone(), Arc::clone(&pages));
        tokio::spawn(async move {
            // They do not all come in at the same moment.
            tokio::time::sleep(READS.mul_f64(number as f64 / count as f64)).await;
            let mut times = Vec::new();
            for step in 0..pages.len() {
                let page = pages.get((number + step) % pages.len()).ok_or("no page")?;
                let started = Instant::now();
                console.get(&person, page).await?;
                times.push(started.elapsed());
                tokio::time::sleep(READS).await;
            }
            Answer::Ok(times)
        })
    });
    let visits: Vec<_> = visits.collect();
    let mut all = Vec::new();
    for visit in visits {
        all.extend(visit.await??);
    }
    all.sort();
    Ok(all)
}

fn at(times: &[Duration], percent: usize) -> f64 {
    times.get(times.len() * percent / 100).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

/// The workspace, in a folder of its own.
struct House {
    folder: PathBuf,
}

impl House {
    fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.join("ws")).env("SLUICE_HOME", self.folder.join("home"));
        command
    }

    fn sluice(&self, arguments: &[&str]) -> Answer<String> {
        let output = self.command(Path::new(env!("CARGO_BIN_EXE_sluice")), arguments).output()?;
        let text = String::from_utf8(output.stdout)?;
        // Held is no error.
        if matches!(output.status.code(), Some(0 | 4)) {
            Ok(text)
        } else {
            Err(format!("{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr)).into())
        }
    }

    /// A workspace with these many people who may approve, and some who asked; gives a run that is over and an approval.
    fn make(&self, people: usize) -> Answer<(String, String)> {
        std::fs::create_dir(self.folder.join("ws"))?;
        self.sluice(&["init", ".", "--as", "ana"])?;
        let register = self.folder.join("ws/registers/principals.yaml");
        let text = std::fs::read_to_string(&register)?;
        let mut more = String::from("\npersons:\n  ben: { name: Ben }\n");
        for number in 0..people {
            writeln!(more, "  {}: {{ name: \"Person {number}\" }}", person(number))?;
        }
        let members: Vec<String> = (0..people).map(person).collect();
        let members = format!("members: [ana, {}]", members.join(", "));
        std::fs::write(&register, text.replacen("\npersons:\n", &more, 1).replacen("members: [ana]", &members, 1))?;
        let key = self.folder.join("home/keys/ana.key").display().to_string();
        self.sluice(&["policy", "sign", "--as", "ana", "--key", &key])?;
        self.sluice(&["run", "workflows/hello.yaml", "--as", "ana", "--author", "ana"])?;
        let held = self.sluice(&["run", "workflows/hello.yaml", "--as", "ben", "--format", "json"])?;
        let held: serde_json::Value = serde_json::from_str(&held)?;
        let text = |value: Option<&serde_json::Value>| {
            Ok::<_, String>(value.and_then(|v| v.as_str()).ok_or("no text")?.to_owned())
        };
        for _ in 1..HELD {
            self.sluice(&["run", "workflows/hello.yaml", "--as", "ben"])?;
        }
        Ok((text(held.get("run"))?, text(held.pointer("/held/0/approval"))?))
    }

    /// This program again, as only a new process can be told where the home is.
    fn fill(&self, entries: u64) -> Answer<()> {
        let arguments = filled::arguments(&self.folder.join("ws"), entries, 1);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let filled = self.command(&std::env::current_exe()?, &arguments).status()?;
        if filled.success() { Ok(()) } else { Err("the ledger could not be filled".into()) }
    }

    fn serve(&self) -> Answer<Console> {
        let options = ["serve", "--listen", "127.0.0.1:0", "--invite", "ana"];
        let mut serve = self.command(Path::new(env!("CARGO_BIN_EXE_sluice")), &options);
        let mut child = serve.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no pipe")?).lines();
        let mut next = || Ok::<_, Box<dyn Error + Send + Sync>>(lines.next().ok_or("it ended")??);
        let origin = next()?.strip_prefix("console at ").ok_or("no console")?.to_owned();
        next()?;
        let link = next()?.trim().to_owned();
        let port: u16 = origin.rsplit(':').next().ok_or("no port")?.parse()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let client =
            Client::builder().no_proxy().redirect(redirect::Policy::none()).resolve("localhost", address).build()?;
        Ok(Console { child, origin, link, client })
    }
}

fn person(number: usize) -> String {
    format!("p{number:03}")
}

/// The program while it serves.
struct Console {
    child: Child,
    origin: String,
    link: String,
    client: Client,
}

impl Drop for Console {
    fn drop(&mut self) {
        // Whatever became of it, nobody needs to know any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The cookie of somebody who is logged in.
#[derive(Clone)]
struct Person(String);

impl Console {
    /// The processor time that the server has used so far; nothing where the system does not tell.
    fn spent_ms(&self) -> f64 {
        let Ok(threads) = std::fs::read_dir(format!("/proc/{}/task", self.child.id())) else { return 0.0 };
        let of_thread = |folder: std::fs::DirEntry| -> Option<f64> {
            let told = std::fs::read_to_string(folder.path().join("schedstat")).ok()?;
            told.split(' ').next()?.parse().ok()
        };
        threads.filter_map(|thread| of_thread(thread.ok()?)).sum::<f64>() / 1e6
    }

    async fn get(&self, person: &Person, page: &str) -> Answer<String> {
        let url = format!("{}{page}", self.origin);
        let answer = self.client.get(url).header("cookie", &person.0).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if status.is_success() { Ok(text) } else { Err(format!("{page}: {status}: {text}").into()) }
    }

    async fn enrol(&self, path: &str, number: usize) -> Answer<Person> {
        let party = RelyingParty { id: "localhost".to_owned(), origin: self.origin.clone() };
        let mut seed = [7; 32];
        seed[24..].copy_from_slice(&number.to_be_bytes());
        let device = Device::of_seed(seed, party).ok_or("no device")?;
        let url = format!("{}{path}", self.origin);
        let page = self.client.get(&url).send().await?.text().await?;
        let challenge = URL_SAFE_NO_PAD.decode(between(&page, "data-challenge=\"", "\"")?)?;
        let made = device.register(&challenge).ok_or("no passkey")?;
        let form = [
            ("ask", between(&page, "name=\"ask\" value=\"", "\"")?.to_owned()),
            ("client", URL_SAFE_NO_PAD.encode(&made.client_data)),
            ("attestation", URL_SAFE_NO_PAD.encode(&made.attestation_object)),
        ];
        let answer = self.client.post(&url).header("origin", &self.origin).form(&form).send().await?;
        let cookie = answer.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok()?.split(';').next());
        Ok(Person(cookie.ok_or("no session")?.to_owned()))
    }
}

/// Everybody enrols by a link that ana made for them; she signs the rules, and comes first.
async fn everybody(console: &Console, people: usize) -> Answer<(Person, Vec<Person>)> {
    let path = console.link.strip_prefix(&console.origin).ok_or("no link")?;
    let ana = console.enrol(path, usize::MAX).await?;
    let mut all = Vec::new();
    for number in 0..people {
        let page = console.get(&ana, "/people").await?;
        let form = [("form", between(&page, "name=\"form\" value=\"", "\"")?.to_owned()), ("person", person(number))];
        let request = console.client.post(format!("{}/people/invite", console.origin)).header("cookie", &ana.0);
        let told = request.header("origin", &console.origin).form(&form).send().await?.text().await?;
        let code = between(&told, "/enrol/", "<")?.trim();
        all.push(console.enrol(&format!("/enrol/{code}"), number).await?);
    }
    Ok((ana, all))
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Answer<&'t str> {
    let rest = text.split_once(before).ok_or_else(|| format!("no `{before}` in {text}"))?.1;
    Ok(rest.split_once(after).ok_or_else(|| format!("no `{after}` in {text}"))?.0)
}
