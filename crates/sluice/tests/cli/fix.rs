//! `sluice check --fix`: what it changes, and everything that it leaves as it is.

use std::fs;

use crate::sandbox::Sandbox;

/// An export as n8n writes it: two options to mend, one in a code node's text and one in a name that only look like it.
const PRETTY: &str = r#"{
  "name": "sends – š",
  "nodes": [
    {
      "name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}
    },
    {
      "name": "Code", "type": "n8n-nodes-base.code", "typeVersion": 2,
      "parameters": { "jsCode": "const o = {\"allowUnauthorizedCerts\": true};\n// allowUnauthorizedCerts: true\nreturn [];" }
    },
    {
      "name": "allowUnauthorizedCerts: true", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2,
      "parameters": {
        "url": "https://api.example.com/v1",
        "options": {
          "allowUnauthorizedCerts" :   true
        }
      }
    },
    {
      "name": "Two", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2,
      "parameters": { "url": "https://api.example.com/v2", "options": { "allowUnauthorizedCerts": true, "timeout": 9 } }
    },
    {
      "name": "Three", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2,
      "parameters": { "url": "https://api.example.com/v3", "options": { "allowUnauthorizedCerts": "true" } }
    }
  ],
  "connections": {
    "Clock": { "main": [[{ "node": "Code", "type": "main", "index": 0 }]] },
    "Code": { "main": [[{ "node": "allowUnauthorizedCerts: true", "type": "main", "index": 0 }]] },
    "allowUnauthorizedCerts: true": { "main": [[{ "node": "Two", "type": "main", "index": 0 }]] },
    "Two": { "main": [[{ "node": "Three", "type": "main", "index": 0 }]] }
  }
}
"#;

/// What it is afterwards, by hand.
fn mended() -> String {
    PRETTY
        .replace("\"allowUnauthorizedCerts\" :   true", "\"allowUnauthorizedCerts\" :   false")
        .replace("\"allowUnauthorizedCerts\": true, \"timeout\"", "\"allowUnauthorizedCerts\": false, \"timeout\"")
}

fn minified(text: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text).unwrap().to_string()
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn read(sandbox: &Sandbox, name: &str) -> String {
    fs::read_to_string(sandbox.path(name)).unwrap()
}

#[test]
fn a_file_is_mended_and_stays_byte_for_byte_but_for_the_values() {
    for shape in ["pretty", "minified", "windows"] {
        let shaped = |text: &str| match shape {
            "pretty" => text.to_owned(),
            "minified" => minified(text),
            _ => format!("\u{feff}{}", text.replace('\n', "\r\n")),
        };
        let sandbox = Sandbox::new();
        let file = sandbox.write("e.json", shaped(PRETTY));
        let ended = sandbox.sluice(&["check", "--fix", &file]).with(0);
        assert_eq!(read(&sandbox, "e.json"), shaped(&mended()), "{shape}");
        assert!(words(&ended.out).contains("e.json: fixed: SL252 tls-off (line"), "{shape}: {}", ended.out);
        assert!(!ended.out.contains("[SL252]"), "what is left is shown: {}", ended.out);
        assert_eq!(sandbox.files("").len(), 1, "no other file is left beside it");
        let again = sandbox.sluice(&["check", "--fix", &file]).with(0).out;
        assert!(again.contains("nothing found here can be fixed without thinking"), "{again}");
        assert_eq!(read(&sandbox, "e.json"), shaped(&mended()), "{shape}");
    }
}

#[test]
fn what_is_left_is_told_and_counts() {
    let sandbox = Sandbox::new();
    let text = PRETTY.replace("\"timeout\": 9", "\"timeout\": 9, \"apikey\": \"sk_live_51HxQ2mKd8fJr3TzWvBn7YpLc\"");
    sandbox.write("in/e.json", &text);
    sandbox.write("in/plain.json", minified(&mended()));
    let ended = sandbox.sluice(&["check", "--fix", "in"]).with(1);
    let out = words(&ended.out);
    assert!(out.contains("in/e.json: fixed: SL252 tls-off (lines 16, 22); 1 left"), "{out}");
    assert!(out.contains("[SL251]") && !out.contains("[SL252]") && !out.contains("plain.json: fixed"), "{out}");
}

#[test]
fn a_diff_shows_the_lines_and_writes_nothing() {
    let sandbox = Sandbox::new();
    let file =
        sandbox.write("e.json", PRETTY.replace("https://api.example.com/v1", "https://api.example.com/\u{202e}"));
    let before = read(&sandbox, "e.json");
    let about = fs::metadata(sandbox.path("e.json")).unwrap().modified().unwrap();
    let ended = sandbox.sluice(&["check", "--fix", "--diff", &file]).with(0);
    assert_eq!(read(&sandbox, "e.json"), before);
    assert_eq!(fs::metadata(sandbox.path("e.json")).unwrap().modified().unwrap(), about);
    assert!(ended.out.starts_with("--- e.json\n+++ e.json\n@@ "), "{}", ended.out);
    let of = |sign: char| ended.out.lines().skip(2).filter(|line| line.starts_with(sign)).collect::<Vec<_>>();
    let one = |value: &str| format!("          \"allowUnauthorizedCerts\" :   {value}");
    assert_eq!((of('-').len(), of('+').len()), (2, 2), "{}", ended.out);
    assert_eq!((of('-')[0], of('+')[0]), (&*format!("-{}", one("true")), &*format!("+{}", one("false"))));
    assert!(ended.out.contains("\\u{202e}") && !ended.out.contains('\u{202e}'), "{}", ended.out);
    assert!(words(&ended.err).contains("would be fixed: SL252 tls-off (lines 16, 22)"), "{}", ended.err);
}

