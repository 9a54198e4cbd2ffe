//! `sluice check --fix` of GitHub Actions: what is written, and where nothing is offered.

use std::fs;

use crate::sandbox::Sandbox;

/// What becomes of a file; `None` if it stays what it was.
fn mended(text: &str) -> Option<String> {
    let sandbox = Sandbox::new();
    let file = sandbox.write("w.yml", text);
    let ended = sandbox.sluice(&["check", "--fix", &file]);
    let after = fs::read_to_string(sandbox.path("w.yml")).unwrap();
    assert!(!ended.out.contains("left as it is"), "{}\n{text}", ended.out);
    assert_eq!(ended.out.contains("fixed: "), after != text, "{}", ended.out);
    let again = sandbox.sluice(&["check", "--fix", &file]).out;
    assert!(again.contains("nothing found here can be fixed without thinking"), "{again}\n{after}");
    assert_eq!(fs::read_to_string(sandbox.path("w.yml")).unwrap(), after, "twice is once");
    (after != text).then_some(after)
}

const HEAD: &str = "on: issues\npermissions: {}\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n";

fn of_steps(steps: &str) -> Option<String> {
    let found = mended(&format!("{HEAD}{steps}"))?;
    Some(found.strip_prefix(HEAD).expect("what is above stays").to_owned())
}

const TITLE: &str = "${{ github.event.issue.title }}";
const QUIET: &str = "      - run: cargo test\n";

