//! A whole workspace's governance, from the bytes of its files.

use crate::catalogue::Catalogue;
use crate::contract::codes::MISSING_FILE;
use crate::contract::connector::Contract;
use crate::contract::lock::{LOCK_FILE, Lock};
use crate::contract::parse;
use crate::contract::read::Problem;
use crate::contract::registers::Registers;
use crate::contract::resolve::{Complete, resolve_read};
use crate::contract::workspace::{WORKSPACE_FILE, Workspace};
use crate::document;
use crate::label::Name;
use crate::text::Span;

/// The folder of contracts in a workspace.
pub const CONNECTORS_FOLDER: &str = "connectors/";
/// Folders in it of no contracts: of catalogues of what the nodes of other engines do. `sluice-formats` reads them.
pub const CATALOGUE_FOLDERS: [&str; 3] = ["connectors/n8n/", "connectors/step-functions/", "connectors/logic-apps/"];
/// The folder of registers in a workspace.
pub const REGISTERS_FOLDER: &str = "registers/";
/// The folder of policies in a workspace. What they say is `sluice-policy`'s to read.
pub const POLICIES_FOLDER: &str = "policies/";

/// Everything that a workspace's people say, read and resolved.
#[derive(Clone, Debug)]
pub struct Governance {
    /// What the workspace is.
    pub workspace: Workspace,
    /// Every contract, in the order of the files.
    pub contracts: Vec<Contract>,
    /// Every register.
    pub registers: Registers,
    /// What both mean.
    pub catalogue: Catalogue,
    /// The definitions of tools that people have seen.
    pub lock: Lock,
}

impl Governance {
    /// Reads the files of a workspace: `workspace.yaml`, `sluice.lock`, `connectors/*.yaml`, `registers/*.yaml`; others are
    /// left alone.
    ///
    /// The bytes are believed: check the bundle's signatures first ([`crate::contract::bundle::verify`]).
    ///
    /// # Errors
    /// Every problem of every file. A reference to an entry that has errors of its own is not a second problem.
    pub fn read<'f>(files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::default();
        for (path, bytes) in files {
            reader.file(path, bytes);
        }
        reader.finish()
    }
}

#[derive(Default)]
struct Reader {
    workspace: Option<Workspace>,
    has_workspace: bool,
    unread_contracts: bool,
    contracts: Vec<Contract>,
    registers: Registers,
    lock: Lock,
    problems: Vec<Problem>,
}

impl Reader {
    fn file(&mut self, path: &str, bytes: &[u8]) {
        if path == LOCK_FILE {
            return self.lock(bytes);
        }
        let is_yaml = path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with(".json");
        let read = path == WORKSPACE_FILE || path.starts_with(CONNECTORS_FOLDER) || path.starts_with(REGISTERS_FOLDER);
        let is_catalogue = CATALOGUE_FOLDERS.iter().any(|folder| path.starts_with(folder));
        if !is_yaml || !read || is_catalogue {
            return;
        }
        let file: Name = path.into();
        let mut out = Vec::new();
        match document::decode(file.clone(), bytes) {
            Err(diagnostic) => {
                out.push(*diagnostic);
                self.unreadable(&file);
            }
            Ok(text) if path == WORKSPACE_FILE => {
                self.has_workspace = true;
                match Workspace::parse(&text) {
                    Ok(workspace) => self.workspace = Some(workspace),
                    Err(found) => out = found,
                }
            }
            Ok(text) if path.starts_with(CONNECTORS_FOLDER) => {
                let (contract, found) = parse::read(&text);
                out = found;
                self.unread_contracts |= contract.is_none();
                self.contracts.extend(contract);
            }
            Ok(text) => self.register(&file, &text, &mut out),
        }
        self.problems.extend(Problem::all(&file, out));
    }

    fn lock(&mut self, bytes: &[u8]) {
        let read = document::decode(LOCK_FILE, bytes).map_err(|refusal| vec![*refusal]);
        match read.and_then(|text| Lock::parse(&text)) {
            Ok(lock) => self.lock = lock,
            Err(found) => self.problems.extend(Problem::all(&LOCK_FILE.into(), found)),
        }
    }

    fn register(&mut self, file: &Name, text: &crate::text::Text, out: &mut Vec<crate::diagnostic::Diagnostic>) {
        match document::read(text) {
            Ok(node) => {
                if !self.registers.read(file, Some(&node), out) {
                    let message = format!("`{file}` is no register");
                    out.push(crate::contract::codes::UNKNOWN_REFERENCE.at(node.span, message));
                }
            }
            Err(found) => {
                out.extend(found);
                self.unreadable(file);
            }
        }
    }

    fn unreadable(&mut self, file: &Name) {
        self.has_workspace |= file.as_ref() == WORKSPACE_FILE;
        self.unread_contracts |= file.starts_with(CONNECTORS_FOLDER);
        self.registers.read(file, None, &mut Vec::new());
    }

    fn finish(mut self) -> Result<Governance, Vec<Problem>> {
        if !self.has_workspace {
            let start = Span { line: 1, column: 1, end_line: 1, end_column: 1, ..Span::default() };
            let missing = MISSING_FILE.at(start, format!("`{WORKSPACE_FILE}` is missing"));
            self.problems.extend(Problem::all(&WORKSPACE_FILE.into(), vec![missing]));
        }
        let complete = if self.unread_contracts { Complete::No } else { Complete::Yes };
        let resolved = resolve_read(&self.contracts, &self.registers, complete);
        match (resolved, self.workspace) {
            (Ok(catalogue), Some(workspace)) if self.problems.is_empty() => {
                let (contracts, registers, lock) = (self.contracts, self.registers, self.lock);
                Ok(Governance { workspace, contracts, registers, catalogue, lock })
            }
            (Err(found), _) => {
                self.problems.extend(found);
                Err(self.problems)
            }
            _ => Err(self.problems),
        }
    }
}
