//! The package that a launcher fetches, and whether it is always the same one.

use sluice_core::label::Name;

/// A package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    /// As package URLs name it: `npm`, `pypi`, `docker`.
    pub(super) kind: &'static str,
    /// With its scope or namespace.
    pub(super) name: String,
    /// As it is written, if it is.
    pub(super) version: Option<String>,
}

/// Options of launchers and of `docker run` that take the next word with them.
const TAKES_A_WORD: [&str; 24] = [
    "-e",
    "--env",
    "--env-file",
    "-v",
    "--volume",
    "--name",
    "--mount",
    "--network",
    "--net",
    "-p",
    "--publish",
    "-w",
    "--workdir",
    "-u",
    "--user",
    "--entrypoint",
    "-l",
    "--label",
    "--platform",
    "-m",
    "--memory",
    "--cpus",
    "--python",
    "--with",
];

/// What a command fetches before it runs it; `None` if it runs what is there.
pub(super) fn of(command: &[Name]) -> Option<Package> {
    let words: Vec<&str> = command.iter().map(AsRef::as_ref).collect();
    let (program, rest) = words.split_first()?;
    let program = program.rsplit(['/', '\\']).next().unwrap_or_default();
    let program = program.trim_end_matches(".cmd").trim_end_matches(".exe");
    match (program, rest) {
        ("npx" | "bunx", rest)
        | ("npm", ["exec" | "x", rest @ ..])
        | ("pnpm" | "yarn", ["dlx", rest @ ..])
        | ("bun", ["x", rest @ ..]) => npm(named(rest, &["-p", "--package"])?),
        ("uvx", rest) | ("uv", ["tool", "run", rest @ ..]) => pypi(named(rest, &["--from"])?),
        ("pipx", ["run", rest @ ..]) => pypi(named(rest, &["--spec"])?),
        ("docker" | "podman", ["run", rest @ ..]) => docker(named(rest, &[])?),
        ("deno", ["run", rest @ ..]) => named(rest, &[])?.strip_prefix("npm:").and_then(npm),
        _ => None,
    }
}

impl Package {
    /// Whether a later start runs the very same.
    pub(super) fn is_pinned(&self) -> bool {
        let Some(version) = &self.version else { return false };
        match self.kind {
            "docker" => version.starts_with("sha256:"),
            _ => {
                let parts: Vec<&str> = version.split(['-', '+']).next().unwrap_or_default().split('.').collect();
                let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
                let starts = parts.first().is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()));
                // A number or two are a range to npm.
                let enough = if self.kind == "npm" { parts.len() == 3 } else { parts.len() >= 2 };
                starts && enough && parts.iter().all(is_number) && !parts.contains(&"x")
            }
        }
    }

    /// Its package URL. Source: purl specification, types `npm`, `pypi` and `docker`.
    pub(super) fn url(&self) -> String {
        let (registry, name) = match self.name.split_once('/') {
            Some((host, rest)) if self.kind == "docker" && host.contains(['.', ':']) => (Some(host), rest),
            _ => (None, self.name.as_str()),
        };
        let name = name.split('/').map(encoded).collect::<Vec<_>>().join("/");
        let version = self.version.as_deref().map_or_else(String::new, |version| format!("@{}", encoded(version)));
        let registry = registry.map_or_else(String::new, |host| format!("?repository_url={}", encoded(host)));
        format!("pkg:{}/{name}{version}{registry}", self.kind)
    }
}

fn encoded(text: &str) -> String {
    let byte = |b: u8| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) { char::from(b).to_string() } else { format!("%{b:02X}") }
    };
    text.bytes().map(byte).collect()
}

/// The word that names the package: the value of such an option, or else the first that is no option.
fn named<'w>(words: &[&'w str], options: &[&str]) -> Option<&'w str> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (option, value) = word.split_once('=').map_or((*word, None), |(option, value)| (option, Some(value)));
        if options.contains(&option) {
            return value.or_else(|| words.next().copied());
        }
        if TAKES_A_WORD.contains(&option) && value.is_none() {
            words.next();
        } else if !word.starts_with('-') {
            return Some(word);
        }
    }
    None
}

fn npm(word: &str) -> Option<Package> {
    let (name, version) = match word.char_indices().skip(1).find(|(_, c)| *c == '@') {
        Some((at, _)) => (word.get(..at)?, word.get(at + 1..)),
        None => (word, None),
    };
    Some(Package { kind: "npm", name: name.to_owned(), version: version.map(str::to_owned) })
}

fn pypi(word: &str) -> Option<Package> {
    let (name, version) =
        word.split_once("==").or_else(|| word.split_once('@')).map_or((word, None), |(n, v)| (n, Some(v)));
    let name = name.split(['[', '<', '>', '~', '!']).next().unwrap_or_default().trim();
    let version = version.map(|version| version.trim_start_matches('=').trim().to_owned());
    Some(Package { kind: "pypi", name: name.to_lowercase(), version })
}

fn docker(word: &str) -> Option<Package> {
    let (name, version) = match word.split_once('@') {
        Some((name, digest)) => {
            (name.split_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(name, |(name, _)| name), Some(digest))
        }
        // A colon before a slash is a port.
        None => match word.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
            Some((name, tag)) => (name, Some(tag)),
            None => (word, None),
        },
    };
    Some(Package { kind: "docker", name: name.to_owned(), version: version.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(command: &str) -> Option<(String, bool)> {
        let words: Vec<Name> = command.split(' ').map(Name::from).collect();
        of(&words).map(|package| (package.url(), package.is_pinned()))
    }

    #[test]
    fn launchers_name_a_package_that_is_pinned_or_not() {
        let digest = "a".repeat(64);
        for (command, url, is_pinned) in [
            ("npx -y @scope/server@1.4.2 /srv", "pkg:npm/%40scope/server@1.4.2", true),
            ("npx -y @scope/server", "pkg:npm/%40scope/server", false),
            ("npx server@latest", "pkg:npm/server@latest", false),
            ("npx server@1", "pkg:npm/server@1", false),
            ("npx server@^1.2.3", "pkg:npm/server@%5E1.2.3", false),
            ("/usr/bin/npx --package=server@1.0.0-rc.1 run", "pkg:npm/server@1.0.0-rc.1", true),
            ("npm exec -- server@2.0.0", "pkg:npm/server@2.0.0", true),
            ("uvx mcp-server-time", "pkg:pypi/mcp-server-time", false),
            ("uvx mcp-server-time==2.1", "pkg:pypi/mcp-server-time@2.1", true),
            ("uvx --from Pkg[cli]==1.2.3 tool", "pkg:pypi/pkg@1.2.3", true),
            ("uv tool run pkg@1.2.*", "pkg:pypi/pkg@1.2.%2A", false),
            (
                "docker run -i --rm -e KEY ghcr.io/org/server:1.2",
                "pkg:docker/org/server@1.2?repository_url=ghcr.io",
                false,
            ),
            (
                &format!("docker run -i org/server:1@sha256:{digest}"),
                &format!("pkg:docker/org/server@sha256%3A{digest}"),
                true,
            ),
        ] {
            assert_eq!(package(command), Some((url.to_owned(), is_pinned)), "{command}");
        }
        for command in ["python3 server.py", "/opt/server", "npx", "node index.js"] {
            assert_eq!(package(command), None, "{command}");
        }
    }
}
