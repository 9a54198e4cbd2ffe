//! What a shell script does that matters here, by its text.

/// Names of variables that a script reads where it evaluates text: `eval "$TITLE"`, `bash -c "$CMD"`.
pub(super) fn evaluated(script: &str) -> Vec<String> {
    let evaluates = |line: &&str| {
        let words = line.split(|c: char| c.is_whitespace() || matches!(c, ';' | '|' | '&' | '(' | '{'));
        let is_eval = words.clone().any(|word| matches!(word, "eval" | "iex" | "Invoke-Expression"));
        is_eval || ["sh -c", "bash -c", "python -c", "node -e"].iter().any(|call| line.contains(call))
    };
    let mut found: Vec<String> = script.lines().filter(evaluates).flat_map(variables).collect();
    found.sort();
    found.dedup();
    found
}

/// Lines that write to the environment of later steps.
pub(super) fn environment_lines(script: &str) -> Vec<&str> {
    let writes =
        |line: &&str| ["GITHUB_ENV", "GITHUB_PATH", "::set-env ", "::add-path::"].iter().any(|w| line.contains(w));
    script.lines().filter(writes).collect()
}

/// Names of the variables that a line reads.
pub(super) fn variables(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for rest in line.split('$').skip(1) {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let rest = rest.strip_prefix("env:").unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        if let Some(name) = rest.get(..end).filter(|name| !name.is_empty()) {
            found.push(name.to_owned());
        }
    }
    found
}

/// Programs that run or build what lies in the workspace, by the first words of a command.
const RUNNERS: [&str; 36] = [
    "npm",
    "npx",
    "yarn",
    "pnpm",
    "bun",
    "node",
    "deno",
    "make",
    "cmake",
    "python",
    "python3",
    "pip",
    "pip3",
    "poetry",
    "uv",
    "tox",
    "nox",
    "pytest",
    "go",
    "cargo",
    "mvn",
    "gradle",
    "ant",
    "sbt",
    "bundle",
    "rake",
    "ruby",
    "dotnet",
    "msbuild",
    "docker",
    "bash",
    "sh",
    "source",
    "terraform",
    "composer",
    "pre-commit",
];

/// Whether a script runs what lies in the workspace.
pub(super) fn runs_workspace(script: &str) -> bool {
    let is_run = |word: &str| {
        RUNNERS.contains(&word)
            || word.starts_with("./")
            || [".sh", ".py", ".ps1"].iter().any(|end| word.ends_with(end))
    };
    let commands = script.lines().flat_map(|line| line.split(['|', ';', '&', '(']));
    let first = |command: &str| {
        let words =
            command.split_whitespace().filter(|word| !word.contains('=') && !matches!(*word, "sudo" | "time" | "env"));
        words.take(1).any(|word| is_run(word.trim_matches(['"', '\''])))
    };
    commands.into_iter().any(first)
}
