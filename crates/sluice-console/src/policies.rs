//! The rules in force, in words.

use std::sync::Arc;

use axum::extract::State;
use maud::{Markup, html};
use sluice_api::House;
use sluice_api::guard::Visitor;
use sluice_policy::PolicyInfo;
use sluice_render::markup::{Message, Seen};

use crate::page::{Asking, Room, Shown, aside, framed};
use crate::words::who;

pub(crate) async fn page(State(house): State<Arc<House>>, visitor: Visitor) -> Shown {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        let workspace = &asking.workspace;
        let all: Vec<&PolicyInfo> = workspace.policies().policies().collect();
        let (permits, forbids): (Vec<&PolicyInfo>, Vec<&PolicyInfo>) = all.iter().partition(|info| info.permits);
        let content = html! {
            h1 { "Policies" }
            p.lead { (all.len()) " policies decide every call. What none of them permits is forbidden, and what one forbids no other permits." }
            dl.facts {
                dt { "bundle" } dd.digest { (workspace.bundle().digest()) }
                dt { "signed by" } dd { @for (number, signer) in workspace.bundle().signers().iter().enumerate() { @if number > 0 { ", " } (who(workspace, signer)) } }
            }
            (section("forbids", "What is forbidden, or held until somebody agrees", &forbids))
            (section("permits", "What is permitted", &permits))
        };
        Ok(framed(&asking, Room::Policies, "Policies", false, &content))
    })
    .await
}

fn section(id: &str, title: &str, policies: &[&PolicyInfo]) -> Markup {
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (title) " " span.count { (policies.len()) } }
            @for info in policies {
                details.policy {
                    summary {
                        code { (Seen(&info.id.to_string())) } " "
                        span.words { (Message(&info.why)) }
                        @if let Some(remedy) = &info.remedy { " " span.tag.warn { (Seen(remedy)) } }
                    }
                    pre.listing tabindex="0" { @for line in info.source.lines() { span.line { (Seen(line)) } "\n" } }
                }
            }
        }
    }
}
