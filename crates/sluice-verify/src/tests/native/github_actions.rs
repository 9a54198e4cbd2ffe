//! Native definitions of workflows of GitHub Actions: what is a call, and everything that has no equivalent.

use insta::assert_snapshot;

use super::{corpus, gaps, shown, whole, written};

/// The tasks alone.
fn tasks(content: &str) -> String {
    let text = whole(content);
    let (_, rest) = text.split_once("\ndo:\n").unwrap();
    rest.split("---").next().unwrap().to_owned()
}

/// A workflow of one job with these lines.
fn job(lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    format!("on: issues\njobs:\n  a:\n    runs-on: ubuntu-latest\n{lines}")
}

#[test]
fn an_action_that_has_nothing_but_its_inputs_is_a_call() {
    let content = "\
name: Greet
on: issues
env: { TEAM: sales }
jobs:
  look:
    runs-on: ubuntu-latest
    outputs:
      kind: ${{ steps.kind.outputs.Kind }}
    steps:
      - name: Which
        id: kind
        uses: example/classify@v2
        with: { text: '${{ github.event.issue.title }}', token: '${{ secrets.GITHUB_TOKEN }}' }
  tell:
    needs: look
    runs-on: ubuntu-latest
    timeout-minutes: 5
    if: needs.look.outputs.kind == 'Order' && !contains(github.event.issue.labels.*.name, 'x') || github.event.issue.locked == false
    steps:
      - uses: example/notify@8f4b7f8
        continue-on-error: true
        if: success() && github.actor != 'bot'
        env: { WHO: '${{ github.event.issue.user.login }} of ${{ env.TEAM }}' }
        with: { channel: news, text: \"New: ${{ github.event.issue.title }}\" }
";
    let content = content
        .replace("!contains(github.event.issue.labels.*.name, 'x')", "!startsWith(github.event.issue.title, 'X')");
    assert_snapshot!(whole(&content));
}

#[test]
fn an_input_of_whoever_starts_it_is_read_beside_the_event() {
    let content = "\
on:
  workflow_dispatch:
    inputs: { theText: { type: string }, loud: { type: boolean } }
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - if: inputs.loud && contains(fromJSON('[\"a\"]'), github.ref_name)
        uses: example/notify@v1
        with: { text: '${{ inputs.theText || format(''{0} by {1}'', github.repository, github.actor) }}' }
";
    assert_snapshot!(tasks(content));
}

#[test]
fn what_has_no_equivalent_is_told_and_never_approximated() {
    let call =
        |value: &str| gaps(&job(&format!("steps:\n  - uses: example/notify@v1\n    with: {{ text: \"{value}\" }}")));
    let step = |lines: &str| gaps(&job(&format!("steps:\n{lines}")));
    let of_job = |lines: &str| gaps(&job(&format!("{lines}\nsteps:\n  - uses: example/notify@v1")));
    let told = [
        step("  - run: make"),
        step("  - run: make\n  - uses: example/notify@v1"),
        step("  - uses: actions/checkout@v4"),
        step("  - uses: actions/setup-node@v4"),
        step("  - uses: ./.github/actions/own"),
        step("  - uses: docker://alpine:3"),
        step("  - uses: actions/github-script@v7\n    with: { script: 'return 1' }"),
        step("  - uses: example/notify@v1\n    if: always()"),
        step("  - uses: example/notify@v1\n    if: failure() && github.event.issue"),
        step("  - uses: example/notify@v1\n    if: \"${{ github.event.issue }} \""),
        step("  - uses: example/notify@v1\n    timeout-minutes: ${{ fromJSON('1') }}"),
        of_job("strategy: { matrix: { os: [a, b] } }"),
        of_job("environment: production"),
        of_job("services: { db: { image: postgres } }"),
        of_job("container: node:20"),
        of_job("if: github.event.issue.number > 5"),
        gaps("on: issues\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n"),
        call("Bearer ${{ secrets.KEY }}"),
        call("${{ github.run_id }}"),
        call("${{ vars.NAME }}"),
        call("${{ env.NAME }}"),
        call("${{ runner.os }}"),
        call("${{ steps.gone.outputs.x }}"),
        call("${{ needs.gone.outputs.x }}"),
        call("${{ steps.gone.outcome }}"),
        call("${{ github.event.commits.*.id }}"),
        call("${{ hashFiles('x') }}"),
        call("${{ 5 }}"),
        call("${{ github.event. }}"),
    ];
    assert!(told.iter().all(|gaps| !gaps.is_empty()), "{told:#?}");
    assert_snapshot!(told.iter().flatten().cloned().collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_script_stands_in_the_definition_as_what_is_missing() {
    let content = job(
        "if: github.event.issue.title == 'x'\nsteps:\n  - name: Build\n    run: make ${{ github.event.issue.title }}\n  - uses: example/notify@v1",
    );
    let (definition, files, _) = written(&content);
    assert_eq!((definition.steps, definition.equivalent), (4, 2));
    let (_, tasks) = files.definition.split_once("\ndo:\n").unwrap();
    assert_snapshot!(tasks);
    assert!(!shown(&files).contains("make"), "nothing of a script is carried over");
}

#[test]
fn variables_that_are_pasted_again_and_again_are_told() {
    let many = "${{ env.A }}".repeat(1_000);
    let workflow = |text: &str, env: &str| {
        format!(
            "on: issues\nenv: {{ A: \"{env}\" }}\njobs:\n  a:\n    runs-on: x\n    env: {{ A: \"{text}\" }}\n    steps:\n      - uses: example/notify@v1\n        with: {{ text: \"{text}\" }}\n"
        )
    };
    let told = gaps(&workflow(&many, &"x".repeat(100)));
    assert!(told.iter().any(|gap| gap.contains("too long")), "{told:?}");
    let names: String = (0..300).map(|n| format!("A{n}: x, ")).collect();
    let crowd = format!(
        "on: issues\nenv: {{ {names} }}\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: example/notify@v1\n"
    );
    assert!(gaps(&crowd).iter().any(|gap| gap.contains("more than 200 inputs and variables")));
}

#[test]
fn of_several_events_one_is_named() {
    let content = "on: [push, issues]\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: example/notify@v1\n";
    let opened = |start| sluice_formats::native::open("w.yaml", content.as_bytes(), start).unwrap().result;
    let message = opened(None).unwrap_err().first().map(|found| found.message.clone()).unwrap_or_default();
    assert!(message.contains("several starts: `push`, `issues`"), "{message}");
    assert!(opened(Some("push")).unwrap().1.files().definition.contains("- push:"));
}

#[test]
fn what_is_written_of_the_corpus_reads_and_hides_no_flow() {
    corpus("github-actions", 1);
}
