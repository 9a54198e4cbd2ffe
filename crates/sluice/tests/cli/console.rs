//! `sluice serve`: people come in, see what waits, and decide it with passkeys; and everything that must not work does not.

mod by_api;
mod deciding;
mod lists;
mod provider;
mod starting;
mod surety;
mod visitor;

use reqwest::Method;
use serde_json::Value as Json;

use crate::sandbox::Sandbox;
use visitor::{Console, Got, Person, got};

/// Ana owns what is there, ben asks; dora is in the register and has nothing to do with it.
fn three_people() -> Sandbox {
    let sandbox = Sandbox::with_two_people();
    sandbox.edit("ws/registers/principals.yaml", |text| {
        text.replace("\npersons:\n", "\npersons:\n  dora: { name: \"Dora\" }\n") + "models: { gpt: {} }\n"
    });
    sandbox
}

/// A run that waits, and what it waits for.
fn held_for(sandbox: &Sandbox, person: &str) -> (String, String) {
    let held = sandbox.sluice(&["run", "workflows/hello.yaml", "--as", person, "--format", "json"]).with(4).json();
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    (text(&held["run"]), text(&held["held"][0]["approval"]))
}

fn status_of(sandbox: &Sandbox, run: &str) -> String {
    let rows = sandbox.sluice(&["runs", "list", "--format", "json"]).with(0).json();
    let row = rows.as_array().unwrap().iter().find(|row| row["run"] == run).unwrap().clone();
    row["status"].as_str().unwrap().to_owned()
}

