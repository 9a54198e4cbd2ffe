//! What changed between two bundles, and whether more is allowed.

use super::*;

const OLD: &str = "@id(\"x\") @why(\"y\")\nforbid (principal, action in [Action::\"export\", Action::\"notify\"], resource)\n\
                   when { context.privileged } unless { context.satisfied.contains(\"group:a/2\") };";

/// What is another in `new`, one line each.
fn changes(old: &str, new: &str) -> String {
    let differences = bundle(old).differences(&bundle(new));
    let lines = differences.iter().flat_map(|difference| {
        difference.aspects.iter().map(|aspect| format!("{} {}: {}", difference.id, aspect.growth.name(), aspect.words))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn becomes(from: &str, to: &str, told: &str) {
    assert!(OLD.contains(from), "{from}");
    assert_eq!(changes(OLD, &OLD.replacen(from, to, 1)), told);
}

#[test]
fn spaces_comments_and_order_are_no_difference() {
    let other = "// why\n@why(\"y\") @id(\"x\")\nforbid (principal,\n  action in [Action::\"notify\", Action::\"export\"], resource)\nwhen { context . privileged }\n// this\nunless { context.satisfied.contains(\"group:a/2\") };";
    assert_eq!(changes(OLD, other), "");
    assert_eq!(default_bundle().differences(&default_bundle()), []);
}

#[test]
fn a_forbid_that_stops_less_allows_more() {
    becomes("Action::\"export\", ", "", "x yes: it no longer forbids export");
    becomes("[Action", "[Action::\"read\", Action", "x no: it also forbids read");
    becomes("when {", "when { context.solo } when {", "x yes: it also asks that `context.solo`");
    becomes("when { context.privileged }", "", "x no: it no longer asks that `context.privileged`");
    becomes(
        "context.privileged",
        "context.solo",
        "x may: it asked that `context.privileged`, and asks that `context.solo`",
    );
    becomes(
        "(principal,",
        "(principal is Service,",
        "x yes: it was about `principal`, and is about `principal is Service`",
    );
}

#[test]
fn a_permit_that_covers_less_allows_less() {
    let permit = |scope: &str, when: &str| {
        format!("@id(\"x\") @why(\"y\")\npermit (principal, action{scope}, resource) {when};")
    };
    let wide = permit("", "");
    let narrow = permit(" == Action::\"read\"", "when { context.solo }");
    insta::assert_snapshot!(changes(&wide, &narrow), @"
    x no: it no longer permits write, export, grant, execute and notify
    x no: it also asks that `context.solo`
    ");
    insta::assert_snapshot!(changes(&narrow, &wide), @"
    x yes: it also permits write, export, grant, execute and notify
    x yes: it no longer asks that `context.solo`
    ");
}

#[test]
fn remedies_that_are_easier_to_have_allow_more() {
    let with = |annotations: &str| OLD.replacen("@why(\"y\")", &format!("@why(\"y\") {annotations}"), 1);
    let two = with("@remedy(\"approval\") @approvers(\"group:a\") @quorum(\"2\")");
    insta::assert_snapshot!(changes(OLD, &two), @"x yes: it can be lifted now: approval by group:a/2");
    insta::assert_snapshot!(changes(&two, OLD), @"x no: nothing lifts it any more; it was approval by group:a/2");
    let clears = with("@remedy(\"approval\") @approvers(\"group:a\") @quorum(\"2\") @clears(\"origins\")");
    insta::assert_snapshot!(changes(&two, &clears), @"x yes: what lifts it was approval by group:a/2, and is approval by group:a/2, clears origins");
    let one = clears.replace("@quorum(\"2\")", "@quorum(\"1\")");
    insta::assert_snapshot!(changes(&clears, &one), @"x yes: what lifts it was approval by group:a/2, clears origins, and is approval by group:a/1, clears origins");
    insta::assert_snapshot!(changes(&one, &clears), @"x no: what lifts it was approval by group:a/1, clears origins, and is approval by group:a/2, clears origins");
    let others = clears.replace("@approvers(\"group:a\")", "@approvers(\"group:b\")");
    insta::assert_snapshot!(changes(&clears, &others), @"x may: what lifts it was approval by group:a/2, clears origins, and is approval by group:b/2, clears origins");
}

#[test]
fn policies_that_come_and_go_are_told_in_words() {
    let permit = "@id(\"p\") @why(\"because\")\npermit (principal, action == Action::\"read\", resource);\n";
    insta::assert_snapshot!(changes(OLD, permit), @"
    p yes: permits read: because
    x yes: forbids export and notify: y; nothing lifts it
    ");
    insta::assert_snapshot!(changes(permit, OLD), @"
    p no: permits read: because
    x no: forbids export and notify: y; nothing lifts it
    ");
    let flipped = "@id(\"p\") @why(\"because\")\nforbid (principal, action == Action::\"read\", resource);\n";
    assert_eq!(changes(permit, flipped), "p no: it permitted, and forbids now");
    assert_eq!(changes(flipped, permit), "p yes: it forbade, and permits now");
    let words = permit.replace("because", "of `{resource}`");
    assert_eq!(changes(permit, &words), "p no: its reason was: because. it is now: of the destination or dataset");
}
