//! The rules on workflows of GitHub Actions, and which of their flows are pasted.

use sluice_core::edit::Fix;
use sluice_formats::github_actions::ActionsFace;
use sluice_formats::{Import, Mends};

use super::{FaceRule, FlowRule, RuleMeta, is_script, poisoned_environment, template_injection};
use super::{
    all_rights, all_secrets, dangerous_trigger, kept_credentials, no_permissions, poisoned_cache, runs_artifact,
    runs_outsiders_code, secret_in_script, secrets_inherited, self_hosted_runner, unmasked_secret, unpinned_action,
    unpinned_image, unpinned_official_action, unsecure_commands, weak_condition, wide_write,
};
use crate::survey::{Flow, FlowKind};

const FACE_RULES: &[&FaceRule] = &[
    &runs_outsiders_code::RULE,
    &unpinned_action::RULE,
    &unpinned_official_action::RULE,
    &all_rights::RULE,
    &no_permissions::RULE,
    &secret_in_script::RULE,
    &all_secrets::RULE,
    &secrets_inherited::RULE,
    &runs_artifact::RULE,
    &self_hosted_runner::RULE,
    &unsecure_commands::RULE,
    &kept_credentials::RULE,
    &dangerous_trigger::RULE,
    &unmasked_secret::RULE,
    &unpinned_image::RULE,
    &wide_write::RULE,
    &poisoned_cache::RULE,
    &weak_condition::RULE,
];

/// Every rule, in the order of its code.
pub(super) fn all() -> impl Iterator<Item = &'static RuleMeta> {
    let flows = [&template_injection::IN_COMMAND.meta, &poisoned_environment::RULE.meta];
    let mut all: Vec<&'static RuleMeta> = FACE_RULES.iter().map(|rule| &rule.meta).chain(flows).collect();
    all.sort_by_key(|meta| meta.code);
    all.into_iter()
}

pub(super) fn rule_of(face: ActionsFace) -> &'static FaceRule {
    match face {
        ActionsFace::RunsOutsidersCode => &runs_outsiders_code::RULE,
        ActionsFace::UnpinnedAction => &unpinned_action::RULE,
        ActionsFace::UnpinnedOfficialAction => &unpinned_official_action::RULE,
        ActionsFace::AllRights => &all_rights::RULE,
        ActionsFace::NoPermissions => &no_permissions::RULE,
        ActionsFace::SecretInScript => &secret_in_script::RULE,
        ActionsFace::AllSecrets => &all_secrets::RULE,
        ActionsFace::SecretsInherited => &secrets_inherited::RULE,
        ActionsFace::RunsArtifact => &runs_artifact::RULE,
        ActionsFace::SelfHosted => &self_hosted_runner::RULE,
        ActionsFace::UnsecureCommands => &unsecure_commands::RULE,
        ActionsFace::KeptCredentials => &kept_credentials::RULE,
        ActionsFace::DangerousTrigger => &dangerous_trigger::RULE,
        ActionsFace::UnmaskedSecret => &unmasked_secret::RULE,
        ActionsFace::UnpinnedImage => &unpinned_image::RULE,
        ActionsFace::WideWrite => &wide_write::RULE,
        ActionsFace::PoisonedCache => &poisoned_cache::RULE,
        ActionsFace::WeakCondition => &weak_condition::RULE,
    }
}

/// Which fix of the importer mends what the text shows.
pub(super) const fn mended(face: ActionsFace) -> Option<Mends> {
    match face {
        ActionsFace::KeptCredentials => Some(Mends::KeptCredentials),
        ActionsFace::NoPermissions => Some(Mends::NoPermissions),
        _ => None,
    }
}

/// How text that is pasted into a step's own script becomes a variable; not where it gets into the step another way, too.
pub(super) fn fix_of_flows(import: &Import, rule: &FlowRule, flows: &[&Flow]) -> Option<Fix> {
    let sink = flows.first()?.sink;
    let is_pasted = |flow: &&Flow| flow.parameters.iter().all(|name| name.as_ref() == "run");
    let is_rule = rule.meta.code == template_injection::IN_COMMAND.meta.code && rule.kind == FlowKind::Command;
    let applies = is_rule && flows.iter().all(is_pasted);
    import.mends.get(&(sink, Mends::Pasted)).filter(|_| applies).cloned()
}

/// Flows under the rule that speaks of them.
type Ruled<'f> = (&'static FlowRule, Vec<&'f Flow>);

/// The flows that the format's own rules speak of, and the others.
pub(super) fn split<'f>(import: &Import, flows: &'f [Flow]) -> (Vec<Ruled<'f>>, Vec<&'f Flow>) {
    let mut own: Vec<Ruled<'f>> = vec![
        (&template_injection::IN_COMMAND, Vec::new()),
        (&template_injection::IN_CODE, Vec::new()),
        (&poisoned_environment::RULE, Vec::new()),
    ];
    let mut rest = Vec::new();
    for flow in flows {
        let rule = own_rule(flow).filter(|_| is_script(import));
        match rule.and_then(|n| own.get_mut(n)) {
            Some((_, flows)) => flows.push(flow),
            None => rest.push(flow),
        }
    }
    (own, rest)
}

fn own_rule(flow: &Flow) -> Option<usize> {
    let is_environment = |name: &&str| *name == "GITHUB_ENV";
    let is_evaluated = |name: &&str| name.ends_with(" (evaluated)");
    let names: Vec<&str> = flow.parameters.iter().map(AsRef::as_ref).collect();
    match flow.kind {
        FlowKind::Command => (!names.iter().all(is_evaluated)).then_some(0),
        FlowKind::Code if names.iter().all(is_environment) => Some(2),
        FlowKind::Code => Some(1),
        _ => None,
    }
}