/// The engine goes on by itself; not at once.
fn becomes(sandbox: &Sandbox, run: &str, status: &str) {
    for _ in 0..100 {
        if status_of(sandbox, run) == status {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{run} is {}, not {status}", status_of(sandbox, run));
}

async fn ana(console: &Console) -> Person<'_> {
    console.enrol(console.link.as_ref().unwrap(), 7).await
}

async fn invited<'c>(console: &'c Console, by: &Person<'_>, person: &str, seed: u8) -> Person<'c> {
    let page = by.invite(person).await;
    assert_eq!(page.status, 200, "{page:?}");
    let link = page.text.split("/enrol/").nth(1).unwrap().split(['<', '\n']).next().unwrap().to_owned();
    console.enrol(&format!("{}/enrol/{link}", console.origin), seed).await
}

#[track_caller]
fn refused(got: &Got, status: u16, code: &str) {
    assert!(got.status == status && got.text.contains(code), "{} {code}: {got:?}", got.status);
}

#[tokio::test]
async fn a_word_given_with_a_passkey_lets_the_run_go_on_and_proves_who_gave_it() {
    let sandbox = three_people();
    let (run, approval) = held_for(&sandbox, "ben");
    let (denied, asked_too) = held_for(&sandbox, "dora");
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let inbox = ana.get("/").await;
    assert!(inbox.text.contains(&approval) && inbox.text.contains(&asked_too), "{}", inbox.text);
    let (approve, _) = ana.open(&approval).await.unwrap();
    assert_eq!(ana.say(&approval, &approve).await.status, 303);
    becomes(&sandbox, &run, "completed");
    let (_, deny) = ana.open(&asked_too).await.unwrap();
    assert_eq!(ana.say(&asked_too, &deny).await.status, 303);
    becomes(&sandbox, &denied, "refused");
    assert_eq!(sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json()["agrees"], true);
    let log = sandbox.sluice(&["audit", "log", "--format", "json"]).with(0).json();
    let entries = log["entries"].as_array().unwrap();
    let kinds: Vec<&str> = entries.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert!(
        kinds.contains(&"passkey-enrolled") && kinds.contains(&"approved") && kinds.contains(&"denied"),
        "{kinds:?}"
    );
    let said = entries.iter().find(|line| line["kind"] == "approved").unwrap();
    assert!(said["payload"]["read_ms"].is_u64(), "how long the page was open is recorded: {said}");
    shown_to_a_stranger(&sandbox, &approval);
}

/// One file has the word, the passkey's answer and its enrolment, and without the enrolment it shows nothing.
fn shown_to_a_stranger(sandbox: &Sandbox, approval: &str) {
    let mut proof = sandbox.sluice(&["audit", "prove", "--approval", approval]).with(0).json();
    let verify = |proof: &Json, code: i32| {
        let file = sandbox.write("ws/approval.json", proof.to_string());
        sandbox.sluice(&["audit", "verify", "--proof", &file, "--format", "json"]).with(code).json()
    };
    let shown = verify(&proof, 0);
    let word = &shown["words"][0];
    assert_eq!((&word["approver"], &word["said"]), (&"ana".into(), &"approved".into()), "{shown}");
    assert!(word["shown_by"]["passkey"]["enrolled"].is_u64(), "{shown}");
    proof["entries"].as_array_mut().unwrap().remove(0);
    let why = verify(&proof, 1)["why"].to_string();
    assert!(why.contains("SL693") && why.contains("no passkey of `ana` was enrolled before it"), "{why}");
}

#[tokio::test]
async fn in_a_real_workspace_a_passkey_counts_and_a_key_file_does_not() {
    let sandbox = three_people();
    sandbox.edit("ws/workspace.yaml", |text| text.replace("\nmode: test", "\nmode: production"));
    sandbox.sign("ana").with(0);
    let (run, approval) = held_for(&sandbox, "ben");
    let by_file = sandbox.sluice(&["approvals", "approve", &approval, "--as", "ana", "--key", &sandbox.key()]).with(5);
    assert!(by_file.err.contains("SL409"), "{}", by_file.err);
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let (approve, _) = ana.open(&approval).await.unwrap();
    assert_eq!(ana.say(&approval, &approve).await.status, 303);
    becomes(&sandbox, &run, "completed");
}

#[tokio::test]
async fn answers_that_were_given_to_something_else_do_not_count() {
    let sandbox = three_people();
    let (run, approval) = held_for(&sandbox, "ben");
    let (_, other) = held_for(&sandbox, "dora");
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let again = async || ana.open(&approval).await.unwrap().0;
    let (of_other, _) = ana.open(&other).await.unwrap();

    // Another challenge, nobody verified, the answer of another page, another's draft, a word that was given already.
    let page = again().await;
    refused(&ana.say_with(&approval, &page, &ana.device.answer(b"another challenge")).await, 403, "SL415");
    refused(&ana.say(&approval, &page).await, 403, "SL463");
    let page = again().await;
    refused(&ana.say_with(&approval, &page, &ana.device.answer_unverified(&page.challenge)).await, 403, "SL415");
    let page = again().await;
    refused(&ana.say_with(&approval, &page, &ana.device.answer(&of_other.challenge)).await, 403, "SL415");
    refused(&ana.say(&approval, &of_other).await, 403, "SL463");
    let (_, deny) = ana.open(&other).await.unwrap();
    let page = again().await;
    let mixed = visitor::Asked { draft: deny.draft, ..page };
    refused(&ana.say(&approval, &mixed).await, 403, "SL463");
    assert_eq!(status_of(&sandbox, &run), "held");

    // Without the script there is no answer.
    let page = again().await;
    let bare = [("form", page.form.clone()), ("draft", page.draft.clone())];
    refused(&ana.post(&format!("/approvals/{approval}/say"), &bare).await, 400, "passkey");
    let with_file = [("form", page.form), ("draft", again().await.draft), ("with", "demo-key".to_owned())];
    refused(&ana.post(&format!("/approvals/{approval}/say"), &with_file).await, 400, "no key file");
    assert_eq!(status_of(&sandbox, &run), "held");
}

#[tokio::test]
async fn who_asked_or_is_not_asked_decides_nothing_and_who_is_not_concerned_sees_nothing() {
    let sandbox = three_people();
    let (run, approval) = held_for(&sandbox, "ben");
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let (ben, dora) = (invited(&console, &ana, "ben", 8).await, invited(&console, &ana, "dora", 9).await);

    // Ben asked: he sees it, and has nothing to sign. With Ana's draft it is no form of his.
    assert!(ben.open(&approval).await.is_none());
    assert_eq!(ben.get(&format!("/runs/{run}")).await.status, 200);
    let (approve, _) = ana.open(&approval).await.unwrap();
    refused(&ben.say(&approval, &approve).await, 403, "SL462");
    let own = visitor::value(&ben.get("/people").await.text, "form");
    refused(&ben.say(&approval, &visitor::Asked { form: own, ..approve }).await, 403, "SL463");

    // Dora is concerned by nothing of it.
    for path in ["/approvals", "/runs"].map(|room| format!("{room}/{}", if room == "/runs" { &run } else { &approval }))
    {
        refused(&dora.get(&path).await, 404, "nothing that you may see");
    }
    refused(&dora.get("/approvals/A-0000000000").await, 404, "nothing that you may see");
    for path in ["/ledger", "/ledger/1", "/ledger/1/proof"] {
        refused(&dora.get(path).await, 403, "SL467");
    }
    assert!(!dora.get("/").await.text.contains(&approval) && !dora.get("/runs").await.text.contains(&run[..8]));
    refused(&dora.invite("dora").await, 404, "nothing that you may see");
    let theirs = [("form", visitor::value(&dora.get("/people").await.text, "form")), ("passkey", ana.passkey())];
    refused(&dora.post("/people/remove", &theirs).await, 404, "nothing that you may see");
    let reveal = [("form", visitor::value(&dora.get("/people").await.text, "form"))];
    refused(&dora.post(&format!("/approvals/{approval}/reveal"), &reveal).await, 404, "nothing that you may see");
    assert_eq!(status_of(&sandbox, &run), "held");
}

#[tokio::test]
async fn one_person_is_no_quorum_and_whoever_left_the_group_is_not_heard() {
    let sandbox = Sandbox::signed_by_two();
    sandbox.edit("ws/workspace.yaml", |text| text.replace("approvers: owners", "approvers: owners, quorum: 2"));
    for person in ["ana", "ben"] {
        sandbox.sign(person).with(0);
    }
    sandbox.edit("ws/registers/principals.yaml", |text| {
        text.replace("\npersons:\n", "\npersons:\n  dora: { name: \"Dora\" }\n")
    });
    let proposed = sandbox.sluice(&["propose", "workflows/hello.yaml", "--as", "dora", "--format", "json"]).with(0);
    let id = proposed.json()["proposal"].as_str().unwrap().to_owned();
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let ben = invited(&console, &ana, "ben", 8).await;
    let (first, _) = ana.open(&id).await.unwrap();
    assert_eq!(ana.say(&id, &first).await.status, 303);
    // She takes it back, and says it again.
    let (back, none) = ana.open_any(&id).await;
    assert!(none.is_none(), "she has spoken, and can only take it back");
    assert_eq!(ana.say(&id, &back).await.status, 303);
    let (again, _) = ana.open(&id).await.unwrap();
    assert_eq!(ana.say(&id, &again).await.status, 303);
    let satisfied =
        || sandbox.sluice(&["approvals", "show", &id, "--format", "json"]).with(0).json()["satisfied"].clone();
    assert_eq!(satisfied(), false);

    // Ben opens the page, leaves the group, and answers.
    let (approve, _) = ben.open(&id).await.unwrap();
    sandbox.edit("ws/registers/principals.yaml", |text| text.replace("members: [ana, ben]", "members: [ana]"));
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    refused(&ben.say(&id, &approve).await, 403, "SL4");
    sandbox.edit("ws/registers/principals.yaml", |text| text.replace("members: [ana]", "members: [ana, ben]"));
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let (approve, _) = ben.open(&id).await.unwrap();
    assert_eq!(ben.say(&id, &approve).await.status, 303);
    assert_eq!(satisfied(), true);
    let nothing = sandbox.sluice(&["approvals", "withdraw", &id, "--as", "dora", "--key", &sandbox.key()]).with(5);
    assert!(nothing.err.contains("SL413"), "{}", nothing.err);
    sandbox.sluice(&["approvals", "withdraw", &id, "--as", "ana", "--key", &sandbox.key()]).with(0);
    assert_eq!(satisfied(), false);
}

#[tokio::test]
async fn rules_that_change_while_it_is_held_make_the_word_void() {
    let sandbox = three_people();
    let (run, approval) = held_for(&sandbox, "ben");
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let (approve, _) = ana.open(&approval).await.unwrap();
    sandbox.edit("ws/workspace.yaml", |text| text + "# another rule\n");
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    // What nobody signed decides nothing.
    refused(&ana.get("/").await, 503, "SL42");
    sandbox.sign("ana").with(0);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let _ = ana.say(&approval, &approve).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(status_of(&sandbox, &run), "held");
}

#[tokio::test]
async fn what_was_not_made_at_the_console_is_not_taken() {
    let sandbox = three_people();
    let (run, approval) = held_for(&sandbox, "ben");
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let (approve, _) = ana.open(&approval).await.unwrap();
    let path = format!("/approvals/{approval}/say");
    let form = [("form", approve.form.clone()), ("draft", approve.draft.clone())];
    let sent = |origin: Option<&str>| {
        let request = console.ask(Method::POST, &path).header("cookie", &ana.cookie).form(&form);
        got(match origin {
            Some(origin) => request.header("origin", origin),
            None => request,
        })
    };
    for origin in
        [None, Some("null"), Some("https://evil.example"), Some("http://localhost"), Some("http://localhost:1")]
    {
        refused(&sent(origin).await, 403, "SL461");
    }
    let foreign = [("form", "0".repeat(64)), ("draft", approve.draft.clone())];
    refused(&ana.post(&path, &foreign).await, 403, "SL462");
    for host in ["127.0.0.1", "evil.example", "localhost"] {
        refused(&got(console.ask(Method::GET, "/login").header("host", host)).await, 403, "SL460");
    }

    // Nobody is who a header says, and a cookie is one that was given out, once.
    let login = |request: reqwest::RequestBuilder| async {
        let answer = got(request).await;
        assert_eq!((answer.status, answer.to.as_str()), (303, "/login"), "{answer:?}");
    };
    let (name, value) = ana.cookie.split_once('=').unwrap();
    login(console.ask(Method::GET, "/")).await;
    for header in ["x-forwarded-user", "x-remote-user", "remote-user", "x-auth-request-user", "authorization"] {
        login(console.ask(Method::GET, "/").header(header, "ana")).await;
    }
    let turned: String = value.chars().rev().collect();
    for cookie in [
        format!("{name}="),
        format!("{name}={turned}"),
        format!("{name}={}", "0".repeat(64)),
        format!("other={value}"),
        format!("{name}={value}; {name}={value}"),
        format!("{name}={turned}; {name}={value}"),
    ] {
        login(console.ask(Method::GET, "/").header("cookie", cookie)).await;
    }

    // Who logs in has another session than anybody could have given them; who logs out has none.
    let form = visitor::value(&ana.get("/people").await.text, "form");
    let out = ana.post("/logout", &[("form", form)]).await;
    assert_eq!((out.status, out.to.as_str()), (303, "/login"));
    login(console.ask(Method::GET, "/").header("cookie", &ana.cookie)).await;
    let page = console.ask(Method::GET, "/login").send().await.unwrap().text().await.unwrap();
    let challenge = visitor::attribute(&page, "data-challenge");
    let answer = ana.device.answer(&visitor::decoded(&challenge));
    let login_form = [
        ("ask", visitor::value(&page, "ask")),
        ("passkey", ana.passkey()),
        ("client", visitor::encoded(&answer.client_data)),
        ("authenticator", visitor::encoded(&answer.authenticator_data)),
        ("signature", visitor::encoded(&answer.signature)),
    ];
    let send = || {
        let request = console.ask(Method::POST, "/login/passkey").header("origin", &console.origin);
        request.header("cookie", format!("{name}={}", "1".repeat(64))).form(&login_form).send()
    };
    let logged_in = send().await.unwrap();
    assert_eq!(logged_in.status(), 303);
    let given = logged_in.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(!given.contains(&"1".repeat(64)) && !given.contains(value), "{given}");
    assert!(given.contains("HttpOnly") && given.contains("SameSite=Lax"), "{given}");
    let twice = send().await.unwrap();
    assert_eq!(twice.status(), 403, "a challenge is answered once");
    assert_eq!(status_of(&sandbox, &run), "held");
}

#[tokio::test]
async fn anybody_stops_a_connector_and_not_everybody_lets_it_go_on() {
    let sandbox = three_people();
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let dora = invited(&console, &ana, "dora", 9).await;
    let turn = async |who: &Person<'_>, what: &str, is: &str| {
        let form = visitor::value(&who.get("/people").await.text, "form");
        let said = [("form", form), ("what", what.to_owned()), ("is", is.to_owned()), ("reason", "odd".to_owned())];
        who.post("/connectors/switch", &said).await
    };
    assert_eq!(turn(&dora, "greetings", "off").await.status, 303);
    let stopped = sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ben", "--format", "json"]).with(5).json();
    assert_eq!(stopped["refusal"]["code"], "SL518", "{stopped}");
    refused(&turn(&dora, "greetings", "on").await, 404, "nothing that you may see");
    refused(&turn(&dora, "nothing-of-that-name", "off").await, 404, "nothing that you may see");
    assert!(ana.get("/connectors").await.text.contains("stopped"));
    assert_eq!(turn(&ana, "greetings", "on").await.status, 303);
    sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ben", "--format", "json"]).with(4);
}

