//! Conditions of GitHub Actions: which findings they hold back, which they lower, and everything that only looks like one.

use super::foreign::imported;
use crate::survey::survey;

/// `CODE severity` of every flow and of outsiders' code that is run, and `SL245 by` of what is held back.
fn told(text: &str) -> String {
    let import = imported(text).unwrap();
    let mut told = Vec::new();
    for found in survey(&import).findings {
        match found.code.to_string().as_str() {
            code @ ("SL230" | "SL236" | "SL260" | "SL261") => told.push(format!("{code} {}", found.severity)),
            "SL245" => {
                let by = found.message.split(": ").nth(1).and_then(|rest| rest.split(" checks").next());
                told.push(format!("SL245 {}", by.unwrap_or_default()));
            }
            _ => {}
        }
    }
    told.sort();
    told.dedup();
    told.join(", ")
}

/// A workflow of one job; `condition` at the job or at its only step.
fn guarded(on: &str, at_job: bool, condition: &str, step: &str) -> String {
    let line = if condition.is_empty() { String::new() } else { format!("if: {condition}\n") };
    let (job, of_step) =
        if at_job { (format!("    {line}"), String::new()) } else { (String::new(), format!("        {line}")) };
    let job = if job.trim().is_empty() { String::new() } else { job };
    let of_step = if of_step.trim().is_empty() { String::new() } else { of_step };
    format!(
        "on: {on}\npermissions: {{}}\njobs:\n  build:\n    runs-on: ubuntu-latest\n{job}    steps:\n      - name: do\n{of_step}{step}"
    )
}

fn pastes(what: &str) -> String {
    format!("        run: echo ${{{{ {what} }}}}\n")
}

const SAME: &str = "github.event.pull_request.head.repo.full_name == github.repository";
const MEMBER: &str = "github.event.comment.author_association == 'MEMBER'";
const BODY: &str = "github.event.comment.body";
const HELD: &str = "SL245 `build`";
const OPEN: &str = "SL260 critical";

#[test]
fn a_check_of_who_or_what_holds_a_finding_back_at_jobs_and_steps_and_says_so() {
    let cases = [
        ("pull_request_target", SAME, "github.head_ref"),
        ("pull_request_target", "github.event.pull_request.user.login == 'ana'", "github.head_ref"),
        ("pull_request_target", "github.event.pull_request.head.repo.fork == false", "github.event.pull_request.title"),
        ("issue_comment", MEMBER, BODY),
        ("issue_comment", "contains(fromJSON('[\"/ok\", \"/go\"]'), github.event.comment.body)", BODY),
        ("issue_comment", "github.event.comment.body == '/ok'", BODY),
        ("issues", "github.event.issue.author_association == 'OWNER'", "github.event.issue.title"),
    ];
    for (on, condition, what) in cases {
        assert_eq!(told(&guarded(on, true, "", &pastes(what))), OPEN, "{what} without {condition}");
        assert_eq!(told(&guarded(on, true, condition, &pastes(what))), HELD, "{condition}");
        assert_eq!(told(&guarded(on, false, condition, &pastes(what))), "SL245 `build / do`", "{condition}");
        let through = format!("        run: eval \"$T\"\n        env: {{ T: '${{{{ {what} }}}}' }}\n");
        assert_eq!(told(&guarded(on, true, condition, &through)), HELD, "{condition}, by a variable");
    }
}

#[test]
fn what_only_looks_like_a_check_holds_nothing_back() {
    let cases = [
        ("issue_comment", "contains(github.event.comment.body, '/ok')", BODY),
        ("issue_comment", "startsWith(github.event.comment.body, '/ok')", BODY),
        ("issue_comment", "github.event.comment.body != '/bad'", BODY),
        ("issue_comment", "github.event.comment.body == '/ok' || always()", BODY),
        ("issue_comment", "${{ github.event.comment.body }} == '/ok'", BODY),
        ("issue_comment", "\"${{ github.event.comment.body == '/ok' }} \"", BODY),
        ("issue_comment", "github.event.issue.title == '/ok'", BODY),
        ("issue_comment", MEMBER, "github.event.issue.title"),
        ("issue_comment", MEMBER, "toJSON(github.event)"),
        ("issue_comment", "github.event.issue.author_association == 'MEMBER'", BODY),
        ("issue_comment", "github.actor == 'ana'", BODY),
        ("issue_comment", "github.event.comment.author_association != 'NONE'", BODY),
        ("pull_request_target", "github.actor == 'dependabot[bot]'", "github.head_ref"),
        ("pull_request_target", "github.event.pull_request.user.login == 'dependabot[bot]'", "github.head_ref"),
        ("pull_request_target", "github.event.pull_request.base.ref == 'main'", "github.head_ref"),
        ("pull_request_target", "contains(github.event.pull_request.labels.*.name, 'ok')", "github.head_ref"),
    ];
    for (on, condition, what) in cases {
        for at_job in [true, false] {
            assert_eq!(told(&guarded(on, at_job, condition, &pastes(what))), OPEN, "{condition}");
        }
    }
}

