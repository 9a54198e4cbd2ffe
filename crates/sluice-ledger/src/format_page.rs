//! `docs/ledger-format.md` says what this code does: its vectors are read from the page itself.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;

use crate::cbor::{self, Limits, Map, Value};
use crate::merkle::{self, Leaves, prove_consistency, prove_inclusion};
use crate::note::{self, KeyName, SignerKey, WitnessKey};
use crate::tile;
use crate::{
    BODY_KEY_BYTES_MAX, Checkpoint, ENTRY_BYTES_MAX, EVIDENCE_BYTES_MAX, Entry, EntryKind, Evidence, Frontier, Hash,
    LeafIndex, PayloadRef, RunId, RunLink, Salt, TreeHead, TreeSize, commit, leaf_hash,
};

const PAGE: &str = include_str!("../../../docs/ledger-format.md");

/// A fenced block: what the page gives, and what it says comes out.
struct Vector {
    kind: String,
    given: BTreeMap<String, String>,
    claimed: Vec<(String, String)>,
}

impl Vector {
    fn read(block: &str) -> Self {
        let mut lines = block.lines();
        let kind = lines.next().unwrap().to_owned();
        let (mut given, mut claimed) = (BTreeMap::new(), Vec::<(String, String)>::new());
        for line in lines {
            if let Some(more) = line.strip_prefix('|') {
                writeln!(claimed.last_mut().unwrap().1, "{}", more.strip_prefix(' ').unwrap_or(more)).unwrap();
            } else if let Some(line) = line.strip_prefix("-> ") {
                let (name, value) = line.split_once(':').unwrap();
                claimed.push((name.to_owned(), value.trim().to_owned()));
            } else {
                let (name, value) = line.split_once(':').unwrap();
                given.insert(name.to_owned(), value.trim().to_owned());
            }
        }
        assert!(!claimed.is_empty(), "a vector of {kind} claims nothing");
        Self { kind, given, claimed }
    }

    fn get(&self, name: &str) -> &str {
        self.given.get(name).unwrap_or_else(|| panic!("a vector of {} lacks `{name}`", self.kind))
    }

    fn number(&self, name: &str) -> u64 {
        self.get(name).parse().unwrap()
    }

    fn entries(&self) -> Vec<Vec<u8>> {
        self.get("entries").split_whitespace().map(bytes).collect()
    }

    fn signer(&self) -> SignerKey {
        self.get("signer").parse().unwrap()
    }

    fn computed(&self) -> Vec<(&str, String)> {
        match self.kind.as_str() {
            "refused" => {
                vec![("code", cbor::decode(&bytes(self.get("bytes")), Limits::ENTRY).unwrap_err().code().into())]
            }
            "entry" => self.entry(),
            "commitment" => self.commitment(),
            "payload" => {
                let payload = PayloadRef::to_sealed(&bytes(self.get("sealed")));
                vec![("commitment", payload.commitment.to_string()), ("sealed_len", payload.sealed_len.to_string())]
            }
            "tree" => {
                let frontier = frontier(&self.entries());
                vec![("root", frontier.root().to_string()), ("frontier", hex(&frontier.to_bytes()))]
            }
            "inclusion" => vec![("path", path(&self.inclusion()))],
            "consistency" => {
                let (older, entries) = (TreeSize::new(self.number("older")), self.entries());
                let size = TreeSize::new(entries.len() as u64);
                vec![("path", path(&prove_consistency(&mut leaves(&entries), older, size).unwrap()))]
            }
            "tile" => {
                let level = tile::TileKind::Hashes { level: self.get("level").parse().unwrap() };
                let size = TreeSize::new(self.number("size"));
                let tile = tile::Tile::in_tree(level, self.number("index"), size).unwrap();
                vec![("path", tile.to_string())]
            }
            "bundle" => vec![("bytes", hex(&tile::encode_bundle(&self.entries()).unwrap()))],
            "checkpoint" => self.checkpoint(),
            "cosignature" => self.cosignature(),
            "proof" => self.proof(),
            kind => panic!("no such kind of vector: {kind}"),
        }
    }

