//! Workflows of GitHub Actions: whatever the text, it is surveyed or refused, every place lies in it and every fix fits it, also
//! where it calls itself.

use std::sync::Arc;

use sluice_core::document;
use sluice_core::edit::applied;
use sluice_core::text::{Span, Text};
use sluice_formats::{Format, Siblings, github_actions};
use sluice_verify::survey::survey;

use crate::Target;

/// See the module.
pub const TARGET: Target = Target { name: "github_actions", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b"${{ ",
    b" }}",
    b"github.event.issue.title",
    b"github.head_ref",
    b"steps.a.outputs.t",
    b"needs.a.outputs.t",
    b"matrix.m",
    b"env.T",
    b"inputs.i",
    b"toJSON(",
    b"fromJSON(",
    b".*.",
    b"['",
    b"']",
    b" || ",
    b" && ",
    b"'",
    b"\n      - run: ",
    b"\n      - uses: actions/checkout@v4\n        with: { ref: \"${{ github.head_ref }}\" }",
    b"\n        env: { T: x }",
    b"\n        id: a",
    b"\n    needs: [a]",
    b"\n    if: ",
    b">> $GITHUB_ENV",
    b"eval \"$T\"",
    b"*a",
    b"&a ",
    b"\n      - uses: ./act\n        with: { text: \"${{ github.head_ref }}\" }",
    b"\n    uses: ./.github/workflows/w.yml\n    with: { i: \"${{ inputs.i }}\" }",
    b"\n    if: contains(fromJSON('[\"OWNER\"]'), github.event.comment.author_association)",
    b"github.event.pull_request.head.repo.fork == false",
    b"'\"${{ github.event.issue.title }}\"'",
    "š".as_bytes(),
];

fn run(data: &[u8]) -> String {
    let Ok((text, tree)) = document::read_bytes("workflow", data) else {
        return "no document".to_owned();
    };
    let inside =
        |span: Span| assert!(span.start <= span.end && span.end <= text.content.len(), "a wrong place: {span:?}");
    match github_actions::import(&text, &tree) {
        Ok(import) => {
            assert!(github_actions::is_workflow(&tree), "took what it does not know again");
            let found = survey(&import);
            found.findings.iter().for_each(|finding| inside(finding.span));
            import.observations.iter().for_each(|observation| exact(&text, observation.span));
            for fix in import.mends.values() {
                assert!(applied(&text.content, &fix.edits).is_some(), "a fix that does not fit: {fix:?}");
            }
            calls_itself(&text, &tree, data);
            let codes: std::collections::BTreeSet<String> = found.findings.iter().map(|f| f.code.to_string()).collect();
            format!("{} flows, {codes:?}", found.flows.len())
        }
        Err(refused) => {
            assert!(!refused.is_empty(), "refused without a word");
            refused.iter().for_each(|d| inside(d.span));
            refused.iter().map(|d| d.code.to_string()).collect::<Vec<_>>().join(" ")
        }
    }
}

/// The same text as the workflow and the action that it calls.
fn calls_itself(text: &Text, tree: &document::Node, data: &[u8]) {
    let mut siblings = Siblings::of(Format::GithubActions);
    for (reference, name) in [("./.github/workflows/w.yml", "w.yml"), ("./act", "act/action.yml")] {
        siblings.add(Arc::from(reference), name, data);
    }
    if let Ok(import) = github_actions::import_with(text, tree, &siblings) {
        let found = survey(&import);
        assert!(found.elsewhere.iter().all(|(file, _)| **file != *text.name), "told of another file");
    }
}

/// A place whose lines and columns are those of its bytes.
fn exact(text: &Text, span: Span) {
    let start = text.span(span.start, span.end);
    assert_eq!((span.line, span.column), (start.line, start.column), "a wrong place: {span:?}");
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "on: issues\njobs:\n  a:\n    outputs: { t: '${{ steps.a.outputs.t }}' }\n    steps:\n      - run: echo \"t=$T\" >> $GITHUB_OUTPUT\n        \
         id: a\n        env: { T: '${{ github.event.issue.title }}' }\n  b:\n    needs: [a]\n    steps:\n      - run: echo ${{ needs.a.outputs.t }}\n",
        "on: { pull_request_target: , workflow_dispatch: { inputs: { i: { type: string } } } }\npermissions: write-all\njobs:\n  a:\n    \
         runs-on: self-hosted\n    strategy: { matrix: { m: [a, '${{ inputs.i }}'] } }\n    container: x\n    steps:\n      - uses: actions/checkout@v4\n        \
         with: { ref: '${{ github.head_ref }}' }\n      - run: |\n          npm ci\n          echo ${{ matrix.m }} >> $GITHUB_ENV\n",
        "name: x\nruns:\n  using: composite\n  steps:\n    - uses: actions/github-script@v7\n      if: github.actor == 'x'\n      with: { script: \"${{ inputs.i }}\" }\n",
        "on: { issues: , workflow_call: { inputs: { i: { type: string } }, outputs: { o: { value: '${{ jobs.a.outputs.t }}' } } } }\njobs:\n  a:\n    \
         runs-on: ubuntu-latest\n    steps:\n      - uses: ./act\n        with: { i: '${{ inputs.i }}' }\n      - run: echo \"${{ github.event.issue.title }}\"\n  \
         b:\n    if: github.event.issue.user.login == 'x'\n    uses: ./.github/workflows/w.yml\n    with: { i: '${{ github.event.issue.title }}' }\n",
        "on: push\njobs:\n  a: { needs: b }\n  b: { needs: a }\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
