//! Forms that are signed: with a passkey, by the script, or in a demo with somebody's key file.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::{Markup, html};
use serde::Deserialize;
use sluice_api::drafts::Drafts;
use sluice_api::guard::is_their_form;
use sluice_core::contract::approval::{Proof, SignedStatement, Statement};
use sluice_passkey::Assertion;
use sluice_runtime::clock::now_ms;
use sluice_runtime::enrolment::passkeys_seen;

use crate::page::Asking;
use crate::problem::Problem;

/// With what whoever looks can sign.
pub(crate) struct Signing {
    passkeys: Vec<String>,
    by_file: bool,
}

impl Signing {
    pub(crate) fn of(asking: &Asking) -> Result<Self, Problem> {
        let person = &asking.caller.person;
        let listed = passkeys_seen(asking.house.ledger())?;
        let theirs = listed.iter().map(|listed| &listed.enrolled);
        let theirs = theirs.filter(|one| one.person == *person).map(|one| URL_SAFE_NO_PAD.encode(&one.passkey.id));
        Ok(Self { passkeys: theirs.collect(), by_file: asking.house.demo_key(person).is_some() })
    }

    /// Whether they can at all.
    pub(crate) const fn is_possible(&self) -> bool {
        self.by_file || !self.passkeys.is_empty()
    }

    /// A form of a word about an approval: the statement is kept for this session until it is signed.
    pub(crate) fn word(
        &self,
        asking: &Asking,
        id: &str,
        statement: Statement,
        content: &Markup,
    ) -> Result<Markup, Problem> {
        let challenge = statement.challenge();
        let draft = asking.house.drafts.keep(&asking.caller, id, statement)?;
        Ok(self.form(asking, &format!("/approvals/{id}/say"), &challenge, &draft, content))
    }

    /// A form whose draft was kept.
    pub(crate) fn form(&self, asking: &Asking, to: &str, challenge: &[u8], draft: &str, content: &Markup) -> Markup {
        html! {
            form method="post" action=(to) data-passkey="get" data-challenge=(URL_SAFE_NO_PAD.encode(challenge))
                data-domain=(asking.house.party().id) data-passkeys=(self.passkeys.join(",")) {
                input type="hidden" name="form" value=(asking.caller.form_token);
                input type="hidden" name="draft" value=(draft);
                (answer_fields())
                (content)
            }
        }
    }

    /// The buttons by which it is signed.
    pub(crate) fn buttons(&self, verb: &str, tone: &str) -> Markup {
        html! {
            @if !self.passkeys.is_empty() { button class=(tone) type="submit" { (verb) " with your passkey" } }
            @if self.by_file { button class={ (tone) @if !self.passkeys.is_empty() { " quiet" } } type="submit" name="with" value="demo-key" { (verb) " with the demo's key file" } }
        }
    }
}

/// The places of a passkey's answer; the script fills them.
pub(crate) fn answer_fields() -> Markup {
    html! {
        @for name in ["passkey", "client", "authenticator", "signature"] { input type="hidden" name=(name); }
    }
}

/// A passkey's answer as a form brings it, in base64url.
#[derive(Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    passkey: String,
    #[serde(default)]
    client: String,
    #[serde(default)]
    authenticator: String,
    #[serde(default)]
    signature: String,
}

impl Answer {
    /// The passkey's name, and what its device said.
    pub(crate) fn read(&self) -> Result<(Vec<u8>, Assertion), Problem> {
        let bytes = |text: &str| {
            let read = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| !bytes.is_empty());
            read.ok_or(Problem::Malformed("the passkey's answer is missing; this page needs its script to ask for it"))
        };
        let answer = Assertion {
            client_data: bytes(&self.client)?,
            authenticator_data: bytes(&self.authenticator)?,
            signature: bytes(&self.signature)?,
        };
        Ok((bytes(&self.passkey)?, answer))
    }

    /// What shows that whoever sent it signed these bytes: the passkey's answer, or `with` the demo's key file.
    fn proof(&self, asking: &Asking, bytes: &[u8], with: Option<&str>) -> Result<Proof, Problem> {
        if with == Some("demo-key") {
            let key = asking.house.demo_key(&asking.caller.person);
            let key = key.ok_or(Problem::Malformed("there is no key file of yours here: answer with a passkey"))?;
            return Ok(Proof::KeyFile { key: key.public(), signature: key.sign(bytes) });
        }
        let (id, answer) = self.read()?;
        Ok(Proof::Passkey { id, answer })
    }
}

/// A word that somebody signed, as a form brings it.
#[derive(Deserialize)]
pub(crate) struct Say {
    form: String,
    draft: String,
    #[serde(default)]
    pub(crate) reason: String,
    with: Option<String>,
    #[serde(flatten)]
    answer: Answer,
}

impl Say {
    /// Their word about an approval, and for how long its page was open, in ms.
    pub(crate) fn signed(&self, asking: &Asking, id: &str) -> Result<(SignedStatement, u64), Problem> {
        let (statement, proof, read_ms) = self.taken(asking, &asking.house.drafts, id, Statement::to_bytes)?;
        Ok((SignedStatement { statement, proof }, read_ms))
    }

    /// What was kept for this session, what shows that they signed it, and for how long its page was open, in ms. It is taken:
    /// a form serves once.
    pub(crate) fn taken<S>(
        &self,
        asking: &Asking,
        kept: &Drafts<S>,
        about: &str,
        bytes: impl FnOnce(&S) -> Vec<u8>,
    ) -> Result<(S, Proof, u64), Problem> {
        is_their_form(&asking.caller, &self.form).map_err(|why| Problem::Refused(why.to_owned()))?;
        let again = "SL463: this page was opened too long ago, or its word was already given; open it again";
        let draft = kept.take(&asking.caller, about, &self.draft).ok_or_else(|| Problem::Refused(again.to_owned()))?;
        let proof = self.answer.proof(asking, &bytes(&draft.statement), self.with.as_deref())?;
        Ok((draft.statement, proof, now_ms().saturating_sub(draft.opened_ms)))
    }
}
