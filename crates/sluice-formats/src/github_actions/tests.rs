//! The parts by themselves; flows are tested where they are followed, in `sluice-verify`.

use sluice_core::document;
use sluice_core::text::Text;

use super::admits::{admits, condition, weakness};
use super::expression::{Ast, parse};
use super::knowledge::Knowledge;
use super::script;
use super::template::{Piece, pieces};

fn refusal(text: &str) -> String {
    let text = Text::new("workflow.yml", text);
    let tree = document::read(&text).unwrap();
    let errors = super::import(&text, &tree).unwrap_err();
    errors.iter().map(|e| format!("{} {}:{}", e.code, e.span.line, e.span.column)).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_no_workflow_is_refused_with_its_place() {
    let cases = [
        ("a: 1\n", "SL801 1:1"),
        ("on: push\n", "SL801 1:1"),
        ("on: push\njobs: [a]\n", "SL801 1:1"),
        ("on: push\njobs:\n  a: 1\n  b: text\n", "SL820 3:6 SL820 4:6"),
        ("on: push\njobs:\n  a:\n    steps: 1\n", "SL820 4:12"),
        ("on: push\njobs:\n  a:\n    steps:\n      - text\n", "SL820 5:9"),
        ("on: push\njobs:\n  a: { needs: b }\n  b: { needs: [a] }\n", "SL821 3:15"),
        ("on: push\njobs:\n  a: { needs: a }\n", "SL821 3:15"),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(text), expected, "{text}");
    }
}

#[test]
fn more_than_is_read_is_refused() {
    let jobs: String = (0..=super::JOBS_MAX).map(|n| format!("  j{n}: {{ steps: [] }}\n")).collect();
    assert_eq!(refusal(&format!("on: push\njobs:\n{jobs}")), "SL802 1:1");
    let steps = "      - run: a\n".repeat(super::STEPS_MAX + 1);
    assert_eq!(refusal(&format!("on: push\njobs:\n  a:\n    steps:\n{steps}")), "SL802 1:1");
    let many = "${{ a }}".repeat(super::TEMPLATES_MAX + 1);
    assert_eq!(refusal(&format!("on: push\njobs:\n  a:\n    steps:\n      - run: '{many}'\n")), "SL802 1:1");
}

#[test]
fn expressions_are_read_as_github_reads_them() {
    let path = |text: &str| parse(text).and_then(|ast| ast.path()).map(|path| path.join("/"));
    assert_eq!(path("github.event.issue.title").as_deref(), Some("github/event/issue/title"));
    assert_eq!(path(" GitHub['event'].head-ref ").as_deref(), Some("github/event/head-ref"));
    assert_eq!(parse("'it''s'"), Some(Ast::Text("it's".to_owned())));
    let or = parse("a && b || !c == 1.5e3").unwrap();
    assert!(matches!(&or, Ast::Or(left, _) if matches!(left.as_ref(), Ast::And(..))), "{or:?}");
    assert!(
        matches!(parse("f(a, b[0].c.*.d)"), Some(Ast::Call(name, arguments)) if name == "f" && arguments.len() == 2)
    );
    for wrong in ["", "a.", "a b", "(a", "f(a", "'a", "a[", "\"a\"", "a + b", "a,", "${{ a }}", "a..b", "é!"] {
        assert_eq!(parse(wrong), None, "{wrong}");
    }
    assert_eq!(parse(&"(".repeat(100_000)), None);
    assert_eq!(parse(&format!("a{}", ".b".repeat(100_000))), None);
}

