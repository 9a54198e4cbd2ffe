//! `sluice check` on a repository whose workflows of GitHub Actions call each other and actions of their own.

use serde_json::{Value as Json, json};

use crate::sandbox::Sandbox;

const TITLE: &str = "${{ github.event.issue.title }}";

/// The report on a repository of these files.
fn report(files: &[(&str, String)]) -> (Json, String) {
    let sandbox = Sandbox::new();
    for (name, content) in files {
        sandbox.write(&format!("repo/{name}"), content.clone());
    }
    let folder = sandbox.path("repo").display().to_string();
    (sandbox.sluice(&["check", "--facts", "--format", "json", &folder]).json(), folder)
}

/// Per file: `CODE SEVERITY MESSAGE` of every flow into a script or prompt, what runs outsiders' code and every call that leads
/// nowhere.
fn told(files: &[(&str, String)]) -> Vec<String> {
    let (report, folder) = report(files);
    let mut told = Vec::new();
    for file in report["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap().replace(&format!("{folder}/"), "");
        let path = path.replace(".github/workflows/", "");
        assert_ne!(file["verdict"], json!("refused"), "{file}");
        for found in file["findings"].as_array().unwrap() {
            let code = found["code"].as_str().unwrap();
            if ["SL230", "SL236", "SL258", "SL260", "SL261", "SL270"].contains(&code) {
                let (severity, message) = (found["severity"].as_str().unwrap(), found["message"].as_str().unwrap());
                told.push(format!("{path}: {code} {severity} {message}"));
            }
        }
    }
    told.sort();
    told
}

fn workflow(on: &str, jobs: &str) -> String {
    format!("on: {on}\npermissions: {{}}\njobs:\n{jobs}")
}

fn job(name: &str, steps: &str) -> String {
    format!("  {name}:\n    runs-on: ubuntu-latest\n    steps:\n{steps}")
}

/// A workflow that pastes an input and gives out a text.
fn called() -> String {
    let on = "{ workflow_call: { inputs: { text: { type: string }, other: { type: string, default: fixed }, on: { type: boolean } }, \
              outputs: { back: { value: '${{ jobs.do.outputs.back }}' } } } }";
    let job = job("do", "      - id: a\n        run: echo ${{ inputs.text }}\n");
    workflow(on, &format!("{job}    outputs: {{ back: '${{{{ inputs.text }}}}' }}\n"))
}

fn call(with: &str) -> String {
    format!("  call:\n    uses: ./.github/workflows/b.yml\n    with: {{ {with} }}\n")
}

fn action(inputs: &str, rest: &str) -> String {
    format!("name: a\ninputs: {{ {inputs} }}\n{rest}")
}

const ECHO: &str = "runs:\n  using: composite\n  steps:\n    - shell: bash\n      run: echo ${{ inputs.text }}\n";
const USES: &str = "      - uses: ./act\n";

/// What a file that others call tells by itself: whoever calls it may be anybody.
const ALONE: &str = "b.yml: SL260 low `${{ }}` pastes text of outsiders into the script of `do / a`, from `inputs`";
const DIRECT: &str =
    "b.yml: SL260 critical `${{ }}` pastes text of outsiders into the script of `do / a`, from `a.yml: issues`";
const ACTION_ALONE: &str = "act/action.yml: SL260 low `${{ }}` pastes text of outsiders into the script of \
                            `action / echo ${{ inputs.text }}`, from `inputs`";
const ACTION_DIRECT: &str = "act/action.yml: SL260 critical `${{ }}` pastes text of outsiders into the script of \
                             `action / echo ${{ inputs.text }}`, from `a.yml: issues`";

