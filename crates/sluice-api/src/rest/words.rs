//! A person's word: what they would sign, made for them, and what they then signed with their passkey.
//!
//! The token only carries it. What counts is the passkey's answer, or in workspaces marked `demo` or `test` a key file's signature,
//! judged as at the console's pages.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sluice_core::contract::approval::{Decision, Proof, SignedStatement, Statement};
use sluice_core::contract::digest::{from_hex, to_hex};
use sluice_core::contract::key::{PublicKey, Signature};
use sluice_passkey::Assertion;
use sluice_policy::own::Deciding;
use sluice_runtime::approvals::{About, Approver, Beside, Waiting};
use sluice_runtime::clock::now_ms;
use sluice_runtime::enrolment::passkeys;
use utoipa::ToSchema;

use super::Asker;
use super::again::Once;
use super::approvals::{Approval, open, shown};
use super::asking::{Asking, asked};
use super::problem::Problem;
use super::scope::Scope;
use super::sent::{At, Sent, maybe};
use crate::house::House;
use crate::rights::{self, concerned, why_undecided};

/// The longest reason.
const REASON_CHARS_MAX: usize = 2_000;

/// What somebody wants to say.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Word)]
pub(super) enum Wish {
    /// It may happen.
    Approve,
    /// It must not, whoever else approves.
    Deny,
    /// What they said last holds no longer, as long as nothing has used it.
    Withdraw,
    /// It may happen at once, without those who would have had to approve: for whom the rules let do so.
    BreakGlass,
    /// Somebody looked at what passed so.
    Review,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewDraft)]
pub(super) struct Wanted {
    #[schema(inline)]
    decision: Wish,
}

/// What a person would sign. It serves once, for the token that asked for it, within an hour.
#[derive(Serialize, ToSchema)]
pub(super) struct Draft {
    /// Under which the word is then given.
    draft: String,
    /// The canonical bytes of the statement, in hexadecimal digits: what a key file signs.
    statement: String,
    /// The challenge for the passkey: SHA-256 of the statement, in base64url.
    challenge: String,
    /// The relying party of passkeys here.
    domain: String,
    /// Names of the passkeys that count, in base64url.
    passkeys: Vec<String>,
    /// What the statement says.
    says: Says,
}

/// A statement in words.
#[derive(Serialize, ToSchema)]
pub(super) struct Says {
    /// `approve`, `deny`, `withdraw`, `break-glass` or `review`.
    decision: &'static str,
    closure: String,
    role: String,
    requester: String,
    approver: String,
    /// In whose place, if it is not in their own.
    instead_of: Option<String>,
    /// Until when an approval counts, in milliseconds since 1970.
    expiry_ms: u64,
}

/// Makes the statement that a person would sign.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/drafts", tag = "approvals", operation_id = "draft_word",
    params(("id" = String, Path), Once), request_body = Wanted,
    responses((status = 201, description = "What would be signed", body = Draft)))]
pub(super) async fn draft(
    State(house): State<Arc<House>>,
    asker: Asker,
    At(id): At,
    Sent(wanted): Sent<Wanted>,
) -> Result<(StatusCode, Json<Draft>), Problem> {
    let drafted = asked(house, asker, Scope::Approve, move |asking| {
        may_decide(asking, &open(asking, &id)?)?;
        let (house, person) = (&asking.house, &asking.asker.principal);
        let approver = Approver::new(&asking.workspace, house.ledger());
        let (statement, word) = match wanted.decision {
            Wish::Approve => (approver.draft(&id, Decision::Approve, person)?, "approve"),
            Wish::Deny => (approver.draft(&id, Decision::Deny, person)?, "deny"),
            Wish::Withdraw => (approver.draft(&id, approver.taking_back(&id, person)?, person)?, "withdraw"),
            Wish::BreakGlass => (approver.draft_glass(&id, person)?, "break-glass"),
            Wish::Review => (approver.draft_review(&id, person)?, "review"),
        };
        Ok(Draft {
            statement: to_hex(&statement.to_bytes()),
            challenge: URL_SAFE_NO_PAD.encode(statement.challenge()),
            domain: house.party().id.clone(),
            passkeys: passkeys_of(asking)?,
            says: says(&statement, word),
            draft: house.drafts.keep_for(asking.asker.holder, &id, statement)?,
        })
    });
    Ok((StatusCode::CREATED, Json(drafted.await?)))
}

/// Names of the passkeys that stand for whoever asks, in base64url.
pub(super) fn passkeys_of(asking: &Asking) -> Result<Vec<String>, Problem> {
    let theirs = passkeys(asking.house.ledger())?.into_iter().map(|listed| listed.enrolled);
    let theirs = theirs.filter(|one| one.person == asking.asker.principal);
    Ok(theirs.map(|one| URL_SAFE_NO_PAD.encode(&one.passkey.id)).collect())
}

fn says(statement: &Statement, decision: &'static str) -> Says {
    Says {
        decision,
        closure: statement.closure.to_string(),
        role: statement.role.to_string(),
        requester: statement.requester.to_string(),
        approver: statement.approver.to_string(),
        instead_of: statement.instead_of.as_ref().map(ToString::to_string),
        expiry_ms: statement.expiry_ms,
    }
}