#[test]
fn templates_know_their_places_in_blocks_and_on_one_line() {
    let text = Text::new("w", "a: |\n  x ${{ one }} y\n  é ${{ '}}' }}${{ two }}\nb: ${{ three }}\nc: ${{ open\n");
    let tree = document::read(&text).unwrap();
    let mut found = Vec::new();
    for key in ["a", "b", "c"] {
        let node = tree.get(key).unwrap();
        for piece in pieces(&text, node, node.as_text().unwrap()) {
            if let Piece::Expression(source, span) = piece {
                assert_eq!(span, text.span(span.start, span.end), "{source}");
                found.push(format!(
                    "{}:{} {}",
                    span.line,
                    span.column,
                    text.content.get(span.start..span.end).unwrap()
                ));
            }
        }
    }
    let expected = ["2:5 ${{ one }}", "3:5 ${{ '}}' }}", "3:16 ${{ two }}", "4:4 ${{ three }}", "5:4 ${{ open"];
    assert_eq!(found, expected);
}

#[test]
fn a_condition_keeps_out_only_what_it_surely_does() {
    let same = "github.event.pull_request.head.repo.full_name == github.repository";
    let cases = [
        ("github.event_name == 'push'", "push", true),
        ("github.event_name == 'push'", "issues", false),
        ("${{ github.event_name != 'issues' }}", "issues", false),
        ("'push' == github.event_name", "issues", false),
        ("github.event_name == 'push' || always()", "issues", true),
        ("github.event_name == 'push' && always()", "issues", false),
        ("!(github.event_name == 'push')", "push", false),
        (same, "pull_request_target", false),
        (same, "issue_comment", true),
        ("!github.event.pull_request.head.repo.fork", "pull_request_target", false),
        ("github.event.pull_request.head.repo.full_name == github.actor", "pull_request_target", true),
        ("github.event.comment.author_association == 'OWNER'", "issue_comment", true),
        // A line break after `}}` makes it true whatever it says.
        ("${{ github.event_name == 'push' }}\n", "issues", true),
    ];
    for (text, event, expected) in cases {
        let found = condition(text).is_none_or(|ast| admits(&ast, event));
        assert_eq!(found, expected, "{text} for {event}");
    }
}

#[test]
fn a_weak_condition_is_told_from_one_that_holds() {
    let weak = [
        "${{ a }} ",
        " ${{ a }}",
        "${{ a }} && ${{ b }}",
        "contains('a b', github.ref)",
        "github.actor == 'x[bot]'",
        "GitHub['ACTOR_ID'] == 1",
    ];
    for text in weak {
        assert!(weakness(text).is_some(), "{text}");
    }
    for text in
        ["${{ a }}", "a\n", "contains(github.ref, 'a')", "contains('a b', runner.os)", "github.actor == 'x'", "1 +"]
    {
        assert_eq!(weakness(text), None, "{text}");
    }
}

#[test]
fn scripts_are_read_by_their_words() {
    let runs = ["npm ci", "sudo make", "A=b ./x", "cd x && yarn", "bash x", "echo a | sh", "  python setup.py"];
    assert!(runs.iter().all(|script| script::runs_workspace(script)));
    let harmless = ["echo npm", "git status", "gh pr comment 1 -b ok", "cat make", ""];
    assert!(harmless.iter().all(|script| !script::runs_workspace(script)));
    assert_eq!(script::evaluated("eval \"$A ${B}\"\necho $C\nbash -c \"$D\""), ["A", "B", "D"]);
    assert_eq!(script::environment_lines("a\necho x >> $GITHUB_ENV\nb >> $GITHUB_OUTPUT"), ["echo x >> $GITHUB_ENV"]);
}

#[test]
fn every_file_of_knowledge_is_read() {
    let knowledge = Knowledge::read().expect("each word of the files has a meaning");
    assert!(knowledge.event("issue_comment").head && !knowledge.event("pull_request").head);
    assert!(knowledge.action("Actions/Checkout").is_some() && knowledge.action("some/action").is_none());
    for list in ["github", "refs", "heads", "fetches_head", "fetches_artifact", "reads_event"] {
        assert!(knowledge.mentions(list, "event ref head.sha gh pr checkout gh run download gh pr view"), "{list}");
    }
    let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
    assert!(knowledge.is_fixed(&path("issue.number")) && knowledge.is_fixed(&path("pull_request.base.ref")));
    assert!(!knowledge.is_fixed(&path("pull_request.head.ref")) && !knowledge.is_fixed(&[]));
}
