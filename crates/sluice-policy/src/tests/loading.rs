//! What refuses a bundle, and where.

use super::*;
use crate::{Polarity, PolicyId};

/// Every flaw: code, place, message.
fn flaws(text: &str) -> String {
    let flaws = Bundle::load(&[("test.cedar", text)]).expect_err("a flaw");
    let lines = flaws.iter().map(|f| {
        let d = &f.diagnostic;
        let snippet: String = text.get(d.span.start..d.span.end).unwrap_or("?").chars().take(40).collect();
        format!("{} {}:{}:{} `{}` {}", d.code, f.text, d.span.line, d.span.column, snippet, d.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A forbid with these annotations.
fn forbid(annotations: &str) -> String {
    format!(
        "@id(\"x\") @why(\"y\")\n{annotations}\nforbid (principal, action, resource)\nunless {{ context.satisfied.contains(\"group:g/1\") }};"
    )
}

#[test]
fn text_that_is_no_policy() {
    insta::assert_snapshot!(flaws("permit (principal, action, resource)\nwhen { context. };"), @r#"SL301 test.cedar:2:17 `}` unexpected token `}`"#);
}

#[test]
fn an_attribute_that_the_schema_does_not_have() {
    insta::assert_snapshot!(flaws("@id(\"x\") @why(\"y\")\npermit (principal, action, resource)\nwhen { context.rolls.payload.unknown };"), @r#"SL302 test.cedar:3:8 `context.rolls.payload.unknown` attribute `rolls` in context not found"#);
}

#[test]
fn a_policy_that_can_never_say_anything() {
    insta::assert_snapshot!(flaws("@id(\"x\") @why(\"y\")\nforbid (principal, action, resource) when { false };"), @r#"
    SL302 test.cedar:1:1 `@id("x") @why("y")
    forbid (principal, ac` policy is impossible: the policy expression evaluates to false for all valid requests
    "#);
}

#[test]
fn a_template() {
    insta::assert_snapshot!(flaws("@id(\"x\") @why(\"y\")\npermit (principal == ?principal, action, resource);"), @r#"SL309 test.cedar:1:1 `` `policy0` is a template: nothing here would ever fill its slots"#);
}

#[test]
fn ids_missing_doubled_or_odd() {
    insta::assert_snapshot!(flaws(
        "@why(\"y\")\npermit (principal, action, resource);\n@id(\"A b\")\npermit (principal, action, resource);\n\
         @id(\"x\") @why(\"y\")\npermit (principal, action, resource);\n@id(\"x\") @why(\"y\")\npermit (principal, action, resource);"
    ), @r#"
    SL303 test.cedar:1:1 `@why("y")
    permit (principal, action, res` a policy has no proper `@id`
    SL303 test.cedar:3:1 `@id("A b")
    permit (principal, action, re` a policy has no proper `@id`
    SL303 test.cedar:7:1 `@id("x") @why("y")
    permit (principal, ac` `x` is also the id of a policy in `test.cedar`
    "#);
}

#[test]
fn a_reason_missing_or_with_a_place_that_nothing_fills() {
    insta::assert_snapshot!(flaws("@id(\"x\")\npermit (principal, action, resource);\n@id(\"z\") @why(\"no {payload.shoes}\")\npermit (principal, action, resource);"), @r#"
    SL304 test.cedar:1:1 `@id("x")
    permit (principal, action, reso` `x` does not say why
    SL304 test.cedar:3:10 `@why("no {payload.shoes}")` `{payload.shoes}` in the reason of `z` names nothing of a request
    "#);
}

#[test]
fn remedies_misspelt_or_incomplete() {
    let cases = [
        "@remedie(\"approval\")",
        "@remedy(\"prayer\")",
        "@remedy(\"approval\") @quorum(\"1\")",
        "@remedy(\"approval\") @approvers(\"group:g\")",
        "@remedy(\"approval\") @approvers(\"group:\") @quorum(\"1\")",
        "@remedy(\"approval\") @approvers(\"owner-of:shoes\") @quorum(\"1\")",
        "@remedy(\"approval\") @approvers(\"group:g\") @quorum(\"0\")",
        "@remedy(\"approval\") @approvers(\"group:g\") @quorum(\"10\")",
        "@remedy(\"approval\") @approvers(\"group:g\") @quorum(\"1\") @clears(\"categories\")",
        "@remedy(\"redact\") @quorum(\"1\")",
        "@approvers(\"group:g\")",
        "@remedy(\"approval\") @approvers(\"group:h\") @quorum(\"1\")",
        "@remedy(\"ticket\") @names(\"recipient\")",
        "@remedy(\"ticket\") @ticket(\"desk\") @names(\"recipient\")",
        "@remedy(\"ticket\") @ticket(\"desk.show\") @names(\"shoes\")",
        "@remedy(\"ticket\") @ticket(\"desk.show\") @names(\"recipient\")",
        "@remedy(\"ticket\") @quorum(\"1\")",
        "@remedy(\"redact\") @ticket(\"desk.show\")",
    ];
    let told: Vec<String> = cases.iter().map(|case| flaws(&forbid(case))).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    SL305 test.cedar:2:1 `@remedie("approval")` `x` has an unknown annotation `@remedie`
    SL306 test.cedar:2:1 `@remedy("prayer")` `x`: unknown remedy `prayer`: there are `approval`, `redact`, `endorse` and `ticket`
    SL306 test.cedar:2:1 `@remedy("approval")` `x`: an approval needs `@approvers`
    SL306 test.cedar:2:1 `@remedy("approval")` `x`: an approval needs `@quorum`
    SL306 test.cedar:2:21 `@approvers("group:")` `x`: unknown approvers `group:`: there are `owner-of:` a role, `arguments`, `control`, `write_excess` or `resource`, `group:<id>`, `person:<id>` and `manager-of:requester`
    SL306 test.cedar:2:21 `@approvers("owner-of:shoes")` `x`: unknown approvers `owner-of:shoes`: there are `owner-of:` a role, `arguments`, `control`, `write_excess` or `resource`, `group:<id>`, `person:<id>` and `manager-of:requester`
    SL306 test.cedar:2:43 `@quorum("0")` `x`: a quorum is a number from 1 to 9, not `0`
    SL306 test.cedar:2:43 `@quorum("10")` `x`: a quorum is a number from 1 to 9, not `10`
    SL306 test.cedar:2:56 `@clears("categories")` `x`: an approval can clear `origins`, not `categories`
    SL306 test.cedar:2:19 `@quorum("1")` `x`: `@quorum` belongs to an approval, and `redact` is none
    SL306 test.cedar:2:1 `@approvers("group:g")` `x`: `@approvers` without `@remedy`
    SL308 test.cedar:2:1 `@remedy("approval")` `x` asks for `group:h/1` and never looks for it
    SL306 test.cedar:2:1 `@remedy("ticket")` `x`: a ticket needs `@ticket`
    SL306 test.cedar:2:19 `@ticket("desk")` `x`: `@ticket` is `connector.action`, and `@names` the role of what the ticket must name
    SL306 test.cedar:2:19 `@ticket("desk.show")` `x`: `@ticket` is `connector.action`, and `@names` the role of what the ticket must name
    SL308 test.cedar:2:1 `@remedy("ticket")` `x` asks for `ticket:desk.show/recipient` and never looks for it
    SL306 test.cedar:2:19 `@quorum("1")` `x`: `@quorum` belongs to an approval, and `ticket` is none
    SL306 test.cedar:2:19 `@ticket("desk.show")` `x`: `@ticket` belongs to a ticket, and `redact` is none
    "#);
}

#[test]
fn a_remedy_on_a_permit() {
    insta::assert_snapshot!(flaws("@id(\"x\") @why(\"y\")\n@remedy(\"redact\")\npermit (principal, action, resource);"), @r#"SL307 test.cedar:2:1 `@remedy("redact")` `x` is a permit, and `@remedy` belongs to a forbid"#);
}

#[test]
fn every_flaw_of_every_text_is_reported_at_once() {
    let flaws = Bundle::load(&[("b.cedar", "permit"), ("a.cedar", &forbid("@remedy(\"prayer\")"))]).expect_err("flaws");
    assert_eq!(flaws.iter().map(|f| &*f.text).collect::<Vec<_>>(), ["a.cedar", "b.cedar"]);
}

#[test]
fn the_digest_covers_names_and_texts_but_not_their_order() {
    let permit = |id: &str| format!("@id(\"{id}\") @why(\"y\") permit (principal, action, resource);");
    let load = |sources: &[(&str, String)]| Bundle::load(sources).unwrap().digest();
    let (a, b) = (("a", permit("a")), ("b", permit("b")));
    let both = load(&[a.clone(), b.clone()]);
    assert_eq!(both, load(&[b.clone(), a.clone()]));
    assert_ne!(both, load(&[("a", permit("a")), ("c", permit("b"))]));
    assert_ne!(both, load(&[("a", permit("a")), ("b", permit("c"))]));
    assert_ne!(both, load(&[a]));
}

#[test]
fn a_policy_is_shown_with_its_own_text_and_place() {
    let bundle = default_bundle();
    let policy = bundle.policy(&PolicyId("untrusted-query".into())).unwrap();
    insta::assert_snapshot!(format!("{} line {}\n{}", policy.text, policy.span.line, policy.source), @r#"
    choosing.cedar line 49
    @id("untrusted-query")
    @why("what is looked up was written by {query.outside}")
    @remedy("endorse")
    forbid (principal, action, resource)
    when { !context.roles.query.outside.isEmpty() }
    unless { ["session", "planned"].contains(context.standing) };
    "#);
}

#[test]
fn the_roles_and_effects_of_the_schema_are_the_cores() {
    let (schema, _) = cedar_policy::Schema::from_cedarschema_str(crate::SCHEMA).unwrap();
    let actions: BTreeSet<String> = schema.actions().map(|a| a.id().unescaped().to_owned()).collect();
    assert_eq!(actions, Effect::ALL.iter().map(|e| e.name().to_owned()).collect());
    for role in Role::ALL {
        assert!(crate::SCHEMA.contains(&format!("    {role}: Atoms,\n")), "{role}");
    }
}

/// Where the check stops, for a condition in a permit or forbid of reads.
fn polarity(effect: &str, condition: &str) -> String {
    let text = format!(
        "@id(\"x\") @why(\"y\")\n{effect} (principal, action == Action::\"read\", resource)\nwhen {{ {condition} }};"
    );
    let bundle = bundle(&text);
    assert_eq!(bundle.antitone(Effect::Write), Polarity::Antitone, "the policy is about reads");
    match bundle.antitone(Effect::Read) {
        Polarity::Antitone => "antitone".to_owned(),
        Polarity::NotShown { why, span, .. } => {
            format!("not shown: {why} [{}]", text.get(span.start..span.end).unwrap_or("?"))
        }
    }
}

#[test]
fn what_the_polarity_check_shows() {
    for condition in [
        "context.control.unknown",
        "context.control.unknown == true",
        "!(context.control.unknown == false)",
        "context.roles.payload.categories.contains(\"phi\")",
        "context.roles.payload.categories.containsAny([\"phi\", \"pii\"])",
        "context.roles.payload.categories.containsAll([\"phi\", \"pii\"])",
        "!context.roles.payload.outside.isEmpty() && context.purpose == \"x\"",
        "![\"phi\"].containsAll(context.arguments.categories)",
        "if context.solo then context.control.unknown else context.arguments.unknown",
        "context.facts.calls_this_run * 2 > 5",
    ] {
        assert_eq!(polarity("forbid", condition), "antitone", "{condition}");
        let negated = format!("!({condition})");
        assert_eq!(polarity("permit", &negated), "antitone", "{negated}");
    }
}

#[test]
fn what_it_does_not_show() {
    let cases = [
        ("permit", "context.roles.payload.categories.contains(\"public\")"),
        ("forbid", "context.roles.payload.categories.isEmpty()"),
        ("forbid", "context.control.unknown == context.solo"),
        ("forbid", "context.control.unknown && !context.arguments.unknown"),
        ("forbid", "if context.control.unknown then context.solo else !context.solo"),
        ("forbid", "context.roles.payload.categories == [\"phi\"]"),
        ("forbid", "[\"phi\"].containsAll(context.arguments.categories)"),
        ("forbid", "context.control.unknown || context.facts.calls_this_run * 2 > 5"),
        ("forbid", "context == context"),
    ];
    let told: Vec<String> = cases.iter().map(|(effect, condition)| polarity(effect, condition)).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    not shown: it permits more when the label grows [context.roles.payload.categories.contains("public")]
    not shown: it forbids less when the label grows [context.roles.payload.categories.isEmpty()]
    not shown: `context.control.unknown == context.solo` compares a label [context.control.unknown == context.solo]
    not shown: `context.control.unknown && !context.arguments.unknown` moves both ways with the label [context.control.unknown && !context.arguments.unknown]
    not shown: `if context.control.unknown then context.solo else !context.solo` chooses by the label [if context.control.unknown then context.solo else !context.solo]
    not shown: `context.roles.payload.categories == ["phi"]` compares a label [context.roles.payload.categories == ["phi"]]
    not shown: it forbids less when the label grows [["phi"].containsAll(context.arguments.categories)]
    not shown: `context.facts.calls_this_run * 2` can fail to evaluate beside a label [context.facts.calls_this_run * 2]
    not shown: `context` uses the whole context as a value [context]
    "#);
}

#[test]
fn the_reference_page_names_every_attribute_policy_approver_and_code() {
    let page = include_str!("../../../../docs/policy.md");
    let (schema, _) = cedar_policy::SchemaFragment::from_cedarschema_str(crate::SCHEMA).unwrap();
    let schema = schema.to_json_value().unwrap();
    let keys = |name: &str| {
        let fields = &schema[""]["commonTypes"][name]["attributes"];
        fields.as_object().expect("a record").keys().cloned().collect::<Vec<_>>()
    };
    let attributes = keys("Gate").into_iter().chain(keys("Atoms"));
    let policies = default_bundle().policies().map(|p| p.id.to_string()).collect::<Vec<_>>();
    let codes = (301..=310).chain(320..=322).map(|n| format!("SL{n}"));
    for word in attributes.chain(policies).chain(codes).chain(["manager-of:requester".to_owned()]) {
        assert!(page.contains(&word), "docs/policy.md does not name `{word}`");
    }
}

#[test]
fn policies_that_look_at_facts_of_the_run_are_named() {
    let bundle = bundle(
        "@id(\"x\") @why(\"y\") permit (principal, action == Action::\"read\", resource) when { context.now_ms > 5 };
         @id(\"z\") @why(\"y\") permit (principal, action, resource) when { context.solo };",
    );
    assert_eq!(bundle.reads_run_facts(Effect::Read), [PolicyId("x".into())]);
    assert!(bundle.reads_run_facts(Effect::Write).is_empty());
}