/// A signed word: with the passkey's answer, or with a key file's signature.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignedWord)]
pub(super) struct Given {
    /// As it was given out.
    pub(super) draft: String,
    /// Why, or what was found; but for an approval it is needed.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub(super) reason: String,
    /// The device's answer to the draft's challenge.
    #[serde(default, deserialize_with = "maybe")]
    passkey: Option<Answer>,
    /// A key file's signature over the draft's statement. It counts in workspaces marked `demo` or `test` only.
    #[serde(default, deserialize_with = "maybe")]
    key_file: Option<KeyFile>,
}

/// What a key file signed, in hexadecimal digits.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyFileSignature)]
pub(super) struct KeyFile {
    /// The public key.
    key: String,
    /// Over the bytes of the statement.
    signature: String,
}

/// A passkey's answer, in base64url.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyAnswer)]
pub(super) struct Answer {
    /// The passkey's name.
    id: String,
    client_data: String,
    authenticator_data: String,
    signature: String,
}

/// Takes a person's word.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/words", tag = "approvals", operation_id = "say_word",
    params(("id" = String, Path), Once), request_body = Given,
    responses((status = 201, description = "It counts; this is how it stands now", body = Approval)))]
pub(super) async fn say(
    State(house): State<Arc<House>>,
    asker: Asker,
    At(id): At,
    Sent(given): Sent<Given>,
) -> Result<(StatusCode, Json<Approval>), Problem> {
    let said = asked(house, asker, Scope::Approve, move |asking| {
        may_decide(asking, &open(asking, &id)?)?;
        let (house, reason) = (&asking.house, reason_of(&given)?);
        let draft = house.drafts.take_for(asking.asker.holder, &id, &given.draft);
        let draft = draft.ok_or_else(too_old)?;
        if !matches!(draft.statement.decision, Decision::Approve | Decision::Withdraw { .. }) && reason.is_empty() {
            let why = "it has a `reason`: whoever asked reads it, and whoever is told";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, 476, why));
        }
        let signed = SignedStatement { proof: proof(asking, &given)?, statement: draft.statement };
        let beside = Beside { reason, read_ms: Some(now_ms().saturating_sub(draft.opened_ms)), login: None };
        let approver = Approver::new(&asking.workspace, house.ledger());
        if let Decision::Review { .. } = signed.statement.decision {
            approver.review(&id, &signed, &beside)?;
            return Ok(shown(asking, approver.show(&id)?));
        }
        let waiting = approver.say(&id, signed, &beside)?;
        if let About::Step { run, .. } | About::Value { run, .. } = &waiting.about {
            house.go_on(*run);
        }
        Ok(shown(asking, waiting))
    });
    Ok((StatusCode::CREATED, Json(said.await?)))
}

fn may_decide(asking: &Asking, waiting: &Waiting) -> Result<(), Problem> {
    let people = concerned(&asking.workspace, waiting);
    let deciding = rights::may_decide(&asking.workspace, &asking.asker.principal, &Asker::entry(), &people);
    match why_undecided(&deciding) {
        None => Ok(()),
        Some(why) => {
            let code = if matches!(deciding, Deciding::StepUp(_)) { 487 } else { 488 };
            Err(Problem::told(StatusCode::FORBIDDEN, code, &why))
        }
    }
}

/// Why, in the caller's words.
pub(super) fn reason_of(given: &Given) -> Result<&str, Problem> {
    let reason = given.reason.trim();
    if reason.chars().count() > REASON_CHARS_MAX {
        return Err(Problem::malformed(format!("`reason` has at most {REASON_CHARS_MAX} characters")));
    }
    Ok(reason)
}

pub(super) fn too_old() -> Problem {
    let why = "this draft is another token's, older than an hour, or its word was given already; make another one";
    Problem::new(StatusCode::FORBIDDEN, 463, why)
}

/// What shows that a person signed it; what is recorded with it is what was drafted, whatever was signed.
pub(super) fn proof(asking: &Asking, given: &Given) -> Result<Proof, Problem> {
    let unfit = |why: &str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, 476, why);
    let proof = match (&given.passkey, &given.key_file) {
        (Some(answer), None) => {
            let (id, answer) = read(answer)?;
            Proof::Passkey { id, answer }
        }
        (None, Some(_)) if !asking.workspace.bundle().workspace().mode.accepts_key_files() => {
            let why = "key files approve only in workspaces marked `demo` or `test`";
            return Err(Problem::new(StatusCode::FORBIDDEN, 409, why));
        }
        (None, Some(file)) => {
            let bytes = from_hex(&file.key).zip(from_hex(&file.signature));
            let (key, signature) = bytes.ok_or_else(|| unfit("`key` and `signature` are in hexadecimal digits"))?;
            Proof::KeyFile { key: PublicKey(key), signature: Signature(signature) }
        }
        _ => return Err(unfit("a word comes with either `passkey` or `key_file`")),
    };
    Ok(proof)
}

fn read(answer: &Answer) -> Result<(Vec<u8>, Assertion), Problem> {
    let bytes = |text: &str| {
        let read = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| !bytes.is_empty());
        let why = "the passkey's answer is in base64url, without padding";
        read.ok_or_else(|| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, 476, why))
    };
    let assertion = Assertion {
        client_data: bytes(&answer.client_data)?,
        authenticator_data: bytes(&answer.authenticator_data)?,
        signature: bytes(&answer.signature)?,
    };
    Ok((bytes(&answer.id)?, assertion))
}
