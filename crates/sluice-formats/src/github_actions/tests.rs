//! The parts by themselves; flows are tested where they are followed, in `sluice-verify`.

use sluice_core::document;
use sluice_core::text::Text;

use super::admits::{condition, weakness};
use super::expression::{Ast, parse};
use super::holds::{Happened, holds};
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

/// What surely holds of an event that a condition lets through; `never` if it lets none through.
fn held(condition_text: &str, on: &str) -> String {
    let text = Text::new("w", format!("on: {on}\njobs: {{}}\n"));
    let tree = document::read(&text).unwrap();
    let workflow = super::read::workflow(&tree).unwrap();
    let happened = Happened::of(&workflow.events[0]);
    let Some(ast) = condition(condition_text) else { return "nothing".to_owned() };
    let Some(held) = holds(&ast, &happened) else { return "never".to_owned() };
    let asked = happened.is_asked(&held).then(|| "Asked".to_owned());
    let list = held.iter().map(|held| format!("{held:?}")).filter(|held| !held.contains("abel"));
    list.chain(asked).collect::<Vec<_>>().join(" ").replace('"', "")
}

const SAME: &str = "github.event.pull_request.head.repo.full_name == github.repository";
const FORK: &str = "github.event.pull_request.head.repo.fork";
const RELATION: &str = "github.event.comment.author_association";

#[test]
fn a_condition_keeps_out_only_what_it_surely_does() {
    let cases = [
        ("github.event_name == 'push'", "push", ""),
        ("github.event_name == 'push'", "issues", "never"),
        ("${{ github.event_name != 'issues' }}", "issues", "never"),
        ("'push' == github.event_name", "issues", "never"),
        ("contains(fromJSON('[\"push\", \"schedule\"]'), github.event_name)", "issues", "never"),
        ("!contains(fromJSON('[\"issues\"]'), github.event_name)", "issues", "never"),
        ("github.event_name == 'push' || always()", "issues", ""),
        ("github.event_name == 'push' && always()", "issues", "never"),
        ("!(github.event_name == 'push')", "push", "never"),
        ("!(github.event_name == 'issues' || always())", "issues", "never"),
        ("false && always()", "issues", "never"),
        // A line break after `}}` makes it true whatever it says; so does text around it.
        ("${{ github.event_name == 'push' }}\n", "issues", "nothing"),
        ("${{ github.event_name }} == 'push'", "issues", "nothing"),
    ];
    for (text, on, expected) in cases {
        assert_eq!(held(text, on), expected, "{text} for {on}");
    }
}

#[test]
fn a_repository_vouches_for_its_own_branches() {
    let target = "pull_request_target";
    let or_asked = format!("{SAME} || contains(github.event.pull_request.labels.*.name, 'ok')");
    let cases = [
        (SAME, target, "Insider"),
        ("github.repository == github.event.pull_request.head.repo.full_name", target, "Insider"),
        ("github.event.pull_request.head.repo.owner.login == github.repository_owner", "pull_request", "Insider"),
        ("github.event.workflow_run.head_repository.full_name == github.repository", "workflow_run", "Insider"),
        (
            "github.event.workflow_run.event == 'push'",
            "workflow_run",
            "Listed(github.event.workflow_run.event) Insider",
        ),
        ("!(github.event.pull_request.head.repo.full_name != github.repository)", target, "Insider"),
        (or_asked.as_str(), "{ pull_request_target: { types: [labeled] } }", "Asked"),
        // Those that only look so.
        ("github.event.pull_request.head.repo.full_name != github.repository", target, ""),
        ("github.event.pull_request.base.repo.full_name == github.repository", target, ""),
        ("github.event.pull_request.head.repo.full_name == github.actor", target, ""),
        (SAME, "issue_comment", ""),
        (SAME, "workflow_run", ""),
        ("github.event.workflow_run.event != 'pull_request'", "workflow_run", ""),
        (
            "github.event.workflow_run.event == 'pull_request'",
            "workflow_run",
            "Listed(github.event.workflow_run.event)",
        ),
        (or_asked.as_str(), target, ""),
        ("github.repository == 'o/r'", target, "Listed(github.repository)"),
    ];
    for (text, on, expected) in cases {
        let found = held(text, on);
        let sorted = |text: &str| text.split(' ').map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(sorted(&found), sorted(expected), "{text} for {on}");
    }
}

#[test]
fn a_fork_that_may_be_deleted_is_no_branch_of_the_repository() {
    let edited = "{ pull_request_target: { types: [opened, edited] } }";
    for text in
        [format!("!{FORK}"), format!("{FORK} == false"), format!("{FORK} != true"), format!("!({FORK} == true)")]
    {
        assert_eq!(held(&text, "pull_request_target"), "Insider", "{text}");
        for on in [edited, "issue_comment", "workflow_run", "pull_request_review"] {
            assert_eq!(held(&text, on), "", "{text} for {on}: what is not there equals `false`");
        }
    }
    for text in [format!("{FORK} == true"), format!("{FORK} != false"), FORK.to_owned()] {
        assert_eq!(held(&text, "pull_request_target"), "", "{text}");
    }
    assert!(!held(&format!("{FORK} == 'false'"), "pull_request_target").contains("Insider"), "a text is no boolean");
}

