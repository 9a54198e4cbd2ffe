//! A folder with a workspace and a home of its own, and the program run in it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

/// How a command ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks the exit code, and shows everything if it is another.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }
}

pub(crate) struct Sandbox {
    folder: TempDir,
    columns: u16,
}

impl Sandbox {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), columns: 80 }
    }

    /// With a workspace in `ws` that `ana` made.
    pub(crate) fn with_workspace() -> Self {
        let sandbox = Self::new();
        fs::create_dir(sandbox.path("ws")).unwrap();
        sandbox.sluice(&["init", ".", "--as", "ana", "--name", "notes"]).with(0);
        sandbox
    }

    /// With `ben` beside her in the register: he asks, she decides.
    pub(crate) fn with_two_people() -> Self {
        let sandbox = Self::with_workspace();
        sandbox.edit("ws/registers/principals.yaml", |text| {
            text.replace("\npersons:\n", "\npersons:\n  ben: { name: \"Ben\" }\n")
        });
        sandbox
    }

    /// Ana and cleo own what is there, ben asks, dora stands by; eve, ben and ana are on call, whoever that may be for.
    pub(crate) fn with_five_people() -> Self {
        let sandbox = Self::with_workspace();
        let persons: String = ["ben", "cleo", "dora", "eve"].map(|name| sandbox.person_with_key(name)).concat();
        sandbox.edit("ws/registers/principals.yaml", |text| {
            let text = text.replace("\npersons:\n", &format!("\npersons:\n{persons}"));
            let text = text.replace("members: [ana]", "members: [ana, cleo]");
            text.replace("\ngroups:\n", "\ngroups:\n  oncall: { members: [eve, ben, ana] }\n") + "models: { gpt: {} }\n"
        });
        sandbox
    }

    /// A key of somebody's, and their entry of the register.
    fn person_with_key(&self, name: &str) -> String {
        let elsewhere = format!("elsewhere-{name}");
        self.sluice(&["init", &format!("../{elsewhere}"), "--as", name]).with(0);
        let register = fs::read_to_string(self.path(&elsewhere).join("registers/principals.yaml")).unwrap();
        let key = register.split('"').find(|text| text.starts_with("sluice-public-key-1 ")).unwrap();
        format!("  {name}: {{ name: \"{name}\", keys: [\"{key}\"] }}\n")
    }

    /// Governed by both: `ana` and `ben` are pinned, sign the rules, and own what is there. The rules are not signed yet.
    pub(crate) fn governed_by_two() -> Self {
        let sandbox = Self::with_workspace();
        sandbox.sluice(&["init", "../elsewhere", "--as", "ben"]).with(0);
        let key_line = |workspace: &str| {
            let register = fs::read_to_string(sandbox.path(workspace).join("registers/principals.yaml")).unwrap();
            register.split('"').find(|text| text.starts_with("sluice-public-key-1 ")).unwrap().to_owned()
        };
        let ben = key_line("elsewhere");
        sandbox.edit("ws/workspace.yaml", |text| {
            text.replace("\nsolo: true", "\nsolo: false\ndefinitions: { approvers: owners }")
        });
        sandbox.edit("ws/registers/principals.yaml", |text| {
            text.replace("\npersons:\n", &format!("\npersons:\n  ben: {{ name: \"Ben\", keys: [\"{ben}\"] }}\n"))
                .replace("members: [ana]", "members: [ana, ben]")
        });
        let propose = ["policy", "signers", "propose", "--add", &ben, "--solo", "false", "--as", "ana", "--key"];
        sandbox.sluice(&[&propose[..], &[&sandbox.key()]].concat()).with(0);
        sandbox
    }

    /// The same with the rules in force.
    pub(crate) fn signed_by_two() -> Self {
        let sandbox = Self::governed_by_two();
        for person in ["ana", "ben"] {
            sandbox.sign(person).with(0);
        }
        sandbox
    }

    pub(crate) fn sign(&self, person: &str) -> Ended {
        self.sluice(&["policy", "sign", "--as", person, "--key", &self.key_of(person)])
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn key(&self) -> String {
        self.key_of("ana")
    }

    pub(crate) fn key_of(&self, person: &str) -> String {
        self.path(&format!("home/keys/{person}.key")).display().to_string()
    }

    /// The folder outside of the workspace that holds its keys.
    pub(crate) fn keys(&self) -> PathBuf {
        let id = fs::read_to_string(self.path("ws/.sluice/id")).unwrap();
        self.path("home/workspaces").join(id.trim())
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        name.strip_prefix("ws/").unwrap_or(name).to_owned()
    }

    pub(crate) fn edit(&self, name: &str, edit: impl FnOnce(String) -> String) {
        let before = fs::read_to_string(self.path(name)).unwrap();
        let after = edit(before.clone());
        assert_ne!(before, after, "nothing to change in {name}");
        fs::write(self.path(name), after).unwrap();
    }

    /// Runs the program in the workspace, or in the folder where there is none.
    pub(crate) fn sluice(&self, arguments: &[&str]) -> Ended {
        self.sluice_with(arguments, "")
    }

    pub(crate) fn sluice_with(&self, arguments: &[&str], input: &str) -> Ended {
        self.ended(Command::new(env!("CARGO_BIN_EXE_sluice")).args(arguments), input)
    }

    /// Where no file may grow beyond so many KiB: a write past that fails, as on a disk without room.
    #[cfg(unix)]
    pub(crate) fn sluice_with_files_up_to(&self, kib: usize, arguments: &[&str]) -> Ended {
        // The shell counts in blocks of 512 bytes; without the trap the process would be killed.
        let limited = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kib * 2);
        self.ended(Command::new("/bin/sh").args(["-c", &limited, env!("CARGO_BIN_EXE_sluice")]).args(arguments), "")
    }

    /// Starts the program in the workspace; whoever starts it ends it.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The program, to be started by the caller.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
        command.args(arguments);
        self.surround(&mut command);
        command
    }

    fn surround(&self, command: &mut Command) {
        let at = if self.path("ws").exists() { self.path("ws") } else { self.folder.path().to_path_buf() };
        command
            .current_dir(at)
            .env_clear()
            .env("SLUICE_HOME", self.path("home"))
            .env("COLUMNS", self.columns.to_string());
    }

    fn ended(&self, command: &mut Command, input: &str) -> Ended {
        self.surround(command);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        Ended {
            code: output.status.code().expect("ended by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// A definition around tasks.
    pub(crate) fn workflow(&self, name: &str, tasks: &str) -> String {
        let head =
            "document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0', metadata: { purpose: operations } }";
        self.write(&format!("ws/{name}"), format!("{head}\ndo:\n{tasks}"))
    }

    /// Every file below a folder.
    pub(crate) fn files(&self, below: &str) -> Vec<PathBuf> {
        let mut open = vec![self.path(below)];
        let mut found = Vec::new();
        while let Some(at) = open.pop() {
            for entry in fs::read_dir(at).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { open.push(path) } else { found.push(path) }
            }
        }
        found
    }

    /// Output with what differs from run to run replaced: the folder, ids and digests, times.
    pub(crate) fn redacted(&self, text: &str) -> String {
        let text = text.replace(&self.folder.path().display().to_string(), "TMP");
        let mut shown = String::new();
        let mut word = String::new();
        for c in text.chars().chain(['\n']) {
            if c.is_ascii_hexdigit() {
                word.push(c);
                continue;
            }
            shown.push_str(if word.len() >= 8 { "HEX" } else { &word });
            word.clear();
            shown.push(c);
        }
        shown.trim_end().to_owned()
    }
}

/// Whether a file holds these bytes.
pub(crate) fn holds(path: &Path, needle: &str) -> bool {
    fs::read(path).unwrap().windows(needle.len()).any(|window| window == needle.as_bytes())
}