/// Where messages go, and what comes there: each with its head.
fn hook() -> (String, std::sync::mpsc::Receiver<(String, String)>) {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/hook", listener.local_addr().unwrap().port());
    let (told, messages) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (mut from, mut head, mut length) = (BufReader::new(stream), String::new(), 0);
            loop {
                let mut line = String::new();
                from.read_line(&mut line).unwrap();
                if let Some((_, value)) = line.to_lowercase().split_once("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            from.read_exact(&mut body).unwrap();
            from.get_mut().write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
            told.send((head, String::from_utf8(body).unwrap())).unwrap();
        }
    });
    (url, messages)
}

#[test]
fn people_are_told_once_what_waits_and_not_why() {
    let sandbox = three_people();
    let (_, before) = held_for(&sandbox, "ben");
    let (url, messages) = hook();
    sandbox.write("secret", "what-the-hook-asks-for\n");
    let secret = sandbox.path("secret").display().to_string();
    let options = ["serve", "--listen", "127.0.0.1:0", "--notify", &url, "--notify-secret-file", &secret];
    let mut serving = sandbox.start(&options);
    // What was asked before it began is not told again.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let (_, approval) = held_for(&sandbox, "dora");
    let (head, body) = messages.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
    assert!(head.starts_with("POST /hook ") && head.contains("Bearer what-the-hook-asks-for"), "{head}");
    let message: Json = serde_json::from_str(&body).unwrap();
    assert_eq!((&message["event"], &message["approval"]), (&"asked".into(), &approval.into()), "{message}");
    assert_eq!(message["asked"], serde_json::json!(["ana"]));
    assert!(!body.contains("Hello") && !body.contains(&before), "{body}");
    assert!(messages.recv_timeout(std::time::Duration::from_secs(3)).is_err(), "once");
    serving.kill().unwrap();
    serving.wait().unwrap();
}