#[test]
fn an_author_vouches_for_what_they_wrote() {
    let comment = "Part(comment)";
    let cases = [
        (format!("{RELATION} == 'OWNER'"), comment),
        (format!("contains(fromJSON('[\"OWNER\", \"member\"]'), {RELATION})"), comment),
        (format!("{RELATION} == 'OWNER' || {RELATION} == 'MEMBER'"), comment),
        ("github.event.comment.user.login == 'ana'".to_owned(), comment),
        ("github.event.comment.user.login == github.repository_owner".to_owned(), comment),
        ("github.event.issue.author_association == 'MEMBER'".to_owned(), "Part(issue)"),
        // Those that only look so.
        (format!("{RELATION} != 'NONE'"), ""),
        (format!("!({RELATION} == 'OWNER')"), ""),
        (format!("contains('OWNER MEMBER', {RELATION})"), ""),
        (format!("contains(fromJSON('[\"OWNER\", \"CONTRIBUTOR\"]'), {RELATION})"), ""),
        (format!("contains(fromJSON('[]'), {RELATION})"), ""),
        (format!("contains(fromJSON(vars.LIST), {RELATION})"), ""),
        (format!("{RELATION} == 'OWNER' || always()"), ""),
        (format!("{RELATION} == 'OWNER' || github.event.issue.author_association == 'OWNER'"), ""),
        (format!("startsWith({RELATION}, 'OWN')"), ""),
        ("github.actor == 'ana'".to_owned(), ""),
        ("github.triggering_actor == 'ana'".to_owned(), ""),
        ("github.event.sender.login == 'ana'".to_owned(), ""),
        ("github.event.comment.user.login == github.event.issue.user.login".to_owned(), ""),
        ("github.event.comment.user.login == 'dependabot[bot]'".to_owned(), ""),
        ("github.event.comment.user.login != 'ana'".to_owned(), ""),
        ("github.event['comment.user'].login == 'ana'".to_owned(), ""),
    ];
    for (text, expected) in cases {
        let found = held(&text, "issue_comment");
        let parts: Vec<&str> = found.split(' ').filter(|held| !held.starts_with("Listed")).collect();
        assert_eq!(parts.join(" "), expected, "{text}");
    }
}

#[test]
fn a_label_asks_for_the_run_that_it_starts_and_for_no_later_one() {
    let (labels, now) = ("contains(github.event.pull_request.labels.*.name, 'ok')", "github.event.label.name == 'ok'");
    let labelled = format!("github.event.action == 'labeled' && {labels}");
    let of = |types: &str| format!("{{ pull_request_target: {{ types: [{types}] }} }}");
    let cases = [
        (labels, "labeled", "Asked"),
        (now, "labeled, synchronize", "Asked"),
        (&labelled, "labeled, synchronize", "Asked"),
        (labels, "labeled, synchronize", ""),
        (now, "labeled, unlabeled", ""),
        ("contains(github.event.pull_request.labels, 'ok')", "labeled", ""),
        ("contains(join(github.event.pull_request.labels.*.name), 'ok')", "labeled", ""),
        ("!contains(github.event.pull_request.labels.*.name, 'bad')", "labeled", ""),
        ("github.event.label.name != 'bad'", "labeled", ""),
    ];
    for (text, types, expected) in cases {
        assert_eq!(held(text, &of(types)).contains("Asked"), expected == "Asked", "{text} for {types}");
    }
    assert_eq!(held(labels, "pull_request_target"), "", "the label stays when further commits come");
    let issue = labels.replace("pull_request", "issue");
    for text in [issue.as_str(), now] {
        assert!(!held(text, "{ issues: { types: [labeled] } }").contains("Asked"), "a form gives labels: {text}");
    }
}

#[test]
fn a_text_is_listed_where_it_is_one_of_the_constants() {
    let body = "github.event.comment.body";
    let listed = format!("Listed({body})");
    let cases = [
        (format!("{body} == '/ok'"), listed.as_str()),
        (format!("contains(fromJSON('[\"/ok\", \"/go\"]'), {body})"), &listed),
        (format!("{body} == '/ok' || {body} == '/go'"), &listed),
        (format!("!({body} != '/ok')"), &listed),
        (format!("contains({body}, '/ok')"), ""),
        (format!("contains('/ok /go', {body})"), ""),
        (format!("startsWith({body}, '/ok')"), ""),
        (format!("endsWith({body}, '/ok')"), ""),
        (format!("{body} != '/bad'"), ""),
        (format!("{body} == 5"), ""),
        (format!("{body} == github.event.issue.title"), ""),
        (format!("{body} == '/ok' || github.event.issue.title == 'x'"), ""),
        (format!("{body} == '/ok' || cancelled()"), ""),
        (format!("format('{{0}}', {body}) == '/ok'"), ""),
        (format!("contains(fromJSON('{{\"a\": \"/ok\"}}'), {body})"), ""),
        (format!("contains(fromJSON('[1]'), {body})"), ""),
    ];
    for (text, expected) in cases {
        assert_eq!(held(&text, "issue_comment"), expected, "{text}");
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
