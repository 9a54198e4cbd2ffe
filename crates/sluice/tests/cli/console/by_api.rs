//! Words of passkeys that come through the API: what counts is what the device signed, and the token only carries it.

use reqwest::Method;
use serde_json::{Value as Json, json};
use sluice_passkey::Assertion;

use super::visitor::{Console, Person, decoded, encoded};
use super::{ana, becomes, held_for, three_people};
use crate::api::token;
use crate::sandbox::Sandbox;

/// A program with a person's token.
struct Program<'c> {
    console: &'c Console,
    token: String,
}

impl Program<'_> {
    async fn post(&self, path: &str, body: &Json) -> (u16, Json) {
        let request = self.console.ask(Method::POST, path).bearer_auth(&self.token).json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn draft(&self, id: &str, decision: &str) -> (u16, Json) {
        self.post(&format!("/api/v1/approvals/{id}/drafts"), &json!({ "decision": decision })).await
    }

    async fn say(&self, id: &str, draft: &Json, passkey: &str, answer: &Assertion) -> (u16, Json) {
        let passkey = json!({
            "id": passkey,
            "client_data": encoded(&answer.client_data),
            "authenticator_data": encoded(&answer.authenticator_data),
            "signature": encoded(&answer.signature),
        });
        let word = json!({ "draft": draft["draft"], "reason": "because", "passkey": passkey });
        self.post(&format!("/api/v1/approvals/{id}/words"), &word).await
    }

    /// Drafts, has the device answer, and says it.
    async fn decide(&self, id: &str, decision: &str, person: &Person<'_>) -> Json {
        let (status, draft) = self.draft(id, decision).await;
        assert_eq!(status, 201, "{draft}");
        assert_eq!((&draft["says"]["decision"], &draft["domain"]), (&json!(decision), &json!("localhost")));
        assert_eq!(draft["passkeys"], json!([person.passkey()]), "those that count");
        let answer = person.device.answer(&decoded(draft["challenge"].as_str().unwrap()));
        let (status, stands) = self.say(id, &draft, &person.passkey(), &answer).await;
        assert_eq!(status, 201, "{stands}");
        stands
    }
}

fn code(told: &(u16, Json)) -> (u16, &str) {
    (told.0, told.1["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_passkey_answers_a_draft_of_the_api_and_no_other_answer_counts() {
    let sandbox = three_people();
    let (run, approval) = held_for(&sandbox, "ben");
    let (other_run, other) = held_for(&sandbox, "dora");
    let hers = token(&sandbox, "hers", "ana", &["read", "approve"]);
    let second = token(&sandbox, "second", "ana", &["read", "approve"]);
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let program = Program { console: &console, token: hers };
    let passkey = ana.passkey();
    // A word over another challenge, of another draft, and of a device that nobody knows.
    let (_, draft) = program.draft(&approval, "approve").await;
    let (_, elsewhere) = program.draft(&other, "approve").await;
    let wrong = ana.device.answer(&decoded(elsewhere["challenge"].as_str().unwrap()));
    assert_eq!(code(&program.say(&approval, &draft, &passkey, &wrong).await), (403, "SL415"));
    let (_, draft) = program.draft(&approval, "approve").await;
    let challenge = decoded(draft["challenge"].as_str().unwrap());
    let right = ana.device.answer(&challenge);
    assert_eq!(code(&program.say(&other, &draft, &passkey, &right).await), (403, "SL463"));
    let (_, draft) = program.draft(&approval, "approve").await;
    let unknown = encoded(&[9; 16]);
    let right = ana.device.answer(&decoded(draft["challenge"].as_str().unwrap()));
    assert_eq!(code(&program.say(&approval, &draft, &unknown, &right).await), (403, "SL414"));
    // A draft is of the token that it was made for.
    let (_, draft) = program.draft(&approval, "approve").await;
    let right = ana.device.answer(&decoded(draft["challenge"].as_str().unwrap()));
    let thief = Program { console: &console, token: second };
    assert_eq!(code(&thief.say(&approval, &draft, &passkey, &right).await), (403, "SL463"));
    // A token that only looks drafts nothing.
    let looks = Program { console: &console, token: token(&sandbox, "looks", "ana", &["read"]) };
    assert_eq!(code(&looks.draft(&approval, "approve").await), (403, "SL471"));

    let stands = program.decide(&approval, "approve", &ana).await;
    assert_eq!(
        (&stands["state"], &stands["said"]),
        (&json!("approved"), &json!([{ "person": "ana", "decision": "approve", "in_place_of": null }]))
    );
    becomes(&sandbox, &run, "completed");
    // What a run went on with is taken back by nobody.
    assert_eq!(code(&program.draft(&approval, "withdraw").await), (409, "SL445"));
    let stands = program.decide(&other, "deny", &ana).await;
    assert_eq!(stands["state"], "denied", "{stands}");
    becomes(&sandbox, &other_run, "refused");
    assert_eq!(sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json()["agrees"], true);
}

#[tokio::test]
async fn what_was_said_is_taken_back_as_long_as_nothing_used_it() {
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
    let hers = token(&sandbox, "hers", "ana", &["read", "approve"]);
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let program = Program { console: &console, token: hers };
    assert_eq!(code(&program.draft(&id, "withdraw").await), (403, "SL413"), "she has said nothing yet");
    let approved = program.decide(&id, "approve", &ana).await;
    assert_eq!((&approved["state"], &approved["is_yours"]), (&json!("waiting"), &json!(false)));
    let back = program.decide(&id, "withdraw", &ana).await;
    assert_eq!((&back["state"], &back["is_yours"]), (&json!("waiting"), &json!(true)), "{back}");
    assert_eq!(code(&program.draft(&id, "withdraw").await), (403, "SL413"), "once");
    let denied = program.decide(&id, "deny", &ana).await;
    assert_eq!(denied["state"], "denied");
    let back = program.decide(&id, "withdraw", &ana).await;
    assert_eq!(
        (&back["state"], &back["is_yours"]),
        (&json!("waiting"), &json!(true)),
        "a denial that was taken back stands no more"
    );
}