#[test]
fn only_findings_that_are_asked_for_are_mended() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("e.json", PRETTY);
    sandbox.sluice(&["check", "--fix", "--ignore", "SL252", &file]).with(0);
    sandbox.sluice(&["check", "--write-baseline", "known.json", &file]).with(0);
    sandbox.sluice(&["check", "--fix", "--baseline", "known.json", &file]).with(0);
    assert_eq!(read(&sandbox, "e.json"), PRETTY);
}

#[test]
fn what_has_no_fix_is_left_as_it_is() {
    let sandbox = Sandbox::with_workspace();
    let task = "  - fetch: { call: http, with: { method: get, endpoint: https://api.example.com/notes } }\n";
    let native = sandbox.workflow("flow.yaml", task);
    let before = read(&sandbox, "ws/flow.yaml");
    let out = words(&sandbox.sluice(&["check", "--fix", &native]).with(1).out);
    assert!(out.contains("there are no fixes for them yet"), "{out}");
    assert_eq!(read(&sandbox, "ws/flow.yaml"), before);
}

#[test]
fn a_fix_is_for_people_and_not_for_lists() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("e.json", PRETTY);
    for more in [&["--format", "json"][..], &["--write-baseline", "b.json"], &["--output", "o.txt"], &["--facts"]] {
        sandbox.sluice(&[&["check", "--fix", &file], more].concat()).with(2);
    }
    sandbox.sluice(&["check", "--diff", &file]).with(2);
    assert_eq!(read(&sandbox, "e.json"), PRETTY);
    assert_eq!(sandbox.files("").len(), 1);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_link_is_not_followed_and_its_end_stays_what_it_was() {
        let sandbox = Sandbox::new();
        sandbox.write("there/e.json", PRETTY);
        symlink(sandbox.path("there/e.json"), sandbox.path("link.json")).unwrap();
        for more in [&[][..], &["--diff"]] {
            let ended = sandbox.sluice(&[&["check", "--fix", "link.json"], more].concat()).with(1);
            let all = words(&format!("{}{}", ended.out, ended.err));
            assert!(all.contains("link.json: left as it is: it is a symbolic link"), "{all}");
        }
        assert_eq!(read(&sandbox, "there/e.json"), PRETTY);
        assert!(sandbox.path("link.json").is_symlink());
    }

    #[test]
    fn a_file_with_a_second_name_or_that_may_only_be_read_is_refused_and_the_others_are_mended() {
        let sandbox = Sandbox::new();
        for name in ["in/a.json", "in/b.json", "in/c.json"] {
            sandbox.write(name, PRETTY);
        }
        fs::hard_link(sandbox.path("in/a.json"), sandbox.path("a.json")).unwrap();
        fs::set_permissions(sandbox.path("in/b.json"), fs::Permissions::from_mode(0o444)).unwrap();
        let out = words(&sandbox.sluice(&["check", "--fix", "in"]).with(1).out);
        assert!(out.contains("in/a.json: left as it is: it has a second name"), "{out}");
        assert!(out.contains("in/b.json: left as it is: it may only be read"), "{out}");
        let texts = ["in/a.json", "in/b.json", "in/c.json"].map(|name| read(&sandbox, name));
        assert_eq!(texts, [PRETTY.to_owned(), PRETTY.to_owned(), mended()]);
    }

    #[test]
    fn on_a_full_disk_the_file_stays_what_it_was() {
        let sandbox = Sandbox::new();
        let file = sandbox.write("e.json", PRETTY);
        let out = words(&sandbox.sluice_with_files_up_to(1, &["check", "--fix", &file]).with(1).out);
        assert!(out.contains("e.json: left as it is: it cannot be written"), "{out}");
        assert_eq!((read(&sandbox, "e.json"), sandbox.files("").len()), (PRETTY.to_owned(), 1));
    }

    #[test]
    fn a_mended_file_keeps_its_permissions() {
        let sandbox = Sandbox::new();
        for mode in [0o640, 0o755] {
            let file = sandbox.write("e.json", PRETTY);
            fs::set_permissions(sandbox.path("e.json"), fs::Permissions::from_mode(mode)).unwrap();
            sandbox.sluice(&["check", "--fix", &file]).with(0);
            assert_eq!(read(&sandbox, "e.json"), mended());
            let now = fs::metadata(sandbox.path("e.json")).unwrap().permissions().mode();
            assert_eq!(now & 0o7777, mode);
        }
    }
}
