//! Broken glass and its review, voices in others' places, and stops of workflows, at the console.

use super::visitor::{self, Asked, Console, Person};
use super::{ana, becomes, held_for, hook, invited, refused, status_of};
use crate::sandbox::Sandbox;

fn on_call() -> Sandbox {
    let sandbox = Sandbox::with_five_people();
    sandbox.edit("ws/workspace.yaml", |text| text + "break_glass: oncall\n");
    sandbox.sign("ana").with(0);
    sandbox
}

/// Signs a form that a page shows, and sends it to where it goes.
async fn send(who: &Person<'_>, page: &str, to: &str) -> visitor::Got {
    let form = page
        .split("<form")
        .find(|form| form.contains(&format!("action=\"{to}\"")))
        .unwrap_or_else(|| panic!("no form to {to}: {page}"));
    let asked = Asked {
        form: visitor::value(form, "form"),
        draft: visitor::value(form, "draft"),
        challenge: visitor::decoded(&visitor::attribute(form, "data-challenge")),
    };
    let answer = who.device.answer(&asked.challenge);
    let fields = [
        ("form", asked.form),
        ("draft", asked.draft),
        ("reason", "it was due".to_owned()),
        ("passkey", who.passkey()),
        ("client", visitor::encoded(&answer.client_data)),
        ("authenticator", visitor::encoded(&answer.authenticator_data)),
        ("signature", visitor::encoded(&answer.signature)),
    ];
    who.post(to, &fields).await
}

#[tokio::test]
async fn broken_glass_lets_one_step_pass_and_somebody_else_closes_its_review() {
    let sandbox = on_call();
    let (run, id) = held_for(&sandbox, "ben");
    let (other, second) = held_for(&sandbox, "dora");
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let (ben, eve) = (invited(&console, &ana, "ben", 8).await, invited(&console, &ana, "eve", 9).await);
    let cleo = invited(&console, &ana, "cleo", 10).await;
    let (page_of, say) = (|id: &str| format!("/approvals/{id}"), |id: &str| format!("/approvals/{id}/say"));

    // Who asked is shown no glass, nor who is not named for it.
    for who in [&ben, &cleo] {
        let page = who.get(&page_of(&id)).await.text;
        assert!(!page.contains("It cannot wait"), "{page}");
    }
    let page = eve.get(&page_of(&id)).await.text;
    assert!(page.contains("It cannot wait") && page.contains("ana") && page.contains("cleo"), "{page}");
    let broken = send(&eve, &page, &say(&id)).await;
    assert_eq!(broken.status, 303, "{broken:?}");
    becomes(&sandbox, &run, "completed");
    assert_eq!(status_of(&sandbox, &other), "held");

    let page = eve.get(&page_of(&second)).await.text;
    assert!(page.contains("nobody has reviewed that yet") && !page.contains("glass-reason"), "{page}");
    let close = format!("/reviews/{id}");
    for who in [&eve, &ben] {
        let inbox = who.get("/").await.text;
        assert!(inbox.contains("To be reviewed") && !inbox.contains(&close), "{inbox}");
    }
    let inbox = cleo.get("/").await.text;
    assert!(inbox.contains("it was due"), "{inbox}");
    // Another's draft closes nothing.
    let form = visitor::value(&eve.get("/people").await.text, "form");
    let theirs = inbox.split("<form").find(|form| form.contains(&close)).unwrap();
    let stolen = [("form", form), ("draft", visitor::value(theirs, "draft")), ("reason", "fine".to_owned())];
    refused(&eve.post(&close, &stolen).await, 403, "SL463");
    let inbox = cleo.get("/").await.text;
    assert_eq!(send(&cleo, &inbox, &close).await.status, 303);
    assert!(!cleo.get("/").await.text.contains("To be reviewed"));
    let page = eve.get(&page_of(&second)).await.text;
    assert_eq!(send(&eve, &page, &say(&second)).await.status, 303);
    becomes(&sandbox, &other, "completed");
    sandbox.sluice(&["audit", "verify"]).with(0);
}

