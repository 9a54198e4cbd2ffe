//! Who answers a question: this workspace's own rules, or those of other applications.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use sluice_core::contract::bundle::BundleDigest;
use sluice_policy::guest::Guest;
use sluice_runtime::workspace::{APPLICATIONS_FOLDER, Workspace};

use super::ours;
use super::wire::{Answer, Asked, Evaluation};
use crate::rest::Asking;

/// The policies of other applications, read once for each bundle.
#[derive(Default)]
pub(crate) struct Guests(Mutex<Option<(BundleDigest, Known)>>);

/// What there is of other applications: nothing, something that cannot be used, or their policies.
pub(super) type Known = Result<Option<Arc<Guest>>, String>;

impl Guests {
    /// Those of the bundle in force.
    pub(super) fn of(&self, workspace: &Workspace) -> Known {
        let digest = workspace.bundle().digest();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, known)) = &*kept
            && *of == digest
        {
            return known.clone();
        }
        let known = read(workspace);
        *kept = Some((digest, known.clone()));
        known
    }
}

fn read(workspace: &Workspace) -> Known {
    let files = workspace.bundle().files().iter().filter(|(path, _)| path.starts_with(APPLICATIONS_FOLDER));
    let mut texts = Vec::new();
    for (path, bytes) in files {
        let text = std::str::from_utf8(bytes).map_err(|_| format!("SL481: `{path}` is no UTF-8 text"))?;
        texts.push((path, text));
    }
    if texts.is_empty() {
        return Ok(None);
    }
    Guest::load(&texts).map(|guest| Some(Arc::new(guest))).map_err(|flaw| format!("SL481: {flaw}"))
}

/// Answers one question.
pub(super) fn decide(asking: &Asking, question: &Evaluation) -> Answer {
    let asked = question.asked();
    if ours::is_ours(&asked.resource.kind) { ours::decide(asking, &asked) } else { theirs(asking, &asked) }
}

fn theirs(asking: &Asking, asked: &Asked) -> Answer {
    let reason =
        |reason: &str, words: &str| Answer::of(false, json!({ "reason": reason, "reason_admin": { "en": words } }));
    match asking.house.guests.of(&asking.workspace) {
        Err(why) => reason("policies_unusable", &why),
        Ok(None) => reason("unknown_application", "this workspace keeps no policies for such questions"),
        Ok(Some(guest)) => {
            let said = guest.decide(&asked.subject, &asked.deed, &asked.resource);
            match &said.why {
                Some(why) => reason("not_evaluated", why),
                None => {
                    Answer::of(said.is_allowed, json!({ "policies": said.policies, "obligations": said.obligations }))
                }
            }
        }
    }
}
