//! Commands with `--server`: they say of a served workspace what they say of a folder, never show their token, and tell what is wrong.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::api::{Api, token};
use crate::sandbox::{Ended, Sandbox};

/// Somebody at another machine: an address and a token, and no folder.
struct Afar<'s> {
    sandbox: &'s Sandbox,
    address: String,
    token: String,
}

impl<'s> Afar<'s> {
    fn new(sandbox: &'s Sandbox, address: &str, token: &str) -> Self {
        Self { sandbox, address: address.to_owned(), token: token.to_owned() }
    }

    /// Runs it outside of the workspace, with the token in the environment.
    fn sluice(&self, arguments: &[&str]) -> Ended {
        let arguments = [arguments, &["--server", &self.address]].concat();
        let mut command = self.sandbox.command(&arguments);
        let ended = command.env("SLUICE_TOKEN", &self.token).current_dir(self.sandbox.path("")).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ended = Ended { code: ended.status.code().unwrap(), out: text(ended.stdout), err: text(ended.stderr) };
        assert!(!ended.out.contains(&self.token) && !ended.err.contains(&self.token), "{arguments:?} shows its token");
        ended
    }
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Ana decides, ben asks, cleo has nothing to do with it.
fn people() -> Sandbox {
    let sandbox = Sandbox::with_two_people();
    sandbox.edit("ws/registers/principals.yaml", |text| {
        text.replace("\npersons:\n", "\npersons:\n  cleo: { name: \"Cleo\" }\n")
    });
    sandbox
}

const HELLO: &str = "workflows/hello.yaml";

#[test]
fn what_waits_and_what_ran_is_told_as_at_the_folder() {
    let sandbox = people();
    let held = sandbox.sluice(&["run", HELLO, "--as", "ben", "--format", "json"]).with(4).json();
    let (run, approval) = (text(&held["run"]), text(&held["held"][0]["approval"]));
    let hers = token(&sandbox, "hers", "ana", &["read", "approve", "run", "stop", "go-on"]);
    let api = Api::start(&sandbox, &[]);
    let ana = Afar::new(&sandbox, api.address(), &hers);
    for list in [["approvals", "list"], ["runs", "list"]] {
        let (here, there) = (sandbox.sluice(&list).with(0), ana.sluice(&list).with(0));
        let words = |ended: &Ended| ended.out.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        // How long ago it was differs by a little.
        let is_word = |word: &String| word.len() > 2 && !word.bytes().all(|byte| byte.is_ascii_digit());
        let same = |words: Vec<String>| words.into_iter().filter(is_word).collect::<Vec<_>>();
        assert_eq!(same(words(&here)), same(words(&there)), "{list:?}");
    }
    let keys = |json: &Json| json.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
    let list = ["approvals", "list", "--format", "json"];
    let (here, there) = (sandbox.sluice(&list).with(0).json(), ana.sluice(&list).with(0).json());
    assert_eq!(keys(&here[0]), keys(&there[0]));
    for same in [
        "approval",
        "about",
        "digest",
        "requester",
        "needs",
        "why",
        "said",
        "satisfied",
        "superseded",
        "expired",
        "glass",
    ] {
        assert_eq!(here[0][same], there[0][same], "{same}");
    }
    let shown = ana.sluice(&["approvals", "show", &approval]).with(0).out;
    for words in [&approval[..], "asked by", "ben", "waits", "what would be sent", &format!("/approvals/{approval}")] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let shown = ana.sluice(&["runs", "show", &run[..8]]).with(0).out;
    assert!(shown.contains("held") && shown.contains(&run) && shown.contains(&approval), "{shown}");
    let entries = |ended: Ended| ended.json()["entries"].as_array().unwrap().len();
    let show = ["audit", "show", &run, "--format", "json"];
    assert_eq!(entries(sandbox.sluice(&show).with(0)), entries(ana.sluice(&show).with(0)));
    let found = ana.sluice(&["audit", "log", "--kind", "held", "--format", "json"]).with(0).json();
    let here = sandbox.sluice(&["audit", "log", "--kind", "held", "--format", "json"]).with(0).json();
    assert_eq!(found["entries"][0]["index"], here["entries"][0]["index"]);
    assert_eq!(found["entries"].as_array().unwrap().len(), here["entries"].as_array().unwrap().len());
    let health = ["health", "--format", "json"];
    assert_eq!(keys(&sandbox.sluice(&health).with(0).json()), keys(&ana.sluice(&health).with(0).json()));
    assert!(ana.sluice(&["health"]).with(0).out.contains("waits for people"));
    let proof = ana.sluice(&["audit", "prove", "0"]);
    assert!(
        proof.code == 0 && proof.out.starts_with("c2sp.org/tlog-proof") || proof.err.contains("SL690"),
        "{proof:?}"
    );
}

#[test]
fn a_word_needs_a_passkey_and_a_key_file_signs_only_what_was_shown() {
    let sandbox = people();
    let held = sandbox.sluice(&["run", HELLO, "--as", "ben", "--format", "json"]).with(4).json();
    let (run, approval) = (text(&held["run"]), text(&held["held"][0]["approval"]));
    let (hers, his) =
        (token(&sandbox, "hers", "ana", &["read", "approve"]), token(&sandbox, "his", "ben", &["read", "approve"]));
    let api = Api::start(&sandbox, &[]);
    let (ana, ben) = (Afar::new(&sandbox, api.address(), &hers), Afar::new(&sandbox, api.address(), &his));
    for deed in ["approve", "deny", "withdraw"] {
        let told = ana.sluice(&["approvals", deed, &approval]).with(4).out;
        let words: String = told.split_whitespace().collect();
        assert!(words.contains(&format!("{}/approvals/{approval}", api.address())), "{told}");
    }
    let key = sandbox.key();
    let signed = ["--as", "ana", "--key", &key];
    // What is signed is drafted for whoever the token is for: another's key signs none of it.
    let wrong = ben.sluice(&[&["approvals", "deny", &approval, "--reason", "no"], &signed[..]].concat()).with(5);
    assert!(wrong.err.contains("SL4"), "{}", wrong.err);
    let none = ana.sluice(&[&["approvals", "withdraw", &approval], &signed[..]].concat()).with(5);
    assert!(none.err.contains("SL413"), "{}", none.err);
    ana.sluice(&["approvals", "approve", &approval, "--key", &key]).with(2);
    let denied =
        ana.sluice(&[&["approvals", "deny", &approval, "--reason", "not today"], &signed[..]].concat()).with(0);
    assert!(denied.out.contains("denied"), "{}", denied.out);
    for _ in 0..100 {
        if ana.sluice(&["runs", "show", &run, "--format", "json"]).with(0).json()["status"] == "refused" {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the run goes on");
}

#[test]
fn runs_are_proposed_stopped_and_ended_from_afar_by_who_may() {
    let sandbox = people();
    let run = text(&sandbox.sluice(&["run", HELLO, "--as", "ben", "--format", "json"]).with(4).json()["run"]);
    let tokens = |who: &str| token(&sandbox, who, who, &["read", "propose", "run", "stop", "go-on"]);
    let (hers, his, cleos) = (tokens("ana"), tokens("ben"), tokens("cleo"));
    let api = Api::start(&sandbox, &[]);
    let afar = |token: &str| Afar::new(&sandbox, api.address(), token);
    let (ana, ben, cleo) = (afar(&hers), afar(&his), afar(&cleos));
    let file = sandbox.path("ws").join(HELLO);
    let proposed = ben.sluice(&["propose", file.to_str().unwrap(), "--format", "json"]).with(0).json();
    assert!(text(&proposed["proposal"]).starts_with("P-") && proposed["requester"] == "ben", "{proposed}");
    let broken = sandbox.write("broken.yaml", "document: [\n");
    let refused = ben.sluice(&["propose", &broken]).with(5);
    assert!(refused.err.contains("SL482"), "{}", refused.err);
    assert!(ben.sluice(&["propose", &broken, "--author", "ana"]).with(2).err.contains("token"));

    let stop = ["--connector", "greetings", "--reason", "odd"];
    cleo.sluice(&[&["stop"], &stop[..]].concat()).with(0);
    cleo.sluice(&["stop", "--everything"]).with(2);
    let refused = cleo.sluice(&[&["go-on"], &stop[..]].concat()).with(5);
    assert!(refused.err.contains("SL471"), "{}", refused.err);
    ana.sluice(&[&["go-on"], &stop[..]].concat()).with(0);

    let cancel = ["runs", "cancel", &run, "--reason", "no longer needed"];
    assert!(cleo.sluice(&cancel).with(2).err.contains("SL472"), "what one may not see is not there");
    assert!(ben.sluice(&cancel).with(0).out.contains("refused"));
    // At the folder the same people may.
    let other = text(&sandbox.sluice(&["run", HELLO, "--as", "ben", "--format", "json"]).with(4).json()["run"]);
    let here = |person: &str, code: i32| {
        sandbox.sluice(&["runs", "cancel", &other, "--reason", "enough", "--as", person, "--format", "json"]).with(code)
    };
    here("cleo", 5);
    assert_eq!(here("ana", 0).json()["status"], "refused");
    assert_eq!(here("ana", 0).json()["status"], "refused", "once over, it stays so");
}

#[test]
fn a_token_is_named_and_every_refusal_says_what_to_do() {
    let sandbox = people();
    let hers = token(&sandbox, "hers", "ana", &["read"]);
    let bens = token(&sandbox, "bens", "ben", &["read"]);
    let api = Api::start(&sandbox, &[]);
    let list = ["runs", "list"];
    let with = |token: &str| Afar::new(&sandbox, api.address(), token).sluice(&list);
    sandbox.write("token", format!("{hers}\n"));
    let file = sandbox.path("token");
    let from_file = ["runs", "list", "--server", api.address(), "--token-file", file.to_str().unwrap()];
    sandbox.sluice(&from_file).with(0);
    for (token, code) in [("nothing", "SL799"), ("slt_0000", "SL799")] {
        let ended = with(token).with(2);
        assert!(ended.err.contains(code), "{token}: {}", ended.err);
    }
    let missing = sandbox.sluice(&["runs", "list", "--server", api.address()]).with(2);
    assert!(missing.err.contains("SL799") && missing.err.contains("SLUICE_TOKEN"), "{}", missing.err);
    let unknown = format!("sla_{}", "0".repeat(64));
    assert!(with(&unknown).with(2).err.contains("SL470"));
    let lacks = Afar::new(&sandbox, api.address(), &bens);
    assert!(lacks.sluice(&["stop", "--everything", "--reason", "x"]).with(5).err.contains("SL471"));
    assert!(lacks.sluice(&["audit", "log"]).with(5).err.contains("SL467"));
    assert!(lacks.sluice(&["approvals", "show", "A-0000000000"]).with(2).err.contains("SL472"));
    assert!(lacks.sluice(&["runs", "show", "../../health"]).with(2).err.contains("no run"));
    // By another name than its own, and together with a folder.
    let number = api.address().replace("localhost", "127.0.0.1");
    let other = Afar::new(&sandbox, &number, &hers).sluice(&list).with(2);
    assert!(other.err.contains("SL460"), "{}", other.err);
    sandbox.sluice(&["runs", "list", "--server", api.address(), "--workspace", "ws"]).with(2);
    for odd in ["localhost", "ftp://x", "http://user@localhost:1", "http://localhost:1/?x"] {
        Afar::new(&sandbox, odd, &hers).sluice(&list).with(2);
    }
    // Too often.
    drop(api);
    let slow = Api::start(&sandbox, &["--per-minute", "10"]);
    let hasty = Afar::new(&sandbox, slow.address(), &hers);
    let ended = (0..10).map(|_| hasty.sluice(&list)).find(|ended| ended.code != 0).expect("the pace is kept");
    assert!(ended.code == 3 && ended.err.contains("SL478"), "{ended:?}");
}

/// Something that is no Sluice: it answers every request with these bytes, and tells what it was sent.
fn other(answer: &'static str) -> (String, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let (told, heard) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
            let _ = stream.set_read_timeout(Some(Duration::from_millis(500)));
            while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut part) {
                    Ok(read @ 1..) => bytes.extend_from_slice(&part[..read]),
                    _ => break,
                }
            }
            let _ = stream.write_all(answer.as_bytes());
            let _ = told.send(bytes);
        }
    });
    (address, heard)
}