#[tokio::test]
async fn a_delegate_answers_in_the_place_of_whoever_signed_that_they_may() {
    let sandbox = on_call();
    let (run, id) = held_for(&sandbox, "ben");
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let dora = invited(&console, &ana, "dora", 9).await;
    refused(&dora.get(&format!("/approvals/{id}")).await, 404, "nothing that you may see");
    let form = visitor::value(&ana.get("/people").await.text, "form");
    let wish = |to: &str, until: &str| {
        [("form", form.clone()), ("to", to.to_owned()), ("role", String::new()), ("until", until.to_owned())]
    };
    refused(&ana.post("/people/delegate", &wish("ana", "2026-12-31")).await, 403, "SL451");
    refused(&ana.post("/people/delegate", &wish("gpt", "2026-12-31")).await, 403, "SL404");
    refused(&ana.post("/people/delegate", &wish("dora", "2001-01-01")).await, 403, "SL451");
    refused(&ana.post("/people/delegate", &wish("dora", "9999-01-01")).await, 403, "SL451");
    refused(&ana.post("/people/delegate", &wish("dora", "soon")).await, 400, "2027-01-31");
    let today = sandbox.sluice(&["audit", "log", "--last", "1", "--format", "json"]).with(0).json();
    let day = today["entries"][0]["time_ms"].as_u64().map(|ms| sluice_render::time::written(ms / 1_000 + 86_400));
    let page = ana.post("/people/delegate", &wish("dora", &day.unwrap()[..10])).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(send(&ana, &page.text, "/people/delegations").await.status, 303);
    assert!(dora.get("/people").await.text.contains("all that they are asked"));

    let (approve, _) = dora.open(&id).await.unwrap();
    assert!(dora.get(&format!("/approvals/{id}")).await.text.contains("in the place of"));
    assert_eq!(dora.say(&id, &approve).await.status, 303);
    becomes(&sandbox, &run, "completed");

    let people = ana.get("/people").await.text;
    let given = people.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let back = [("form", form.clone()), ("id", given.clone())];
    let theirs = [("form", visitor::value(&dora.get("/people").await.text, "form")), ("id", given)];
    refused(&dora.post("/people/undelegate", &theirs).await, 403, "SL452");
    let page = ana.post("/people/undelegate", &back).await;
    assert_eq!(send(&ana, &page.text, "/people/delegations").await.status, 303);
    assert!(!dora.get("/people").await.text.contains("all that they are asked"));
}

#[tokio::test]
async fn a_workflow_is_stopped_by_whoever_sees_it_and_goes_on_by_those_who_sign() {
    let sandbox = on_call();
    let proposed =
        sandbox.sluice(&["propose", "workflows/hello.yaml", "--as", "ben", "--author", "ben", "--format", "json"]);
    let id = proposed.with(0).json()["proposal"].as_str().unwrap().to_owned();
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let (ben, dora) = (invited(&console, &ana, "ben", 8).await, invited(&console, &ana, "dora", 9).await);
    let path = format!("/workflows/{id}/switch");
    let turn = async |who: &Person<'_>, what: &str, is: &str| {
        let form = visitor::value(&who.get("/people").await.text, "form");
        let said = [("form", form), ("what", what.to_owned()), ("is", is.to_owned()), ("reason", "odd".to_owned())];
        who.post(&path, &said).await
    };
    let run = |code: i32| sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ben", "--author", "ben"]).with(code);
    for what in ["workflow", "author"] {
        refused(&turn(&dora, what, "off").await, 404, "nothing that you may see");
        assert_eq!(turn(&ben, what, "off").await.status, 303);
        run(5);
        assert!(ben.get(&format!("/workflows/{id}")).await.text.contains("No run begins"));
        refused(&turn(&ben, what, "on").await, 404, "nothing that you may see");
        assert_eq!(turn(&ana, what, "on").await.status, 303);
        run(0);
    }
    refused(&turn(&ana, "everything", "off").await, 404, "nothing that you may see");
}

#[test]
fn two_people_are_told_that_the_glass_was_broken_also_while_nobody_served() {
    let sandbox = on_call();
    let (_, id) = held_for(&sandbox, "ben");
    let key = sandbox.key_of("eve");
    let broken = ["approvals", "break-glass", &id, "--as", "eve", "--key", &key, "--because", "it is due"];
    sandbox.sluice(&broken).with(0);
    let (url, messages) = hook();
    let mut serving = sandbox.start(&["serve", "--listen", "127.0.0.1:0", "--notify", &url]);
    let (_, body) = messages.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
    let message: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&message["event"], &message["approval"]), (&"glass-broken".into(), &id.into()), "{message}");
    assert_eq!(message["asked"], serde_json::json!(["ana", "cleo"]));
    assert!(!body.contains("it is due"), "why stands on the page: {body}");
    assert!(messages.recv_timeout(std::time::Duration::from_secs(3)).is_err(), "once");
    serving.kill().unwrap();
    serving.wait().unwrap();
}
