//! Every page of a rule on GitHub Actions runs.

use sluice_core::document;
use sluice_core::text::Text;
use sluice_formats::{import, recognise};

use super::actions;
use crate::survey::survey;

/// The fenced examples of a page: `bad` ones and `good` ones.
fn examples<'a>(page: &'a str, kind: &str) -> Vec<&'a str> {
    let opening = format!("```{kind}\n");
    page.split(&opening).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

fn findings(text: &str) -> Vec<String> {
    let text = Text::new("workflow.yml", text);
    let tree = document::read(&text).unwrap();
    let import = import(recognise(&tree).unwrap(), &text, &tree).unwrap();
    survey(&import)
        .findings
        .iter()
        .map(|f| format!("{} {} {} {}", f.code, f.severity, f.span.line, f.message))
        .collect()
}

#[test]
fn the_bad_examples_raise_their_code_and_the_good_ones_do_not() {
    for meta in actions::all() {
        let (page, code) = (meta.page(), format!("{} ", meta.code));
        let (bad, good) = (examples(&page, "bad"), examples(&page, "good"));
        assert!(!bad.is_empty() && !good.is_empty(), "{} has no examples", meta.name);
        for text in bad {
            let found = findings(text);
            assert!(found.iter().any(|f| f.starts_with(&code)), "{}: {found:#?}\n{text}", meta.name);
        }
        for text in good {
            let found = findings(text);
            assert!(!found.iter().any(|f| f.starts_with(&code)), "{}: {found:#?}\n{text}", meta.name);
        }
    }
}

/// A workflow of one job with these steps.
fn workflow(on: &str, steps: &str) -> String {
    format!("on: {on}\npermissions: {{}}\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n{steps}")
}

/// Codes of low and more, without what is said of the event alone.
fn codes(text: &str) -> Vec<String> {
    let told = findings(text).into_iter().filter(|f| !f.contains(" info ") && !f.starts_with("SL274"));
    told.filter_map(|f| f.split(' ').next().map(str::to_owned)).collect()
}