#[test]
fn what_is_no_sluice_is_told_and_no_redirect_is_followed() {
    const JSON: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
    let sandbox = people();
    let hers = format!("sla_{}", "7".repeat(64));
    let (elsewhere, never) = other("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}");
    let redirect = format!("HTTP/1.1 302 Found\r\nlocation: {elsewhere}/api/v1/runs\r\nconnection: close\r\n\r\n");
    let changed: String = format!("{JSON}{{\"items\":[{{\"identity\":\"1\"}}],\"next\":null}}");
    for (answer, exit, code) in [
        (redirect.leak() as &'static str, 2, "SL797"),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n<html>hello</html>", 2, "SL797"),
        ("HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\nnothing", 2, "SL797"),
        ("HTTP/1.1 500 Oops\r\nconnection: close\r\n\r\n{\"error\":\"x\"}", 2, "SL797"),
        (changed.leak(), 3, "SL798"),
        ("SSH-2.0-odd\r\n", 3, "SL796"),
    ] {
        let (address, _heard) = other(answer);
        let ended = Afar::new(&sandbox, &address, &hers).sluice(&["runs", "list"]).with(exit);
        assert!(ended.err.contains(code), "{code}: {}", ended.err);
    }
    assert!(never.recv_timeout(Duration::from_millis(200)).is_err(), "a redirect was followed");
    // Terminal controls of whoever answers are spelled out.
    let (address, _heard) =
        other("HTTP/1.1 403 No\r\nconnection: close\r\n\r\n{\"code\":\"SL471\",\"detail\":\"\\u001b[2Jgone\\u202e\"}");
    let ended = Afar::new(&sandbox, &address, &hers).sluice(&["runs", "list"]).with(5);
    assert!(
        ended.err.contains("\\x1b[2J") && !ended.err.contains('\u{1b}') && !ended.err.contains('\u{202e}'),
        "{}",
        ended.err
    );
    // Nobody is there.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ended = Afar::new(&sandbox, &format!("http://localhost:{gone}"), &hers).sluice(&["runs", "list"]).with(3);
    assert!(ended.err.contains("SL796"), "{}", ended.err);
}

#[test]
fn a_token_leaves_only_inside_of_tls_or_to_this_machine() {
    let sandbox = people();
    let hers = format!("sla_{}", "7".repeat(64));
    // A server without TLS where TLS is expected hears a handshake, and no token.
    let (address, heard) = other("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}");
    let ended = Afar::new(&sandbox, &address.replace("http://", "https://"), &hers).sluice(&["runs", "list"]).with(3);
    assert!(ended.err.contains("SL796") && ended.err.to_lowercase().contains("tls"), "{}", ended.err);
    let bytes = heard.recv_timeout(Duration::from_secs(5)).unwrap();
    assert!(!bytes.windows(hers.len()).any(|part| part == hers.as_bytes()), "the token left in clear");
    // Another machine is not asked in clear at all.
    let ended = Afar::new(&sandbox, "http://192.0.2.1:7080", &hers).sluice(&["runs", "list"]).with(2);
    assert!(ended.err.contains("SL716"), "{}", ended.err);
    // Who sends the token back is no Sluice.
    let echo = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", json!({ "items": [hers], "next": null }));
    let (address, _heard) = other(echo.leak());
    let ended = Afar::new(&sandbox, &address, &hers).sluice(&["runs", "list"]).with(3);
    assert!(ended.err.contains("SL717") && ended.err.contains("evoke"), "{}", ended.err);
}
