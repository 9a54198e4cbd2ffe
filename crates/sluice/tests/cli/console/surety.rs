//! How surely somebody is known: levels that policies ask for, what makes a passkey, groups of the provider.

use serde_json::json;

use super::provider::{Provider, now};
use super::visitor::{Console, Got, Person, attribute, decoded, encoded, value};
use super::{ana, becomes, held_for, invited, refused, three_people};
use crate::sandbox::Sandbox;

const GOLD: &str = r#"
permit (principal, action in [Action::"see", Action::"decide"], resource) when { resource.concerned.contains(principal) };
permit (principal, action, resource) when { principal.signs };
@step_up("urn:gold")
forbid (principal, action == Action::"decide", resource)
unless { context.login == "provider" && context.acr == "urn:gold" };
"#;

/// Ana is known to a provider, at which people log in.
pub(super) fn with_provider(provider: &Provider) -> Sandbox {
    let sandbox = three_people();
    sandbox.edit("ws/registers/principals.yaml", |text| {
        let identity = format!("\n    identities: [{{ issuer: \"{}\", subject: 0oa1ana }}]\n", provider.issuer);
        text.replacen("\n  ana:\n", &format!("\n  ana:{identity}"), 1)
    });
    sandbox
}

pub(super) fn serve(sandbox: &Sandbox, provider: &Provider, invite: Option<&str>) -> Console {
    Console::start_with(sandbox, &["--issuer", &provider.issuer, "--client-id", "sluice"], invite)
}

/// The challenge of the form that sends to this address, and what it is asked under.
fn form(page: &Got, action: &str) -> Option<(Vec<u8>, String)> {
    let form = page.text.split("<form").find(|form| form.contains(&format!("action=\"{action}\"")))?;
    Some((decoded(&attribute(form, "data-challenge")), value(form, "ask")))
}

/// Answers with a passkey that they have, to make another one.
async fn confirmed(who: &Person<'_>) -> Got {
    let page = who.get("/people").await;
    assert!(form(&page, "/people/passkey").is_none(), "a session alone makes no passkey");
    let (challenge, ask) = form(&page, "/people/confirm").unwrap();
    let answer = who.device.answer(&challenge);
    let said = [
        ("form", value(&page.text, "form")),
        ("ask", ask),
        ("passkey", who.passkey()),
        ("client", encoded(&answer.client_data)),
        ("authenticator", encoded(&answer.authenticator_data)),
        ("signature", encoded(&answer.signature)),
    ];
    who.post("/people/confirm", &said).await
}

/// Makes a passkey by a form of a page.
async fn made(who: &Person<'_>, page: &Got, challenge: &[u8], ask: String) -> Got {
    let made = who.device.register(challenge).unwrap();
    let said = [
        ("form", value(&page.text, "form")),
        ("ask", ask),
        ("client", encoded(&made.client_data)),
        ("attestation", encoded(&made.attestation_object)),
    ];
    who.post("/people/passkey", &said).await
}

#[tokio::test]
async fn a_session_alone_makes_no_passkey() {
    let sandbox = three_people();
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let ben = invited(&console, &ana, "ben", 8).await;
    // Whoever has taken her session has not her device: their own answers nothing.
    let thief = Person { cookie: ana.cookie.clone(), ..console.stranger(66) };
    refused(&confirmed(&thief).await, 403, "SL465");
    let page = ana.get("/people").await;
    let (challenge, ask) = form(&page, "/people/confirm").unwrap();
    refused(&made(&thief, &page, &challenge, ask).await, 403, "SL465");
    refused(&made(&thief, &page, &[7; 32], "0".repeat(64)).await, 403, "SL465");
    // Without verifying its user, and of somebody else, a device confirms nothing.
    let (challenge, ask) = form(&ana.get("/people").await, "/people/confirm").unwrap();
    let answer = ana.device.answer_unverified(&challenge);
    let said = [
        ("form", value(&page.text, "form")),
        ("ask", ask),
        ("passkey", ana.passkey()),
        ("client", encoded(&answer.client_data)),
        ("authenticator", encoded(&answer.authenticator_data)),
        ("signature", encoded(&answer.signature)),
    ];
    refused(&ana.post("/people/confirm", &said).await, 403, "SL465");

    let page = confirmed(&ana).await;
    assert_eq!(page.status, 200, "{page:?}");
    let (challenge, ask) = form(&page, "/people/passkey").unwrap();
    refused(&made(&ben, &ben.get("/people").await, &challenge, ask).await, 403, "SL465");
    let page = confirmed(&ana).await;
    let (challenge, ask) = form(&page, "/people/passkey").unwrap();
    let second = Person { cookie: ana.cookie.clone(), ..console.stranger(9) };
    assert_eq!(made(&second, &page, &challenge, ask.clone()).await.status, 303);
    refused(&made(&second, &page, &challenge, ask).await, 403, "SL465");
    let log = sandbox.sluice(&["audit", "log", "--last", "100", "--format", "json"]).with(0).json();
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.iter().filter(|line| line["kind"] == "passkey-enrolled").count(), 3, "{log}");
}

