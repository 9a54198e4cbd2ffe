//! Schemas of databases: whatever the text, reading it ends, and what is drafted of it is a contract that reads and never
//! writes.

use sluice_core::contract::Contract;
use sluice_core::gate::Effect;
use sluice_core::text::Text;
use sluice_gateway::draft::schema;

use crate::Target;

/// See the module.
pub const TARGET: Target = Target { name: "schema", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b"CREATE TABLE ",
    b"IF NOT EXISTS ",
    b"PRIMARY KEY",
    b"CONSTRAINT ",
    b" (a int, ",
    b"email text, ",
    b"\"last name\" ",
    b"`x` ",
    b"[y] ",
    b"'it''s'",
    b"$$",
    b"$tag$",
    b"-- ",
    b"/* ",
    b" */",
    b"# ",
    b");",
    b".",
    b"\\",
    b":id",
    b"\xe2\x80\xa8",
];

fn run(data: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(data) else { return "no text".to_owned() };
    let described = match schema::contract("store", text) {
        Ok(described) => described,
        Err(error) => return format!("{error:?}"),
    };
    let parsed = Contract::parse(&Text::new("connectors/store.yaml", described.text.as_str()));
    let contract = parsed.unwrap_or_else(|problems| panic!("a draft is no contract: {problems:?}\n{}", described.text));
    assert_eq!(contract.actions.len(), described.actions.len(), "an action is lost");
    assert!(contract.actions.values().all(|action| action.effect == Effect::Read), "a draft writes");
    format!("{} actions, {} withheld", described.actions.len(), described.withheld.len())
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT, iban CHAR(34), password TEXT, note TEXT);",
        "create table `a`.`b` (`x` int, y numeric(10, 2) default 'a,b', primary key (`x`, y));",
        "CREATE TEMPORARY TABLE IF NOT EXISTS \"last visits\" (\"a b\" text); CREATE TABLE c AS SELECT 1;",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
