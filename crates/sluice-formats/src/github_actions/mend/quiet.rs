//! Steps that surely need neither the credentials of a checkout nor more rights than to read the repository.

use crate::github_actions::knowledge::Knowledge;
use crate::github_actions::read::Step;

/// Words that only introduce a command, or end a list of them.
const AROUND: [&str; 9] = ["if", "then", "else", "elif", "do", "while", "until", "!", "time"];
const ENDS: [&str; 3] = ["fi", "done", "esac"];

/// Whether a step is one of the few that are known to be so.
pub(super) fn is_quiet(step: &Step<'_>, knowledge: &Knowledge) -> bool {
    if let Some(run) = step.run {
        return run.as_text().is_some_and(|script| is_quiet_script(script, knowledge));
    }
    let name = step.uses.and_then(|uses| uses.as_text()).and_then(|text| text.split('@').next());
    name.and_then(|name| knowledge.action(name)).is_some_and(|action| action.quiet)
}

/// Whether every command of a script is. What quotes hide is cut up with the rest, and then is none; a quote or a comment that
/// could hide the end of another is not looked into.
fn is_quiet_script(script: &str, knowledge: &Knowledge) -> bool {
    let script = script.replace("\\\n", " ");
    if script.contains("${{") || script.contains("<<") || script.contains(['`', '\\']) {
        return false;
    }
    let mut lines = script.lines().filter(|line| !line.trim_start().starts_with('#'));
    let is_even = |line: &str, quote: char| line.matches(quote).count().is_multiple_of(2);
    lines.all(|line| {
        let mut commands = line.split([';', '|', '&', '(', ')', '{', '}']);
        is_even(line, '"') && is_even(line, '\'') && commands.all(|command| is_quiet_command(command, knowledge))
    })
}

fn is_quiet_command(command: &str, knowledge: &Knowledge) -> bool {
    let is_assignment = |word: &&str| {
        word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
    };
    let mut words = command.split_whitespace().skip_while(|word| AROUND.contains(word) || is_assignment(word));
    match words.next() {
        None => true,
        Some(end) if ENDS.contains(&end) => true,
        Some(first) => {
            let both = format!("{first} {}", words.next().unwrap_or_default());
            knowledge.lists("quiet", first) || knowledge.lists("quiet", &both)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_that_are_known_are_quiet() {
        let of = |script: &str| is_quiet_script(script, Knowledge::built_in());
        for script in [
            "echo a",
            "npm ci\ncargo test --all",
            "A=1 B=2 echo x | tee y",
            "if [ -f a ]; then\n  ls # git push\nfi",
            "",
            "# git push",
        ] {
            assert!(of(script), "{script}");
        }
        for script in [
            "git push",
            "make",
            "npm run release",
            "npm",
            "echo a && git push",
            "echo $(git push)",
            "echo `git push`",
            "echo a\n./x",
            "echo 'a; b'",
            "cat <<E\nE",
            "echo ${{ inputs.a }}",
            "$X",
            "sudo ls",
            "echo a; \\\ngit push",
            "echo \"\n# \"; git push",
            "echo \"\\\"\n# \"; git push",
            "echo ' # '; git push",
        ] {
            assert!(!of(script), "{script}");
        }
    }
}