#[test]
fn words_of_outsiders_are_followed_through_steps_and_jobs() {
    let cases = [
        ("a title in a script", "issues", "      - run: echo '${{ github.event.issue.title }}'\n", "SL260"),
        ("a number in a script", "issues", "      - run: echo '${{ github.event.issue.number }}'\n", ""),
        (
            "through a variable",
            "issues",
            "      - run: echo \"$T\"\n        env: { T: '${{ github.event.issue.title }}' }\n",
            "",
        ),
        (
            "pasted out of a variable",
            "issues",
            "      - run: echo ${{ env.T }}\n        env: { T: '${{ github.event.issue.title }}' }\n",
            "SL260",
        ),
        (
            "evaluated by the shell",
            "issues",
            "      - run: eval \"$T\"\n        env: { T: '${{ github.event.issue.title }}' }\n",
            "SL236",
        ),
        ("through a function", "issues", "      - run: echo ${{ format('{0}', github.event.issue.body) }}\n", "SL260"),
        ("only compared", "issues", "      - run: echo ${{ github.event.issue.body == 'x' && 'a' || 'b' }}\n", ""),
        ("all of the event", "issues", "      - run: echo ${{ toJSON(github.event) }}\n", "SL260"),
        ("by an index", "issues", "      - run: echo ${{ github['event']['issue'].TITLE }}\n", "SL260"),
        ("by a filter", "issues", "      - run: echo ${{ join(github.event.issue.labels.*.name, ',') }}\n", "SL260"),
        (
            "a number of each",
            "push",
            "      - run: echo ${{ github.event.commits.*.id }}${{ github.event.commits[0].author.id }}\n",
            "",
        ),
        ("a text of each", "push", "      - run: echo ${{ github.event.commits[0].message }}\n", "SL260"),
        (
            "under an alternative",
            "issues",
            "      - run: echo ${{ (github.event.issue || github.event.comment).number }}\n",
            "",
        ),
        (
            "a variable made of one that the step before had under its name",
            "issues",
            "      - run: echo\n        env: { T: fixed }\n      - run: echo ${{ env.U }}\n        env: { U: '${{ env.T }}' }\n",
            "",
        ),
        (
            "a variable that a step before had under the name of what was written",
            "issues",
            "      - run: gh issue view 1 | head -1 >> $GITHUB_ENV\n      - run: echo\n        env: { T: fixed }\n      - run: echo ${{ env.U }}\n        env: { U: '${{ env.T }}' }\n",
            "SL260 SL272",
        ),
        (
            "in a program",
            "issues",
            "      - uses: actions/github-script@v7\n        with: { script: 'f(`${{ github.event.issue.title }}`)' }\n",
            "SL260",
        ),
        (
            "in another shell",
            "issues",
            "      - run: print('${{ github.event.issue.title }}')\n        shell: python\n",
            "SL260",
        ),
        ("what is no expression", "issues", "      - run: echo ${{ github.event.issue.title | x }}\n", "SL260"),
        (
            "by an output",
            "issues",
            "      - id: a\n        run: echo \"t=$T\" >> \"$GITHUB_OUTPUT\"\n        env: { T: '${{ github.event.issue.title }}' }\n      - run: echo ${{ steps.a.outputs.t }}\n",
            "SL260",
        ),
        (
            "by the environment file",
            "issues",
            "      - run: echo \"T=$X\" >> \"$GITHUB_ENV\"\n        env: { X: '${{ github.event.issue.title }}' }\n      - run: echo ${{ env.T }}\n",
            "SL260 SL272",
        ),
        (
            "by a program that asks for them",
            "issues",
            "      - id: a\n        run: gh issue view 1 >> $GITHUB_OUTPUT\n      - run: echo ${{ steps.a.outputs.t }}\n",
            "SL260",
        ),
        (
            "an input that is a text",
            "{ workflow_dispatch: { inputs: { a: { type: string } } } }",
            "      - run: echo ${{ inputs.a }}\n",
            "SL260",
        ),
        (
            "an input that is one of a list",
            "{ workflow_dispatch: { inputs: { a: { type: choice } } } }",
            "      - run: echo ${{ inputs.a }}\n",
            "",
        ),
        (
            "a condition on the event",
            "[push, issue_comment]",
            "      - if: github.event_name == 'push'\n        run: echo ${{ github.event.comment.body }}\n",
            "SL260",
        ),
        (
            "a condition that shuts them out",
            "[schedule, issue_comment]",
            "      - if: github.event_name == 'schedule'\n        run: echo ${{ github.event.comment.body }}\n",
            "",
        ),
        (
            "a condition that does not",
            "issue_comment",
            "      - if: contains('a b', github.actor)\n        run: echo ${{ github.event.comment.body }}\n",
            "SL260 SL279",
        ),
        (
            "a prompt",
            "issues",
            "      - uses: actions/ai-inference@v1\n        with: { prompt: '${{ github.event.issue.body }}' }\n",
            "SL230",
        ),
    ];
    for (what, on, steps, expected) in cases {
        let text = workflow(on, steps);
        assert_eq!(codes(&text).join(" "), expected, "{what}: {:#?}", findings(&text));
    }
}

#[test]
fn severity_says_who_can_write_the_text() {
    let cases = [
        ("issue_comment", "github.event.comment.body", "critical"),
        ("pull_request_target", "github.head_ref", "critical"),
        ("workflow_run", "github.event.workflow_run.head_branch", "critical"),
        ("push", "github.event.head_commit.message", "medium"),
        ("pull_request", "github.event.pull_request.title", "low"),
        ("push", "github.ref_name", "low"),
        ("workflow_call", "inputs.a", "low"),
    ];
    for (on, what, severity) in cases {
        let text = workflow(on, &format!("      - run: echo '${{{{ {what} }}}}'\n"));
        let found = findings(&text);
        let wanted = format!("SL260 {severity} 7 ");
        assert!(found.iter().any(|f| f.starts_with(&wanted)), "{on} {what}: {found:#?}");
    }
}

