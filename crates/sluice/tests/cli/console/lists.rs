//! Lists that sort, connectors beside their pins, questions to the policies, and who signed the checkpoint.

use sluice_core::contract::lock::{Lock, Pin, Pins};
use sluice_ledger::RunId;
use sluice_store::{Mode, OsRandom, PayloadKeys};

use super::visitor::{Console, Person};
use super::{ana, held_for, invited, three_people};
use crate::connectors::{World, search, send};
use crate::sandbox::Sandbox;

/// Where each of these words stands first in a page, in the order of the page.
fn order<'w>(page: &str, words: &[&'w str]) -> Vec<&'w str> {
    let mut found: Vec<(usize, &str)> = words.iter().filter_map(|word| Some((page.find(*word)?, *word))).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, word)| word).collect()
}

async fn text(person: &Person<'_>, path: &str) -> String {
    let page = person.get(path).await;
    assert_eq!(page.status, 200, "{path}: {page:?}");
    page.text
}

fn entries(sandbox: &Sandbox) -> u64 {
    sandbox.sluice(&["health", "--format", "json"]).with(0).json()["entries"].as_u64().unwrap()
}

#[tokio::test]
async fn a_list_sorts_by_its_heads_and_its_link_says_so_to_others() {
    let sandbox = three_people();
    let (first, asked_first) = held_for(&sandbox, "dora");
    let (second, asked_second) = held_for(&sandbox, "ben");
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let runs = [&first[..8], &second[..8]];
    for (path, expected) in [
        ("/runs", [runs[1], runs[0]]),
        ("/runs?sort=began", [runs[0], runs[1]]),
        ("/runs?sort=-began", [runs[1], runs[0]]),
        ("/runs?sort=for", [runs[1], runs[0]]),
        ("/runs?sort=-for", [runs[0], runs[1]]),
        ("/runs?sort=nothing", [runs[1], runs[0]]),
    ] {
        assert_eq!(order(&text(&ana, path).await, &runs), expected, "{path}");
    }
    let page = text(&ana, "/runs?status=held&sort=-for").await;
    assert!(page.contains("aria-sort=\"descending\"") && page.matches("aria-sort").count() == 1, "{page}");
    assert!(page.contains("href=\"/runs?status=completed&amp;sort=%2Dfor\""), "another filter keeps the order");
    assert!(page.contains("href=\"/runs?status=held&amp;sort=what\""), "another order keeps the filter");
    let asked = [asked_first.as_str(), asked_second.as_str()];
    for (path, expected) in [("/", [0, 1]), ("/?sort=-asked", [1, 0]), ("/?sort=who", [1, 0])] {
        assert_eq!(order(&text(&ana, path).await, &asked), expected.map(|at| asked[at]), "{path}");
    }
    let kinds = ["workspace-created", "run-started"];
    for sort in ["", "&sort=index"] {
        let of_ben = text(&ana, &format!("/ledger?person=ben&kind=run-started{sort}")).await;
        assert!(of_ben.contains(runs[1]) && !of_ben.contains(runs[0]), "{sort}: {of_ben}");
    }
    assert!(text(&ana, "/ledger?workflow=nothing").await.contains("No entry fits."));
    assert_eq!(order(text(&ana, "/ledger?sort=index").await.split("timeline").last().unwrap(), &kinds), kinds);
    assert!(
        text(&ana, "/ledger?kind=held&sort=index").await.contains("href=\"/ledger?kind=held\""),
        "one filter, the other order"
    );
    for path in
        ["/workflows?sort=-name", "/workflows?sort=signatures&page=7", "/people?sort=-decided", "/policies?sort=name"]
    {
        text(&ana, path).await;
    }
    let odd = text(&ana, "/runs?sort=%22%3E%3Cscript%3E&status=%22%3E%3Cscript%3E").await;
    assert!(!odd.contains("\"><script>"), "{odd}");
}