#[test]
fn a_pasted_text_becomes_a_variable_as_its_author_lays_things_out() {
    let cases = [
        (
            "      - run: echo \"Hello ${{ github.event.issue.title }}\" # hi\n",
            "      - env:\n          ISSUE_TITLE: ${{ github.event.issue.title }}\n        run: echo \"Hello ${ISSUE_TITLE}\" # hi\n",
        ),
        (
            "      # says so\n      - name: say # it\n        run: |\n          T='${{ github.event.issue.title }}'\n          echo ${{ github.event.issue.title }} ${{ github.run_id }}\n          git tag \"v${{ github.event.issue.body }}\"\n        shell: bash\n",
            "      # says so\n      - name: say # it\n        env:\n          ISSUE_BODY: ${{ github.event.issue.body }}\n          ISSUE_TITLE: ${{ github.event.issue.title }}\n        run: |\n          T=''\"${ISSUE_TITLE}\"''\n          echo \"${ISSUE_TITLE}\" ${{ github.run_id }}\n          git tag \"v${ISSUE_BODY}\"\n        shell: bash\n",
        ),
        (
            "      - env:\n          A: b # c\n        run: echo \"${{ github.event.issue.title }}\"\n",
            "      - env:\n          ISSUE_TITLE: ${{ github.event.issue.title }}\n          A: b # c\n        run: echo \"${ISSUE_TITLE}\"\n",
        ),
        (
            "      - env: { A: b }\n        run: 'echo \"${{ github.event.issue.title }}\"'\n",
            "      - env: { ISSUE_TITLE: \"${{ github.event.issue.title }}\", A: b }\n        run: 'echo \"${ISSUE_TITLE}\"'\n",
        ),
        (
            "      - { run: 'echo \"${{ github.event.issue.title }}\"' }\n",
            "      - { env: { ISSUE_TITLE: \"${{ github.event.issue.title }}\" }, run: 'echo \"${ISSUE_TITLE}\"' }\n",
        ),
        (
            "      - run: echo \"${{ env.T }}\"\n        env: { T: '${{ github.event.issue.title }}' }\n",
            "      - run: echo \"${T}\"\n        env: { T: '${{ github.event.issue.title }}' }\n",
        ),
        (
            "      - run: |\n          echo \"${{ github.event.issue.title || 'a: b' }}\"\n",
            "      - env:\n          VALUE: \"${{ github.event.issue.title || 'a: b' }}\"\n        run: |\n          echo \"${VALUE}\"\n",
        ),
        (
            "      - run: echo \"$ISSUE_TITLE ${{ github.event.issue.title }}\"\n",
            "      - env:\n          ISSUE_TITLE_2: ${{ github.event.issue.title }}\n        run: echo \"$ISSUE_TITLE ${ISSUE_TITLE_2}\"\n",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(of_steps(before).as_deref(), Some(after), "{before}");
    }
    let windows = |text: &str| format!("{HEAD}{text}").replace('\n', "\r\n");
    assert_eq!(mended(&windows(cases[0].0)), Some(windows(cases[0].1)));
}

#[test]
fn where_it_is_not_plain_how_the_shell_reads_a_text_nothing_is_offered() {
    let steps = [
        format!("      - run: echo {TITLE}\n        shell: pwsh\n"),
        format!("      - run: echo {TITLE}\n        shell: python\n"),
        format!("      - run: make {TITLE}\n"),
        format!("      - run: {TITLE}\n"),
        format!("      - run: bash -c \"echo {TITLE}\"\n"),
        format!("      - run: eval \"{TITLE}\"\n"),
        format!("      - run: echo \"{TITLE}\" | sh\n"),
        format!("      - run: |\n          cat <<EOF\n          {TITLE}\n          EOF\n"),
        format!("      - run: echo $(echo {TITLE})\n"),
        format!("      - run: |\n          # {TITLE}\n          echo\n"),
        format!("      - run: \"echo {TITLE}\"\n"),
        format!("      - run: echo \"{TITLE}\"; make {TITLE}\n"),
        "      - run: echo \"${{ github.event.issue.title | x }}\"\n".to_owned(),
        "      - run: echo \"${{ format('{0}', env.T) }}\"\n        env: { T: '${{ github.event.issue.title }}' }\n"
            .to_owned(),
        format!("      - uses: actions/github-script@v7\n        with: {{ script: 'f(\"{TITLE}\")' }}\n"),
    ];
    for text in steps {
        assert_eq!(of_steps(&text), None, "{text}");
    }
    let plain = format!("{HEAD}      - run: echo \"{TITLE}\"\n");
    for machine in ["windows-latest", "[self-hosted, linux]", "${{ matrix.os }}"] {
        assert_eq!(mended(&plain.replace("ubuntu-latest", machine)), None, "{machine}");
    }
    let shell = "defaults: { run: { shell: bash } }\n";
    assert!(mended(&format!("{shell}{}", plain.replace("ubuntu-latest", "windows-latest"))).is_some(), "it says bash");
    assert_eq!(mended(&format!("{}{plain}", shell.replace("bash", "pwsh"))), None);
}

#[test]
fn credentials_are_dropped_where_nothing_behind_can_need_them() {
    let cases = [
        (
            "      - uses: actions/checkout@v4 # all\n",
            "      - uses: actions/checkout@v4 # all\n        with:\n          persist-credentials: false\n",
        ),
        (
            "      - name: a\n        uses: actions/checkout@v4\n        with:\n          ref: main # x\n",
            "      - name: a\n        uses: actions/checkout@v4\n        with:\n          persist-credentials: false\n          ref: main # x\n",
        ),
        (
            "      - uses: actions/checkout@v4\n        with: { ref: main }\n",
            "      - uses: actions/checkout@v4\n        with: { persist-credentials: false, ref: main }\n",
        ),
        (
            "      - { uses: actions/checkout@v4 }\n",
            "      - { uses: actions/checkout@v4, with: { persist-credentials: false } }\n",
        ),
    ];
    for (before, after) in cases {
        let (before, after) = (format!("{before}{QUIET}"), format!("{after}{QUIET}"));
        assert_eq!(of_steps(&before), Some(after), "{before}");
    }
    let checkout = "      - uses: actions/checkout@v4\n";
    for later in [
        "      - run: git push\n",
        "      - run: make\n",
        "      - run: npm run release\n",
        "      - uses: some/action@v1\n",
        "      - uses: ./act\n",
        "      - run: cargo test\n      - run: ./push.sh\n",
    ] {
        assert_eq!(of_steps(&format!("{checkout}{later}")), None, "{later}");
    }
    assert!(of_steps(&format!("      - run: git push\n{checkout}")).is_some(), "before it there are none");
    for with in ["token: x", "ssh-key: x", "persist-credentials: true", "Token: x"] {
        assert_eq!(of_steps(&format!("{checkout}        with: {{ {with} }}\n{QUIET}")), None, "{with}");
    }
    let action = "runs:\n  using: composite\n  steps:\n    - uses: actions/checkout@v4\n";
    assert_eq!(mended(action), None, "what comes behind an action is its caller's");
}

#[test]
fn rights_are_named_where_every_job_surely_needs_no_more_than_to_read() {
    let job = |steps: &str| format!("jobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n{steps}");
    let quiet = "      - { uses: actions/setup-node@v4 }\n      - run: npm ci\n";
    let of = |rest: &str| mended(&format!("on: push\n\n{rest}"));
    let after = format!("on: push\n\npermissions:\n  contents: read\n\n{}", job(quiet));
    assert_eq!(of(&job(quiet)), Some(after));
    for steps in [
        "      - run: gh pr list\n",
        "      - run: npm publish\n",
        "      - run: npm ci\n        env: { T: '${{ secrets.GITHUB_TOKEN }}' }\n",
        "      - run: npm ci\n        env: { T: '${{ github.token }}' }\n",
        "      - uses: some/action@v1\n",
        "      - uses: actions/labeler@v5\n",
    ] {
        assert_eq!(of(&job(steps)), None, "{steps}");
    }
    assert_eq!(of("jobs:\n  call: { uses: o/r/.github/workflows/x.yml@main }\n"), None);
    let two = format!("{}  other:\n    runs-on: x\n    steps: [{{ run: make }}]\n", job(quiet));
    assert_eq!(of(&two), None, "one of two jobs");
    let own = two.replace("    runs-on: x", "    permissions: { contents: write }\n    runs-on: x");
    assert!(of(&own).is_some(), "the other one says its own");
}