fn pair(a: String) -> [(&'static str, String); 2] {
    [(".github/workflows/a.yml", a), (".github/workflows/b.yml", called())]
}

fn with_action(a: String, action: String) -> [(&'static str, String); 2] {
    [(".github/workflows/a.yml", a), ("act/action.yml", action)]
}

#[test]
fn what_a_job_hands_over_is_followed_into_the_workflow_that_it_calls() {
    let of = |with: &str| told(&pair(workflow("issues", &call(with))));
    assert_eq!(of(&format!("text: '{TITLE}'")), [DIRECT, ALONE]);
    assert_eq!(of("text: fixed"), [ALONE]);
    assert_eq!(of(&format!("other: '{TITLE}'")), [ALONE], "another input");
    assert_eq!(of(&format!("text: '${{{{ github.event.issue.number }}}}', on: '{TITLE}'")), [ALONE], "a number");
    let pushed = told(&pair(workflow("push", &call("text: '${{ github.event.head_commit.message }}'"))));
    assert!(
        pushed.iter().any(|found| found.starts_with("b.yml: SL260 medium")),
        "as easily as the caller's: {pushed:?}"
    );
}

#[test]
fn what_a_called_workflow_puts_out_comes_back() {
    let reads = |with: &str, name: &str| {
        let after = job("after", &format!("      - run: echo ${{{{ needs.call.outputs.{name} }}}}\n"));
        let after = after.replace("    steps:", "    needs: call\n    steps:");
        told(&pair(workflow("issues", &format!("{}{after}", call(with)))))
    };
    let back = "a.yml: SL260 critical `${{ }}` pastes text of outsiders into the script of \
                `after / echo ${{ needs.call.outputs.back }}`, from `issues`";
    assert_eq!(reads(&format!("text: '{TITLE}'"), "back"), [back, DIRECT, ALONE]);
    assert_eq!(reads("text: fixed", "back"), [ALONE]);
    assert_eq!(reads(&format!("text: '{TITLE}'"), "other"), [DIRECT, ALONE], "an output that it has not");
}

#[test]
fn the_event_the_conditions_and_filled_secrets_go_along_with_a_call() {
    let uses_event = |condition: &str| {
        let steps = format!("      - id: a\n        run: echo {TITLE} ${{{{ secrets.NOTE }}}}\n");
        let b = workflow("{ workflow_call: {} }", &job("do", &steps));
        let a = workflow("[issues, push]", &format!("  call:\n{condition}    uses: ./.github/workflows/b.yml\n"));
        told(&[(".github/workflows/a.yml", a), (".github/workflows/b.yml", b)])
    };
    let direct = "b.yml: SL260 critical";
    assert!(uses_event("").iter().any(|found| found.starts_with(direct) && found.contains("`a.yml: issues`")));
    let pushed = "    if: github.event_name == 'push'\n";
    let of_pushes = uses_event(pushed);
    assert!(!of_pushes.iter().any(|found| found.contains("a.yml: issues")), "{of_pushes:?}");
    let filled =
        uses_event(&format!("{pushed}    secrets: {{ NOTE: '${{{{ github.event.head_commit.message }}}}' }}\n"));
    assert!(filled.iter().any(|found| found.contains("from `a.yml: push`")), "{filled:?}");
}

#[test]
fn an_action_of_the_repository_is_entered_with_what_its_step_hands_over() {
    let of = |with: &str| {
        let a = workflow("issues", &job("build", &format!("{USES}{with}")));
        told(&with_action(a, action("text: { default: fixed }, more: { default: '${{ github.token }}' }", ECHO)))
    };
    assert_eq!(of(&format!("        with: {{ TEXT: '{TITLE}' }}\n")), [ACTION_DIRECT, ACTION_ALONE]);
    assert_eq!(of(""), [ACTION_ALONE], "its own default");
    assert_eq!(of(&format!("        with: {{ more: '{TITLE}' }}\n")), [ACTION_ALONE]);
}

#[test]
fn outputs_environment_and_files_of_an_action_are_those_of_the_job() {
    let after = |inner: &str, later: &str, with: &str| {
        let action = format!(
            "inputs: {{ text: {{}}, ref: {{}} }}\noutputs: {{ back: {{ value: '${{{{ steps.x.outputs.v }}}}' }} }}\n\
             runs:\n  using: composite\n  steps:\n{inner}"
        );
        let steps = format!("      - id: own\n        uses: ./act\n        with: {{ {with} }}\n      - run: {later}\n");
        let found = told(&with_action(workflow("issue_comment", &job("build", &steps)), action));
        found.into_iter().filter(|f| f.starts_with("a.yml") && f.contains(" critical ")).collect::<Vec<_>>().join("\n")
    };
    let body = "text: '${{ github.event.comment.body }}'";
    let writes = "    - id: x\n      shell: bash\n      env: { T: '${{ inputs.text }}' }\n      run: echo \"v=$T\" >> $GITHUB_OUTPUT\n";
    assert!(after(writes, "echo ${{ steps.own.outputs.back }}", body).starts_with("a.yml: SL260"));
    assert_eq!(after(writes, "echo ${{ steps.own.outputs.back }}", "text: fixed"), "");
    assert_eq!(after(writes, "echo ${{ steps.x.outputs.v }}", body), "", "its steps are its own");
    let env = "    - shell: bash\n      env: { T: '${{ inputs.text }}' }\n      run: echo \"V=$T\" >> $GITHUB_ENV\n";
    assert!(after(env, "echo ${{ env.V }}", body).starts_with("a.yml: SL260"));
    let head = "    - uses: actions/checkout@v4\n      with: { ref: '${{ inputs.ref }}' }\n";
    let brought = after(head, "make", "ref: 'refs/pull/${{ github.event.issue.number }}/head'");
    assert!(
        brought.starts_with("a.yml: SL261") && brought.contains("`action.yml: action / actions/checkout@v4`"),
        "{brought}"
    );
    assert_eq!(after(head, "make", "ref: main"), "");
}

#[test]
fn an_action_that_builds_what_the_job_checked_out_is_told_there() {
    let steps =
        "      - uses: actions/checkout@v4\n        with: { ref: '${{ github.event.pull_request.head.sha }}' }\n";
    let makes = "runs:\n  using: composite\n  steps:\n    - shell: bash\n      run: make\n";
    let found =
        told(&with_action(workflow("pull_request_target", &job("build", &format!("{steps}{USES}"))), makes.to_owned()));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("a.yml: SL261 critical"), "whoever brought the files brought the action: {found:?}");
    let there = "act/action.yml: SL261 critical this step runs what an outsider's commit brings, with the repository's rights \
                 (`action / make`), in `a.yml: build / actions/checkout@v4`";
    assert_eq!(found[1], there);
}

#[test]
fn calls_go_on_through_further_files_and_end_where_they_turn_in_a_circle() {
    let uses = |name: &str| {
        format!(
            "runs:\n  using: composite\n  steps:\n    - uses: ./{name}\n      with: {{ text: '${{{{ inputs.text }}}}' }}\n"
        )
    };
    let a = workflow("issues", &job("build", &format!("      - uses: ./one\n        with: {{ text: '{TITLE}' }}\n")));
    let files = |last: String| {
        [
            (".github/workflows/a.yml", a.clone()),
            ("one/action.yml", action("text: {}", &uses("two"))),
            ("two/action.yaml", action("text: {}", &last)),
        ]
    };
    let found = told(&files(ECHO.to_owned()));
    assert!(
        found.iter().any(|f| f.starts_with("two/action.yaml: SL260 critical") && f.contains("from `a.yml: issues`")),
        "{found:?}"
    );
    assert!(
        !found.iter().any(|f| f.contains("SL258")),
        "an action below no `.github` has the top of those that call it: {found:?}"
    );
    let circle = told(&files(uses("one")));
    assert!(circle.iter().all(|f| f.contains("SL258")), "{circle:?}");
    let says_so = |a: &str, b: &str| {
        let text =
            |calls: &str| workflow("workflow_call", &format!("  c: {{ uses: ./.github/workflows/{calls}.yml }}\n"));
        let (report, _) = report(&[(".github/workflows/a.yml", text(a)), (".github/workflows/b.yml", text(b))]);
        report["files"].as_array().unwrap().iter().filter(|f| f.to_string().contains("calls itself in the end")).count()
    };
    assert_eq!((says_so("b", "a"), says_so("a", "a")), (2, 2), "each says where it ends");
}

#[test]
fn a_file_that_is_called_a_thousand_times_is_not_followed_for_ever() {
    let twice =
        |name: &str| format!("runs:\n  using: composite\n  steps:\n    - uses: ./{name}\n    - uses: ./{name}\n");
    let mut files = vec![(".github/workflows/a.yml".to_owned(), workflow("issues", &job("b", "      - uses: ./d0\n")))];
    files.extend((0..9).map(|n| (format!("d{n}/action.yml"), twice(&format!("d{}", n + 1)))));
    files.push(("d9/action.yml".to_owned(), twice("act")));
    files.push(("act/action.yml".to_owned(), ECHO.to_owned()));
    let files: Vec<(&str, String)> = files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    let (report, _) = report(&files);
    assert!(report.to_string().contains("1000 steps are not followed"));
}

#[test]
fn what_is_not_certainly_the_file_that_is_called_is_told_and_not_guessed() {
    let missing =
        "a.yml: SL258 info the file of this repository that is called is not among those that were read (`call`): ";
    let a = |uses: &str| workflow("issues", &format!("  call:\n    uses: {uses}\n    with: {{ text: '{TITLE}' }}\n"));
    let of = |uses: &str| told(&pair(a(uses))).into_iter().filter(|f| *f != ALONE).collect::<Vec<_>>();
    for uses in ["./.github/workflows/c.yml", "./.github/workflows/B.yml", "./../b.yml", "./workflows/b.yml"] {
        assert_eq!(of(uses), [format!("{missing}`{uses}`")]);
    }
    let other = "a.yml: SL258 info a workflow of another repository is called, and not looked into (`call`): ";
    let uses = "o/r/.github/workflows/b.yml@main";
    assert_eq!(of(uses), [format!("{other}`{uses}`")], "the file of the same name is not taken for it");
    let not_callable = [
        (".github/workflows/a.yml", a("./.github/workflows/b.yml")),
        (".github/workflows/b.yml", called().replace("workflow_call", "x")),
    ];
    assert!(told(&not_callable).iter().any(|f| f.starts_with(missing)), "a workflow that nobody can call");
    let nested =
        told(&[("x/.github/workflows/a.yml", a("./.github/workflows/b.yml")), ("y/.github/workflows/b.yml", called())]);
    assert!(
        nested.iter().any(|f| f.contains("not among those that were read")),
        "another repository in the same folder: {nested:?}"
    );
    let step = |uses: &str| workflow("issues", &job("build", &format!("      - uses: {uses}\n")));
    let gone = told(&with_action(step("./gone"), action("text: {}", ECHO)));
    assert!(gone.iter().any(|f| f.contains("SL258") && f.ends_with("(`build / ./gone`): `./gone`")), "{gone:?}");
    let action_as_job = told(&with_action(a("./act"), action("text: {}", ECHO)));
    assert!(action_as_job.iter().any(|f| f.contains("SL258")), "a step's action is no job: {action_as_job:?}");
    let job_as_action = told(&pair(step("./.github/workflows/b.yml")));
    assert!(job_as_action.iter().any(|f| f.contains("SL258")), "{job_as_action:?}");
    let both = [
        (".github/workflows/a.yml", step("./act")),
        ("act/action.yml", action("text: {}", ECHO)),
        ("act/action.yaml", ECHO.to_owned()),
    ];
    assert!(told(&both).iter().any(|f| f.contains("which workflow is called is not certain")));
    let program = told(&with_action(step("./act"), "runs: { using: node20, main: index.js }".to_owned()));
    assert_eq!(program, [] as [&str; 0], "a program is no workflow, and its file is there");
}

#[test]
fn the_way_names_both_files_and_a_baseline_knows_it_in_any_folder() {
    let (report, folder) = report(&pair(workflow("issues", &call(&format!("text: '{TITLE}'")))));
    let files = report["files"].as_array().unwrap();
    let b = files.iter().find(|file| file["path"].as_str().unwrap().ends_with("b.yml")).unwrap();
    let finding = b["findings"].as_array().unwrap().iter().find(|f| f["severity"] == "critical").unwrap();
    let file = json!(format!("{folder}/.github/workflows/a.yml"));
    let stops: Vec<_> =
        finding["flow"].as_array().unwrap().iter().map(|s| (s["step"].as_str().unwrap(), s["file"] == file)).collect();
    assert_eq!((stops.first(), stops.last()), (Some(&("issues", true)), Some(&("do / a", false))), "{stops:?}");
    assert!(stops.contains(&("call", true)), "{stops:?}");
    let a = files.iter().find(|file| file["path"].as_str().unwrap().ends_with("a.yml")).unwrap();
    assert_eq!(a["facts"]["unresolved_subworkflows"], json!([]));
    assert_eq!(b["facts"]["flows"].as_array().unwrap().len(), 1, "of itself it knows what it knew alone");
}

#[test]
fn of_hidden_folders_only_workflows_and_actions_of_github_are_looked_at() {
    let a = workflow("issues", &job("build", &format!("      - run: echo {TITLE}\n")));
    let files = [
        (".github/workflows/a.yml", a.clone()),
        (".github/actions/x/action.yml", action("text: {}", ECHO)),
        (".github/settings.yml", "a: yes\n".to_owned()),
        (".github/ISSUE_TEMPLATE/form.yml", "a: [\n".to_owned()),
        (".other/workflows/a.yml", a),
    ];
    let (report, folder) = report(&files);
    let paths = report["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap());
    let paths: Vec<String> = paths.map(|path| path.replace(&format!("{folder}/"), "")).collect();
    assert_eq!(paths, [".github/actions/x/action.yml", ".github/workflows/a.yml"]);
}