#[test]
fn outputs_cross_jobs_and_conditions_go_along_needs() {
    let jobs = |first_if: &str| {
        format!(
            "on: issues\npermissions: {{}}\njobs:\n  second:\n    needs: first\n    runs-on: x\n    steps:\n      - run: echo ${{{{ needs.first.outputs.T }}}}\n  \
             first:\n    runs-on: x\n{first_if}    outputs: {{ t: '${{{{ steps.a.outputs.t }}}}', n: '1' }}\n    steps:\n      - id: a\n        \
             run: echo \"t=$T\" >> $GITHUB_OUTPUT\n        env: {{ T: '${{{{ github.event.issue.title }}}}' }}\n"
        )
    };
    assert_eq!(codes(&jobs("")), ["SL260"]);
    assert_eq!(codes(&jobs("    if: github.event_name == 'push'\n")), Vec::<String>::new());
    assert_eq!(codes(&jobs("").replace("outputs.T }", "outputs.N }")), Vec::<String>::new());
}

#[test]
fn a_thousand_flows_are_all_told_though_not_each_with_its_way() {
    let text = workflow("issues", &"      - run: echo '${{ github.event.issue.title }}'\n".repeat(900));
    let text = Text::new("workflow.yml", text);
    let tree = document::read(&text).unwrap();
    let found = survey(&import(recognise(&tree).unwrap(), &text, &tree).unwrap());
    assert_eq!(found.flows.len(), 900);
    assert!(found.flows.iter().any(|f| f.path.is_empty()) && found.flows.iter().any(|f| f.path.len() > 1));
    assert!(found.not_shown.iter().any(|line| line.starts_with("the way of every flow")));
}

/// Counts of the corpus, and every finding, with `--no-capture`.
#[test]
#[expect(clippy::disallowed_methods, reason = "the corpus lies beside the project, and reading it is timed")]
fn every_workflow_of_the_corpus_is_lowered_or_refused_with_its_place() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/github-actions");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("skipped: there is no corpus beside this repository");
        return;
    };
    let mut files: Vec<_> = files.filter_map(Result::ok).map(|file| file.path()).collect();
    files.sort();
    let (mut lowered, mut refused, mut opaque, mut assumed) = (0, std::collections::BTreeMap::new(), 0, 0);
    let start = std::time::Instant::now();
    for path in &files {
        let name = path.file_name().unwrap().to_string_lossy().to_string();
        let refusal = |errors: &[sluice_core::diagnostic::Diagnostic]| {
            let first = errors.first().expect("a reason");
            assert!(first.span.line > 0, "{name}: {first:?}");
            format!("{} {} {}", first.code, first.span.line, first.message)
        };
        let read = document::read_bytes(name.as_str(), &std::fs::read(path).unwrap());
        let imported = match &read {
            Ok((text, tree)) => sluice_formats::github_actions::import(text, tree).map_err(|errors| refusal(&errors)),
            Err(errors) => Err(refusal(errors)),
        };
        match imported {
            Ok(import) => {
                lowered += 1;
                opaque += import.assumed.iter().filter(|a| a.contains("${{")).count();
                assumed += import.assumed.iter().filter(|a| a.starts_with("that the outputs of")).count();
                for f in survey(&import).findings {
                    println!("finding\t{name}\t{}\t{}\t{}\t{}", f.code, f.severity, f.span.line, f.message);
                }
            }
            Err(why) => {
                println!("refused\t{name}\t{why}");
                *refused.entry(why.split(' ').next().unwrap_or_default().to_owned()).or_insert(0) += 1;
            }
        }
    }
    println!("{} files in {:?}", files.len(), start.elapsed());
    println!("lowered {lowered}, refused {refused:?}, opaque expressions {opaque}, assumed actions {assumed}");
}
