//! `sluice policy diff`: what changed in the rules, and what of it allows more.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

/// `how about name: words` of each difference that a program is told.
fn differences(sandbox: &Sandbox, code: i32) -> Vec<String> {
    let told = sandbox.sluice(&["policy", "diff", "--format", "json"]).with(code).json();
    let all = told["differences"].as_array().unwrap().iter();
    let lines = all.flat_map(|change| {
        let head = format!("{} {} {}", change["how"], change["about"], change["name"]).replace('"', "");
        let aspects = change["aspects"].as_array().unwrap().clone();
        aspects
            .into_iter()
            .map(move |a| format!("{head}: {} {}", a["grows"].as_str().unwrap(), a["words"].as_str().unwrap()))
    });
    lines.collect()
}

#[test]
fn nothing_differs_from_what_was_signed() {
    let sandbox = Sandbox::with_workspace();
    assert_snapshot!(sandbox.sluice(&["policy", "diff"]).with(0).out, @"
    no difference that counts

    0 decisions asked again of the later policies: none would be another
    asked with the labels and approvals of then: other contracts or classes are not
    part of this
    ");
    // What people write for people is no difference.
    sandbox.edit("ws/policies/leaving.cedar", |text| format!("// more words\n{text}"));
    sandbox.edit("ws/connectors/greetings.yaml", |text| format!("# more words\n{text}"));
    assert_eq!(differences(&sandbox, 0), [] as [&str; 0]);
}

#[test]
fn what_allows_more_is_marked_and_comes_first() {
    let sandbox = Sandbox::with_workspace();
    sandbox.write("ws/input.json", r#"{"name": "Ada"}"#);
    sandbox.sluice(&["run", "workflows/hello.yaml", "--input", "input.json", "--author", "ana"]).with(0);
    sandbox.edit("ws/policies/leaving.cedar", |text| {
        text.replace(
            "when { context.arguments.unknown || context.control.unknown }",
            "when { context.arguments.unknown }",
        )
    });
    sandbox.write(
        "ws/policies/mine.cedar",
        "@id(\"no-writing\")\n@why(\"nothing is written\")\nforbid (principal, action == Action::\"write\", resource);\n",
    );
    sandbox.edit("ws/registers/destinations.yaml", |text| {
        text.replace(
            "destinations: {}",
            "destinations:\n  partner: { owner: owners, region: here, cleared: [internal] }",
        )
    });
    sandbox.edit("ws/connectors/greetings.yaml", |text| text.replace("per_hour: 1000", "per_hour: 2000"));
    let shown = sandbox.sluice(&["policy", "diff"]).with(1).out;
    let shown: Vec<&str> = shown.lines().filter(|line| !line.contains("entries 4 (")).collect();
    assert_snapshot!(shown.join("\n"), @"
    contract greetings  changed
      allows more  `limits per_hour` of `append` was 1000, and is 2000
    destination partner  added
      allows more  data can be sent to it, in region `here`, cleared for internal
    policy unclassified-data-leaves  changed
      may allow    it asked that `context.arguments.unknown ||
                   context.control.unknown`, and asks that
                   `context.arguments.unknown`
    policy no-writing  added
                   forbids write: nothing is written; nothing lifts it

    4 differences: 2 allow more, 1 may
    files: connectors/greetings.yaml (changed), policies/leaving.cedar (changed),
           policies/mine.cedar (added), registers/destinations.yaml (changed)

        1 greetings.append  permit would be forbid
          nothing is written

    1 decisions asked again of the later policies: 1 would be another
    asked with the labels and approvals of then: other contracts or classes are not
    part of this
    ");
}

#[test]
fn every_kind_of_rule_is_compared_and_its_growth_known() {
    for (file, from, to, told) in [
        (
            "workspace.yaml",
            "mode: test",
            "mode: demo",
            "changed workspace notes: no its mode was `test`, and is `demo`",
        ),
        (
            "workspace.yaml",
            "mode: test",
            "mode: test\nlogin_groups: { claim: groups, groups: { it: owners } }",
            "changed workspace notes: yes who has `it` in `groups` of the identity provider's word is in `owners`",
        ),
        (
            "registers/classification.yaml",
            "owner: owners",
            "owner: owners\n    purposes: { only: [operations] }",
            "changed category internal: no its owner allows only these purposes: operations",
        ),
        (
            "registers/purposes.yaml",
            "purposes:",
            "purposes:\n  fun: {}",
            "added purpose fun: may data can be used for it",
        ),
        (
            "connectors/greetings.yaml",
            "trust: { \"\": trusted }",
            "trust: { \"\": origin }",
            "changed contract greetings: no `output trust ` of `append` was \"trusted\", and is \"origin\"",
        ),
        (
            "connectors/greetings.yaml",
            "labels: { \"\": [internal] }",
            "labels: { \"\": [] }",
            "changed contract greetings: yes `output labels ` of `append` was [\"internal\"], and is []",
        ),
        (
            "connectors/greetings.yaml",
            "per_hour: 1000, ",
            "",
            "changed contract greetings: yes `limits per_hour` of `append` is gone; it was 1000",
        ),
        (
            "connectors/greetings.yaml",
            "effect: write",
            "effect: write\n    privileged: true",
            "changed contract greetings: no `privileged` of `append` is new: true",
        ),
        (
            "connectors/greetings.yaml",
            "folder: data",
            "folder: other",
            "changed contract greetings: yes `transport files folder` was \"data\", and is \"other\"",
        ),
        (
            "connectors/greetings.yaml",
            "trust: { \"\": trusted }",
            "trust: { \"\": trusted, \"/a\": origin }",
            "changed contract greetings: no `output trust /a` of `append` is new: \"origin\"",
        ),
        (
            "connectors/greetings.yaml",
            "labels: { \"\": [internal] }",
            "labels: { \"\": [internal], \"/a\": [] }",
            "changed contract greetings: yes `output labels /a` of `append` is new: []",
        ),
        (
            "connectors/service-desk.yaml",
            "scopes: [tickets.read]",
            "scopes: [tickets.read, tickets.write]",
            "changed contract service-desk: yes `credential scopes` was [\"tickets.read\"], and is [\"tickets.read\",\"tickets.write\"]",
        ),
        ("registers/regions.yaml", "regions:", "regions:\n  there: {}", "added region there: may data can lie there"),
        (
            "policies/tests/default.yaml",
            "an analysed workflow reads",
            "it reads",
            "changed tests policies/tests/: no nothing shows any more: an analysed workflow reads",
        ),
        (
            "policies/storing.cedar",
            "@quorum(\"1\")",
            "@quorum(\"2\")",
            "changed policy write-drops-categories: no what lifts it was approval by owner-of:write_excess/1, and is approval by owner-of:write_excess/2",
        ),
    ] {
        let sandbox = Sandbox::with_workspace();
        sandbox.edit(&format!("ws/{file}"), |text| {
            let text = text.replacen(from, to, 1);
            if file.ends_with("storing.cedar") {
                text.replacen("write_excess/1\"", "write_excess/2\"", 1)
            } else {
                text
            }
        });
        let code = i32::from(!told.contains(": no ") || file.ends_with(".cedar"));
        let all = differences(&sandbox, code);
        assert!(all.iter().any(|line| line == told), "{told}: {all:#?}");
    }
}

#[test]
fn two_folders_are_compared_where_they_are_named() {
    let sandbox = Sandbox::with_workspace();
    let other = Sandbox::with_workspace();
    other.sluice(&["policy", "add", "budgets"]).with(0);
    let folder = other.path("ws").display().to_string();
    let later = sandbox.sluice(&["policy", "diff", "--bundle", &folder]).with(0).out;
    assert!(later.contains("budget-amount-ceiling  added") && later.contains("none of which allows more"), "{later}");
    let earlier = sandbox.sluice(&["policy", "diff", "--against", &folder]).with(1).out;
    assert!(earlier.contains("budget-amount-ceiling  removed") && earlier.contains("allows more"), "{earlier}");
    let nowhere = sandbox.sluice(&["policy", "diff", "--against", "nowhere"]).with(2).err;
    assert!(nowhere.contains("is no workspace"), "{nowhere}");
}

#[test]
fn rules_that_come_back_are_the_ones_in_force() {
    let sandbox = Sandbox::with_workspace();
    let write = |text: &str| sandbox.write("ws/policies/mine.cedar", text);
    let rule = "@id(\"mine\") @why(\"x\")\nforbid (principal, action, resource) when { context.solo };\n";
    write(rule);
    sandbox.sign("ana").with(0);
    assert_eq!(differences(&sandbox, 0).len(), 0);
    std::fs::remove_file(sandbox.path("ws/policies/mine.cedar")).unwrap();
    sandbox.sign("ana").with(0);
    // The same bytes as in the beginning are in force again.
    assert_eq!(differences(&sandbox, 0).len(), 0);
    write(rule);
    assert!(differences(&sandbox, 0)[0].starts_with("added policy mine: no forbids every action"));
}