#[test]
fn a_label_that_asks_for_the_run_lowers_and_says_who_is_asked() {
    let on = "{ pull_request_target: { types: [labeled] } }";
    let condition = "contains(github.event.pull_request.labels.*.name, 'safe to test')";
    let text = guarded(on, true, condition, &pastes("github.head_ref"));
    assert_eq!(told(&text), "SL260 low");
    let import = imported(&text).unwrap();
    let survey = survey(&import);
    let found = survey.findings.iter().find(|found| found.code.to_string() == "SL260").unwrap();
    assert!(found.message.ends_with("`build` asks a person on the way"), "{}", found.message);
    let unasked = text.replace("    steps:\n", "    steps:\n      - run: echo\n")
        + "  other:\n    runs-on: x\n    steps:\n"
        + "      - run: echo ${{ github.head_ref }}\n";
    assert_eq!(told(&unasked), "SL260 critical, SL260 low", "the other job asks nobody");
}

#[test]
fn a_check_holds_in_its_own_job_and_in_those_that_need_it() {
    let jobs = |condition: &str| {
        format!(
            "on: issue_comment\npermissions: {{}}\njobs:\n  check:\n    if: {MEMBER}\n    runs-on: x\n    steps: [{{ run: echo }}]\n  \
             build:\n    runs-on: x\n{condition}    steps:\n      - run: echo ${{{{ {BODY} }}}}\n"
        )
    };
    assert_eq!(told(&jobs("")), OPEN);
    assert_eq!(told(&jobs("    needs: check\n")), "SL245 `check`");
    assert_eq!(told(&jobs("    needs: check\n    if: always()\n")), OPEN);
    assert_eq!(told(&jobs("    needs: check\n    if: '!cancelled()'\n")), OPEN);
    let listed = |rest: &str| jobs(rest).replace(MEMBER, "github.event.comment.body == '/ok'");
    assert_eq!(told(&listed("    needs: check\n")), "SL245 `check`");
    assert_eq!(told(&listed("")), OPEN);
}

#[test]
fn of_several_ways_each_must_pass_a_check() {
    let steps = |first: &str, second: &str| {
        let step = |condition: &str| format!("      - run: echo ${{{{ {BODY} }}}}\n{condition}");
        format!(
            "on: issue_comment\npermissions: {{}}\njobs:\n  build:\n    runs-on: x\n    env: {{ B: '${{{{ {BODY} }}}}' }}\n    steps:\n{}{}",
            step(first),
            step(second)
        )
    };
    let check = format!("        if: {MEMBER}\n");
    assert_eq!(told(&steps(&check, "")), "SL245 `build / echo ${{ github.event.comment.body }}`, SL260 critical");
    let pasted = steps(&check, &check)
        .replacen(BODY, "x", 1)
        .replace("echo ${{ github.event.comment.body }}", "echo ${{ env.B }}");
    assert_eq!(
        told(&pasted.replace("'${{ x }}'", "'${{ github.event.comment.body }}'")),
        OPEN,
        "a variable that is made before"
    );
    let events = guarded(
        "[issue_comment, discussion_comment]",
        true,
        "github.event_name == 'discussion_comment' || github.event.comment.body == '/ok'",
        &pastes(BODY),
    );
    assert_eq!(told(&events), OPEN, "by the other event it comes unchecked");
}

#[test]
fn whose_commit_it_is_decides_whether_outsiders_code_is_run() {
    let steps = "        uses: actions/checkout@v4\n        with: { ref: '${{ github.event.pull_request.head.sha }}' }\n      - run: make\n";
    let of = |on: &str, condition: &str| told(&guarded(on, true, condition, steps));
    let target = "pull_request_target";
    assert_eq!(of(target, ""), "SL261 critical");
    assert_eq!(of(target, SAME), "");
    assert_eq!(of(target, "github.event.pull_request.author_association == 'MEMBER'"), "");
    assert_eq!(of(target, "github.actor == 'dependabot[bot]'"), "SL261 critical");
    assert_eq!(of(target, "github.event.pull_request.user.login == 'dependabot[bot]'"), "SL261 critical");
    assert_eq!(of("issue_comment", MEMBER), "SL261 critical", "a member wrote the comment, not the commit");
}

#[test]
fn an_environment_that_may_ask_somebody_is_told_and_lowers_nothing() {
    let text =
        guarded("issue_comment", true, "", &pastes(BODY)).replace("    steps:", "    environment: prod\n    steps:");
    assert_eq!(told(&text), OPEN);
    let not_shown =
        |text: &str| survey(&imported(text).unwrap()).not_shown.join("\n").contains("its environment may require");
    assert!(not_shown(&text));
    assert!(!not_shown(&text.replace("issue_comment", "schedule")), "no outsider starts it");
}