    fn entry(&self) -> Vec<(&str, String)> {
        let run = self.given.get("run").map(|id| {
            let id = RunId::from_bytes(bytes(id).try_into().unwrap());
            match self.number("seq_in_run") {
                0 => RunLink::first(id),
                seq => RunLink::after(id, seq, self.get("prev_in_run").parse().unwrap()).unwrap(),
            }
        });
        let payload = self.given.get("payload.commitment").map(|commitment| PayloadRef {
            commitment: commitment.parse().unwrap(),
            sealed_len: self.number("payload.sealed_len"),
        });
        let named = |(name, text): (&String, &String)| Some((name.strip_prefix("body.")?.to_owned(), value(text)));
        let entry = Entry {
            log: LeafIndex::new(self.number("log")),
            run,
            time_ms: self.number("time_ms"),
            kind: EntryKind::from_code(self.get("kind").parse().unwrap()),
            body: self.given.iter().filter_map(named).collect::<Map>(),
            payload,
        };
        let bytes = entry.encode().unwrap();
        assert_eq!(Entry::decode(&bytes), Ok(entry));
        vec![("bytes", hex(&bytes)), ("leaf", leaf_hash(&bytes).to_string())]
    }

    fn commitment(&self) -> Vec<(&str, String)> {
        let secret = bytes(self.get("secret")).try_into().unwrap();
        let salt = Salt::derive(&secret, self.get("field"));
        let commitment = commit(&salt, self.get("field"), &bytes(self.get("value")));
        vec![("salt", hex(salt.as_bytes())), ("commitment", commitment.as_hash().to_string())]
    }

    fn inclusion(&self) -> Vec<Hash> {
        let entries = self.entries();
        let size = TreeSize::new(entries.len() as u64);
        prove_inclusion(&mut leaves(&entries), LeafIndex::new(self.number("index")), size).unwrap()
    }

    fn checkpoint(&self) -> Vec<(&str, String)> {
        let signer = self.signer();
        let note = signed(&self.entries(), &signer);
        let checkpoint = Checkpoint::open(note.as_bytes(), &[signer.verifier().clone()]).unwrap();
        assert_eq!(checkpoint.size().get(), self.entries().len() as u64);
        vec![("verifier", signer.verifier().to_string()), ("note", note)]
    }

    fn cosignature(&self) -> Vec<(&str, String)> {
        let (signer, seed) = (self.signer(), bytes(self.get("seed")).try_into().unwrap());
        let witness = WitnessKey::from_seed(KeyName::new(self.get("witness")).unwrap(), &seed).unwrap();
        let time_s = self.number("time_s");
        let note = note::cosign(&signed(&self.entries(), &signer), &witness, time_s).unwrap();
        let trusted = [signer.verifier().clone(), witness.verifier().clone()];
        let opened = Checkpoint::open(note.as_bytes(), &trusted).unwrap();
        assert_eq!(opened.witnesses().collect::<Vec<_>>(), [(witness.verifier().name(), time_s)]);
        vec![("verifier", witness.verifier().to_string()), ("note", note)]
    }

    fn proof(&self) -> Vec<(&str, String)> {
        let (entries, index) = (self.entries(), self.number("index"));
        let evidence = Evidence {
            entry: Some(entries[index as usize].clone()),
            index: LeafIndex::new(index),
            path: self.inclusion(),
            checkpoint: signed(&entries, &self.signer()),
        };
        let file = evidence.to_string();
        let trusted = [self.signer().verifier().clone()];
        assert!(file.parse::<Evidence>().unwrap().open(&trusted).is_ok());
        vec![("file", file)]
    }
}

