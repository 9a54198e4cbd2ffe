//! What the words of a shell command say of it.
//!
//! Who only sets off a command that shows something changes nothing. What an outsider writes into a command is another
//! question, which nothing here answers.

/// Programs that show something and change nothing, whatever they are given.
const READING: [&str; 28] = [
    "cat",
    "cut",
    "date",
    "df",
    "dmesg",
    "du",
    "echo",
    "free",
    "grep",
    "head",
    "hostname",
    "id",
    "journalctl",
    "jq",
    "ls",
    "lsblk",
    "nproc",
    "ps",
    "pwd",
    "ss",
    "stat",
    "tail",
    "tr",
    "uname",
    "uptime",
    "wc",
    "which",
    "whoami",
];

/// Programs of which some commands do.
const READING_COMMANDS: [(&str, &[&str]); 6] = [
    ("docker", &["ps", "logs", "stats", "inspect", "images", "info", "version", "top"]),
    ("podman", &["ps", "logs", "stats", "inspect", "images", "info", "version", "top"]),
    ("kubectl", &["get", "describe", "logs", "top", "version", "events"]),
    ("systemctl", &["status", "is-active", "is-enabled", "is-failed", "list-units", "list-timers"]),
    ("git", &["status", "log", "show", "diff", "rev-parse"]),
    ("n8n", &["-v", "--version"]),
];

/// Whether every program of a command only shows something.
pub(super) fn only_reads(command: &str) -> bool {
    let runs_more = ["$(", "`", ">", "<("].iter().any(|mark| command.contains(mark));
    let mut programs = programs(command).peekable();
    !runs_more && programs.peek().is_some() && programs.all(|words| reads(&words))
}

/// Whether a command shows what programs and machines have logged.
pub(super) fn shows_logs(command: &str) -> bool {
    programs(command).any(|words| match words.as_slice() {
        ["journalctl" | "dmesg", ..] | ["docker" | "podman" | "kubectl", "logs", ..] => true,
        [program, rest @ ..] => {
            matches!(*program, "tail" | "cat" | "grep" | "head")
                && rest.iter().any(|word| word.ends_with(".log") || word.contains("/var/log"))
        }
        [] => false,
    })
}

fn reads(words: &[&str]) -> bool {
    match words {
        [program, rest @ ..] => {
            let commands = READING_COMMANDS.iter().find(|(name, _)| name == program);
            READING.contains(program)
                || commands.is_some_and(|(_, known)| rest.first().is_some_and(|word| known.contains(word)))
        }
        [] => false,
    }
}

/// The words of each program that a command starts, without comments and who they run as.
fn programs(command: &str) -> impl Iterator<Item = Vec<&str>> {
    let text = command.strip_prefix('=').unwrap_or(command);
    let lines =
        text.split(['\n', ';', '|', '&']).map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_whitespace().skip_while(|word| *word == "sudo").collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_shows_something_changes_nothing() {
        for command in [
            "docker ps --format '{{.Names}}'",
            "=docker logs --tail 100 {{ $json.name }}",
            "df -k / | tail -1",
            "# disks\ndf -h\nsudo systemctl status nginx",
        ] {
            assert!(only_reads(command), "{command}");
        }
    }

    #[test]
    fn what_may_do_more_is_not_taken_for_reading() {
        for command in [
            "",
            "docker restart web",
            "docker",
            "ls && rm -rf /tmp/x",
            "cat list > /etc/hosts",
            "echo $(reboot)",
            "echo `reboot`",
            "./status.sh",
            "systemctl restart nginx",
            "ls | xargs rm",
            "=docker ps; {{ $json.more }}",
        ] {
            assert!(!only_reads(command), "{command}");
        }
    }

    #[test]
    fn logs_are_known_by_who_shows_them() {
        assert!(
            ["docker logs web", "sudo journalctl -u web", "tail -n 5 /var/log/syslog", "cat app.log | grep x"]
                .iter()
                .all(|command| shows_logs(command))
        );
        assert!(!["docker ps", "ls /var/log", "cat list.txt"].iter().any(|command| shows_logs(command)));
    }
}