#[test]
fn only_people_are_invited() {
    let sandbox = three_people();
    for (name, why) in [("gpt", "is no person"), ("owners", "is no person"), ("eve", "is not in")] {
        let refused = sandbox.sluice(&["serve", "--listen", "127.0.0.1:0", "--invite", name]).with(2);
        assert!(refused.err.contains(why), "{}", refused.err);
    }
    let odd = sandbox.sluice(&["serve", "--listen", "127.0.0.1:0", "--origin", "http://sluice.example"]).with(2);
    assert!(odd.err.contains("no address of a console"), "{}", odd.err);
}

#[tokio::test]
async fn text_of_outsiders_is_only_text_on_every_page() {
    const EVIL: &str = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\u{202e}gnp\u{200b}";
    let sandbox = three_people();
    sandbox.edit("ws/registers/principals.yaml", |text| {
        text.replace("{ name: \"Ben\" }", &format!("{{ name: \"Ben {}\" }}", EVIL.replace('"', "'")))
    });
    sandbox.edit("ws/workflows/hello.yaml", |text| text.replace("Hello", &format!("Hello {EVIL}")));
    let (run, approval) = held_for(&sandbox, "ben");
    let proposal = {
        let proposed = sandbox.sluice(&["propose", "workflows/hello.yaml", "--as", "ben", "--format", "json"]).with(0);
        proposed.json()["proposal"].as_str().unwrap().to_owned()
    };
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let paths = [
        "/".to_owned(),
        format!("/approvals/{approval}"),
        format!("/runs/{run}"),
        format!("/workflows/{proposal}"),
        "/workflows".to_owned(),
        "/runs".to_owned(),
        "/ledger".to_owned(),
        "/people".to_owned(),
        "/policies".to_owned(),
        "/connectors".to_owned(),
        "/health".to_owned(),
        "/ledger?action=%3Cscript%3Ealert(3)%3C/script%3E&run=%22%3E%3Cimg%20src=x%3E&from=x".to_owned(),
    ];
    let mut seen = 0;
    for path in &paths {
        let page = ana.get(path).await;
        assert_eq!(page.status, 200, "{path}: {page:?}");
        let scripts = page.text.matches("<script").count();
        assert_eq!((scripts, page.text.matches("<img").count()), (1, 1), "{path}");
        assert!(!page.text.contains(['\u{202e}', '\u{200b}', '\u{1b}']), "{path}");
        seen += usize::from(page.text.contains("&lt;script&gt;"));
    }
    assert!(seen >= 5, "the text was shown, as text, on {seen} pages");
}