#[tokio::test]
async fn a_first_passkey_needs_a_login_that_was_made_for_it() {
    let provider = Provider::start();
    let sandbox = with_provider(&provider);
    let console = serve(&sandbox, &provider, None);
    let asked = provider.go(&console, "/login/provider", "").await;
    assert_eq!((&asked.levels, &asked.prompt), (&None, &None));
    let (got, session) = provider.back(&console, &asked, "", json!({ "auth_time": now() - 3_600 })).await;
    assert_eq!((got.status, got.to.as_str()), (303, "/"), "{got:?}");
    let ana = Person { cookie: session.clone(), ..console.stranger(7) };
    let page = ana.get("/people").await;
    assert!(form(&page, "/people/passkey").is_none() && page.text.contains("/people/again"), "{}", page.text);
    for (more, code) in [
        (json!({}), "SL989"),
        (json!({ "auth_time": now() - 3_600 }), "SL989"),
        (json!({ "auth_time": now(), "sub": "0oa1eve" }), "SL984"),
    ] {
        let asked = provider.go(&console, "/people/again", &session).await;
        assert_eq!(asked.prompt.as_deref(), Some("login"));
        refused(&provider.back(&console, &asked, &session, more).await.0, 403, code);
    }
    let asked = provider.go(&console, "/people/again", &session).await;
    let (got, fresh) = provider.back(&console, &asked, &session, json!({ "auth_time": now() })).await;
    assert_eq!((got.status, got.to.as_str()), (303, "/people"), "{got:?}");
    let ana = Person { cookie: fresh, ..ana };
    let page = ana.get("/people").await;
    let (challenge, ask) = form(&page, "/people/passkey").unwrap();
    let (later, too) = form(&ana.get("/people").await, "/people/passkey").unwrap();
    assert_eq!(made(&ana, &page, &challenge, ask).await.status, 303);
    let second = Person { cookie: ana.cookie.clone(), ..console.stranger(9) };
    refused(&made(&second, &page, &later, too).await, 403, "SL465");
}