#[tokio::test]
async fn a_what_if_question_is_answered_as_a_gate_would_and_leaves_no_trace() {
    let sandbox = three_people();
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let before = entries(&sandbox);
    for (asked, typed) in [
        (
            "who=ben&does=greetings.append&purpose=operations",
            &["--call", "greetings.append", "--purpose", "operations"][..],
        ),
        ("who=ben&does=greetings.append&words=tickets", &["--call", "greetings.append", "--origin", "control=tickets"]),
        ("who=ben&does=read&standing=proposed", &["--action", "read", "--standing", "proposed"]),
        ("who=ben&does=read&data=internal", &["--action", "read", "--carries", "payload=internal"]),
    ] {
        let explained = [&["policy", "explain", "--principal", "ben", "--format", "json"], typed].concat();
        let decision = sandbox.sluice(&explained).with(0).json()["decision"].as_str().unwrap().to_owned();
        let page = text(&ana, &format!("/policies?{asked}")).await;
        let answer = page.split("class=\"answer\"").nth(1).unwrap_or_else(|| panic!("{asked}: no answer"));
        let said = match decision.as_str() {
            "permit" => "permitted",
            "hold" => "held",
            _ => "forbidden",
        };
        assert_eq!(order(answer, &["permitted", "held", "forbidden"])[0], said, "{asked}");
    }
    for (asked, told) in [
        ("does=export", "say where it goes"),
        ("does=greetings.apend", "do you mean"),
        ("does=read&who=nobody-here", "is not in"),
        ("does=read&amount=much", "whole number"),
        ("does=read&on=planet:mars", "destination or a dataset"),
        ("does=read&agreed=everything", "nothing that people can agree to"),
        ("does=%3Cscript%3E", "no contract has a call"),
    ] {
        let page = text(&ana, &format!("/policies?{asked}")).await;
        assert!(page.contains(told) && !page.contains("<script>"), "{asked}: {told}");
    }
    assert_eq!(entries(&sandbox), before, "a question is no entry");
    let found = text(&ana, "/policies?find=no+such+words+anywhere").await;
    assert!(found.contains("No policy has these words."));
}

#[tokio::test]
async fn connectors_stand_beside_their_pins_and_the_checkpoint_beside_its_signers() {
    let sandbox = three_people();
    sandbox.write(
        "ws/connectors/helper.yaml",
        "version: 1\nconnector: helper\nowner: ana\ntransport: { mcp: { command: [helper-server] } }\nactions:\n  look:\n    effect: read\n    \
         request: { tool: look }\n    output: { trust: { \"\": trusted }, labels: { \"\": [] } }\n",
    );
    sandbox.sign("ana").with(0);
    held_for(&sandbox, "ben");
    sandbox.sluice(&["stop", "--connector", "greetings", "--as", "ben", "--reason", "odd"]).with(0);
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let all = text(&ana, "/connectors").await;
    assert!(all.contains("unpinned") && all.contains("sluice connector pin helper"), "{all}");
    let names = ["id=\"why-greetings\"", "id=\"why-helper\""];
    for (path, shown) in [
        ("/connectors?state=stopped", &names[..1]),
        ("/connectors?state=unpinned", &names[1..]),
        ("/connectors?sort=name", &names[..]),
    ] {
        assert_eq!(order(&text(&ana, path).await, &names), shown, "{path}");
    }
    assert!(text(&ana, "/connectors?state=broken").await.contains("No connector stands so."));
    let health = text(&ana, "/health").await;
    assert!(health.contains("no witness") || health.contains("none yet"), "{health}");
    // Once its tools are pinned, it is told which, and what of the contract is not.
    let tool = serde_json::json!({ "name": "find", "description": "finds <b>things</b>" });
    let pins = Pins { server: Default::default(), tools: [("find".into(), Pin::of(&tool))].into() };
    let lock = Lock { connectors: [("helper".into(), pins)].into() };
    sandbox.write("ws/sluice.lock", lock.to_text());
    sandbox.sign("ana").with(0);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let pinned = text(&ana, "/connectors?state=pinned").await;
    for told in ["1 tool is pinned", "not in the contract", "not pinned: ", "look", "sluice connector diff helper"] {
        assert!(pinned.contains(told), "{told}: {pinned}");
    }
    let note = ana.get("/health/checkpoint").await;
    assert!(note.status == 404 || note.text.contains("\n— "), "{note:?}");
}