/// A value as the page writes it in a body.
fn value(text: &str) -> Value {
    let quoted = |start| text.strip_prefix(start)?.strip_suffix(['"', '\'']);
    match (quoted("\""), quoted("h'"), text) {
        (Some(text), _, _) => text.into(),
        (_, Some(hex), _) => bytes(hex).into(),
        (_, _, "true" | "false") => (text == "true").into(),
        _ => text.parse::<u64>().unwrap().into(),
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty(), "{hex}");
    pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn path(hashes: &[Hash]) -> String {
    hashes.iter().map(|hash| format!("{hash}\n")).collect()
}

fn frontier(entries: &[Vec<u8>]) -> Frontier {
    let mut frontier = Frontier::new();
    for entry in entries {
        frontier.append(leaf_hash(entry)).unwrap();
    }
    frontier
}

fn leaves(entries: &[Vec<u8>]) -> Leaves<impl FnMut(LeafIndex) -> Result<Hash, Infallible>> {
    Leaves(|at: LeafIndex| Ok(leaf_hash(&entries[at.get() as usize])))
}

fn signed(entries: &[Vec<u8>], signer: &SignerKey) -> String {
    let frontier = frontier(entries);
    let origin = signer.verifier().name().clone();
    TreeHead { origin, size: frontier.size(), root: frontier.root() }.sign(signer).unwrap()
}

fn vectors() -> Vec<Vector> {
    let blocks = PAGE.split("```vector ").skip(1);
    blocks.map(|block| Vector::read(block.split("\n```").next().unwrap())).collect()
}

#[test]
fn every_vector_of_the_page_is_what_the_code_computes() {
    let mut wrong = String::new();
    let mut kinds = BTreeMap::new();
    for vector in vectors() {
        let claimed: Vec<_> = vector.claimed.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let computed = vector.computed();
        if claimed != computed {
            writeln!(wrong, "```vector {}\n{:?}", vector.kind, vector.given).unwrap();
            for (name, value) in computed {
                let lines: String =
                    value.split_inclusive('\n').map(|line| format!("\n| {}", line.trim_end())).collect();
                let value = if value.contains('\n') { lines } else { format!(" {value}") };
                writeln!(wrong, "-> {name}:{value}").unwrap();
            }
        }
        *kinds.entry(vector.kind).or_insert(0) += 1;
    }
    assert!(wrong.is_empty(), "the page says otherwise:\n{wrong}");
    let expected = [
        "bundle",
        "checkpoint",
        "commitment",
        "consistency",
        "cosignature",
        "entry",
        "inclusion",
        "payload",
        "proof",
        "refused",
        "tile",
        "tree",
    ];
    assert_eq!(kinds.keys().collect::<Vec<_>>(), expected);
}

/// The rows of the table under the heading that begins with `head`, cells trimmed.
fn table(head: &str) -> Vec<Vec<&'static str>> {
    let rows = PAGE.lines().skip_while(|line| !line.starts_with(head)).skip(2);
    let cells = |row: &'static str| row.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect();
    rows.take_while(|row| row.starts_with('|')).map(cells).collect()
}

#[test]
fn the_page_lists_every_kind() {
    let listed: Vec<_> = table("| Kind |").iter().map(|row| row.join(" ")).collect();
    let registered: Vec<_> = EntryKind::REGISTERED.iter().map(|kind| format!("{} {kind}", kind.code())).collect();
    assert_eq!(listed, registered);
}

#[test]
fn the_page_lists_every_limit() {
    let listed: Vec<_> =
        table("| Limit |").iter().map(|row| (row[0].trim_matches('`'), row[1].parse().unwrap())).collect();
    let limits: [(&str, u64); 14] = [
        ("ENTRY_BYTES_MAX", ENTRY_BYTES_MAX as u64),
        ("Limits::ENTRY.depth", Limits::ENTRY.depth as u64),
        ("Limits::PAYLOAD.bytes", Limits::PAYLOAD.bytes as u64),
        ("Limits::PAYLOAD.depth", Limits::PAYLOAD.depth as u64),
        ("BODY_KEY_BYTES_MAX", BODY_KEY_BYTES_MAX as u64),
        ("TREE_SIZE_MAX", merkle::TREE_SIZE_MAX),
        ("FRONTIER_BYTES_MAX", merkle::FRONTIER_BYTES_MAX as u64),
        ("PROOF_HASHES_MAX", merkle::PROOF_HASHES_MAX as u64),
        ("TILE_WIDTH", tile::TILE_WIDTH.into()),
        ("TILE_LEVEL_MAX", tile::TILE_LEVEL_MAX.into()),
        ("NOTE_BYTES_MAX", note::NOTE_BYTES_MAX as u64),
        ("NOTE_SIGNATURES_MAX", note::NOTE_SIGNATURES_MAX as u64),
        ("KEY_NAME_BYTES_MAX", note::KEY_NAME_BYTES_MAX as u64),
        ("EVIDENCE_BYTES_MAX", EVIDENCE_BYTES_MAX as u64),
    ];
    assert_eq!(listed, limits);
}