#[tokio::test]
async fn who_is_known_less_surely_than_policy_asks_logs_in_again_and_comes_back_to_the_page() {
    let provider = Provider::start();
    let sandbox = with_provider(&provider);
    sandbox.write("ws/policies/console/own.cedar", GOLD);
    sandbox.sign("ana").with(0);
    let (run, approval) = held_for(&sandbox, "ben");
    let console = serve(&sandbox, &provider, Some("ana"));
    let ana = ana(&console).await;
    let path = format!("/approvals/{approval}");
    assert!(ana.open(&approval).await.is_none());
    let page = ana.get(&path).await;
    assert!(page.text.contains("SL487") && page.text.contains(&format!("{path}/again")), "{}", page.text);
    refused(
        &ana.post(&format!("{path}/say"), &[("form", value(&page.text, "form")), ("draft", "x".into())]).await,
        403,
        "SL487",
    );
    for (more, code) in [
        (json!({ "auth_time": now() }), "SL988"),
        (json!({ "auth_time": now(), "acr": "urn:silver" }), "SL988"),
        (json!({ "auth_time": now() - 600, "acr": "urn:gold" }), "SL989"),
        (json!({ "auth_time": now(), "acr": "urn:gold", "nonce": "another" }), "SL986"),
    ] {
        let asked = provider.go(&console, &format!("{path}/again"), &ana.cookie).await;
        assert_eq!(asked.levels.as_deref(), Some("urn:gold"));
        refused(&provider.back(&console, &asked, &ana.cookie, more).await.0, 403, code);
    }
    let asked = provider.go(&console, &format!("{path}/again"), &ana.cookie).await;
    let gold = json!({ "auth_time": now(), "acr": "urn:gold", "amr": ["hwk"] });
    let (got, session) = provider.back(&console, &asked, &ana.cookie, gold).await;
    assert_eq!((got.status, got.to.as_str()), (303, path.as_str()), "{got:?}");
    assert_eq!(ana.get(&path).await.to, "/login", "the session before has ended");
    let ana = Person { cookie: session, ..ana };
    let (approve, _) = ana.open(&approval).await.unwrap();
    assert_eq!(ana.say(&approval, &approve).await.status, 303);
    becomes(&sandbox, &run, "completed");
    let log = sandbox.sluice(&["audit", "log", "--last", "100", "--format", "json"]).with(0).json();
    let said = log["entries"].as_array().unwrap().iter().find(|line| line["kind"] == "approved").unwrap();
    let login = json!({ "by": "provider", "acr": "urn:gold", "amr": ["hwk"], "groups": [] });
    assert_eq!(said["payload"]["login"], login, "{said}");
}

#[tokio::test]
async fn a_group_of_the_provider_counts_as_mapped_until_a_login_no_longer_has_it() {
    let provider = Provider::start();
    let sandbox = with_provider(&provider);
    // Nobody stands in the group that owns what is there: who is in it says the provider.
    sandbox.edit("ws/registers/principals.yaml", |text| {
        text.replacen("subject: 0oa1ana", "subject: 0oa1signer", 1).replace(
            "dora: { name: \"Dora\" }",
            &format!(
                "dora: {{ name: \"Dora\", identities: [{{ issuer: \"{}\", subject: 0oa1ana }}] }}",
                provider.issuer
            ),
        )
    });
    sandbox.edit("ws/workspace.yaml", |text| {
        text + "\nlogin_groups: { claim: groups, groups: { data-stewards: owners, ghosts: no-such-group } }\n"
    });
    sandbox.sign("ana").with(0);
    let (run, approval) = held_for(&sandbox, "ben");
    let console = serve(&sandbox, &provider, None);
    let come_in = async |groups: serde_json::Value| {
        let asked = provider.go(&console, "/login/provider", "").await;
        let (got, session) = provider.back(&console, &asked, "", json!({ "groups": groups })).await;
        assert_eq!(got.status, 303, "{got:?}");
        Person { cookie: session, ..console.stranger(7) }
    };
    let path = format!("/approvals/{approval}");
    for groups in [json!([]), json!(["owners", "Data-Stewards", "ghosts"]), json!({ "data-stewards": true })] {
        let dora = come_in(groups).await;
        refused(&dora.get(&path).await, 404, "nothing that you may see");
    }
    let dora = come_in(json!(["data-stewards", "others"])).await;
    assert_eq!(dora.get(&path).await.status, 200);
    let asked = provider.go(&console, "/people/again", &dora.cookie).await;
    let fresh = json!({ "groups": "data-stewards", "auth_time": now() });
    let (_, session) = provider.back(&console, &asked, &dora.cookie, fresh).await;
    let dora = Person { cookie: session, ..dora };
    let page = dora.get("/people").await;
    let (challenge, ask) = form(&page, "/people/passkey").unwrap();
    assert_eq!(made(&dora, &page, &challenge, ask).await.status, 303);
    let (approve, _) = dora.open(&approval).await.unwrap();
    assert_eq!(dora.say(&approval, &approve).await.status, 303);
    becomes(&sandbox, &run, "completed");

    let (_, later) = held_for(&sandbox, "ben");
    let (approve, _) = dora.open(&later).await.unwrap();
    let gone = come_in(json!(["others"])).await;
    refused(&gone.get(&format!("/approvals/{later}")).await, 404, "nothing that you may see");
    refused(&dora.say(&later, &approve).await, 404, "nothing that you may see");
}