#[tokio::test]
async fn what_a_server_says_instead_of_its_pin_stands_beside_it_until_it_is_pinned_anew() {
    let world = World::with(&[search(), send()]);
    world.add(&[]).with(0);
    world.sign();
    let console = Console::start(&world.sandbox, Some("ana"));
    let ana = ana(&console).await;
    assert!(text(&ana, "/connectors?state=drifted").await.contains("No connector stands so."));
    let mut other = search();
    other["description"] = "Searches <b>all</b> notes.\u{202e}".into();
    world.offers(&[other.clone(), send()]);
    world.agent("search_notes");
    let drifted = text(&ana, "/connectors?state=drifted").await;
    for told in [
        "id=\"why-notes\"",
        "Its server said something else of",
        "Searches all notes.",
        "Searches &lt;b&gt;all&lt;/b&gt; notes.",
    ] {
        assert!(drifted.contains(told), "{told}: {drifted}");
    }
    assert!(!drifted.contains('\u{202e}') && !drifted.contains("No connector stands so."));
    // What cannot be seen is pinned by nobody.
    other["description"] = "Searches <b>all</b> notes.".into();
    world.offers(&[other, send()]);
    world.sandbox.sluice(&["connector", "pin", "notes"]).with(0);
    world.sign();
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert!(text(&ana, "/connectors?state=drifted").await.contains("No connector stands so."));
    assert!(text(&ana, "/connectors?state=pinned").await.contains("id=\"why-notes\""));
}

#[tokio::test]
async fn what_is_kept_for_lists_is_what_the_ledger_says_at_that_moment() {
    let sandbox = three_people();
    let (first_run, first) = held_for(&sandbox, "ben");
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let dora = invited(&console, &ana, "dora", 9).await;
    let waits = async |who: &Person<'_>, id: &str| text(who, "/").await.contains(id);
    let runs_of = async |who: &Person<'_>, run: &str| text(who, "/runs").await.contains(&run[..8]);
    assert!(waits(&ana, &first).await && waits(&ana, &first).await, "read, and read again");
    assert!(!waits(&dora, &first).await, "what was read for one is shown to no other");
    assert!(runs_of(&ana, &first_run).await && !runs_of(&dora, &first_run).await);

    // All of what follows is done by other processes.
    let (second_run, second) = held_for(&sandbox, "dora");
    assert!(waits(&ana, &second).await && waits(&dora, &second).await);
    assert!(runs_of(&dora, &second_run).await && !runs_of(&dora, &first_run).await);
    let (_, third) = held_for(&sandbox, "ben");
    let (_, fourth) = held_for(&sandbox, "ben");
    assert!(waits(&ana, &third).await && waits(&ana, &fourth).await);
    let key = sandbox.key();
    sandbox.sluice(&["approvals", "approve", &third, "--as", "ana", "--key", &key]).with(0);
    assert!(!waits(&ana, &third).await && text(&ana, &format!("/approvals/{third}")).await.contains("approved"));
    sandbox.sluice(&["approvals", "deny", &fourth, "--as", "ana", "--key", &key]).with(0);
    assert!(!waits(&ana, &fourth).await && text(&ana, &format!("/approvals/{fourth}")).await.contains("denied"));
    let keys = PayloadKeys::open(&sandbox.keys().join("payloads.keys"), Mode::Existing, Box::new(OsRandom));
    let run: Vec<u8> = (0..32).step_by(2).map(|at| u8::from_str_radix(&second_run[at..at + 2], 16).unwrap()).collect();
    assert!(keys.unwrap().erase_run(RunId::from_bytes(run.try_into().unwrap())).unwrap() > 0);
    assert!(!waits(&ana, &second).await && !runs_of(&dora, &second_run).await, "nobody sees what was erased");
    assert!(waits(&ana, &first).await && runs_of(&ana, &first_run).await);
}

#[tokio::test]
async fn of_many_people_who_are_asked_the_lists_name_a_few_and_the_page_of_it_all() {
    let sandbox = three_people();
    let more: Vec<String> = (0..9).map(|number| format!("p{number}")).collect();
    sandbox.edit("ws/registers/principals.yaml", |text| {
        let people: String = more.iter().map(|id| format!("  {id}: {{ name: \"Person {id}\" }}\n")).collect();
        let text = text.replacen("\npersons:\n", &format!("\npersons:\n{people}"), 1);
        text.replacen("members: [ana]", &format!("members: [ana, {}]", more.join(", ")), 1)
    });
    sandbox.sign("ana").with(0);
    let (run, approval) = held_for(&sandbox, "ben");
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    for path in ["/".to_owned(), format!("/runs/{run}")] {
        let page = text(&ana, &path).await;
        assert!(page.contains("and 5 others)") && page.contains("Person p3") && !page.contains("Person p4"), "{page}");
    }
    let page = text(&ana, &format!("/approvals/{approval}")).await;
    assert!(page.contains("Person p8") && !page.contains("others)"), "{page}");
}
