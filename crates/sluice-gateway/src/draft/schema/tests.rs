use insta::assert_snapshot;

use super::*;

const SCHEMA: &str = r#"
-- CREATE TABLE commented (a INT);
/* CREATE TABLE also (a INT); */
CREATE TABLE IF NOT EXISTS public."customers" (
    id INTEGER PRIMARY KEY,
    fullName VARCHAR(80) NOT NULL DEFAULT 'CREATE TABLE x (y int)',
    e_mail TEXT CHECK (e_mail LIKE '%@%'),
    iban CHAR(34), -- where, they pay
    password_hash TEXT,
    state NUMERIC(10, 2),
    "last position" TEXT,
    CONSTRAINT one UNIQUE (e_mail),
    FOREIGN KEY (state) REFERENCES states (id)
);
create table `visits`(`patient` int, `day` date, diagnosis text, PRIMARY KEY (`patient`, `day`));
CREATE TABLE copied AS SELECT * FROM customers;
CREATE INDEX at ON customers (iban);
CREATE FUNCTION f() RETURNS trigger AS $body$ CREATE TABLE inner (z int); $body$ LANGUAGE plpgsql;
"#;

#[test]
fn tables_become_actions_that_read_and_columns_with_telling_names_their_labels() {
    let described = contract("crm", SCHEMA).unwrap();
    assert_eq!(described.actions, ["customers.list", "customers.get", "visits.list"]);
    let withheld: Vec<&str> = described.withheld.iter().map(|(what, _)| what.as_str()).collect();
    assert_eq!(withheld, ["copied", "customers.password_hash"]);
    let classes: Vec<&str> = described.classes.iter().map(|class| class.name()).collect();
    assert_eq!(classes, ["financial", "health", "location", "pii"]);
    let actions = described.text.split_once("actions:\n").unwrap().1;
    assert_snapshot!(actions, @r#"
      "customers.list":
        # Nobody has said what these hold: id, state
        effect: read
        request: { statement: "SELECT \"id\", \"fullName\", \"e_mail\", \"iban\", \"state\", \"last position\" FROM \"customers\" LIMIT 100" }
        output:
          from: replace
          trust: { "": origin }
          dataset: "crm.customers"
          labels:
            "/*/fullName": [pii]  # `name` in its name
            "/*/e_mail": [pii]  # `mail` in its name
            "/*/iban": [financial]  # `iban` in its name
            "/*/last position": [location]  # `position` in its name
      "customers.get":
        # Nobody has said what these hold: id, state
        effect: read
        request: { statement: "SELECT \"id\", \"fullName\", \"e_mail\", \"iban\", \"state\", \"last position\" FROM \"customers\" WHERE \"id\" = :id" }
        arguments: { "id": { role: query, required: true } }
        output:
          from: replace
          trust: { "": origin }
          dataset: "crm.customers"
          labels:
            "/*/fullName": [pii]  # `name` in its name
            "/*/e_mail": [pii]  # `mail` in its name
            "/*/iban": [financial]  # `iban` in its name
            "/*/last position": [location]  # `position` in its name
      "visits.list":
        # Nobody has said what these hold: day
        effect: read
        request: { statement: "SELECT \"patient\", \"day\", \"diagnosis\" FROM \"visits\" LIMIT 100" }
        output:
          from: replace
          trust: { "": origin }
          dataset: "crm.visits"
          labels:
            "/*/patient": [health]  # `patient` in its name
            "/*/diagnosis": [health]  # `diagnosis` in its name
    "#);
}

#[test]
fn a_name_tells_what_a_column_holds_or_nothing() {
    for (column, class) in [
        ("email", Some("pii")),
        ("EMAIL", Some("pii")),
        ("dateOfBirth", Some("pii")),
        ("account_no", Some("financial")),
        ("home_latitude", Some("location")),
        ("blood_type", Some("health")),
        ("created_at", None),
        ("x", None),
    ] {
        assert_eq!(Meaning::of(column).class().map(Class::name), class, "{column}");
    }
    for column in ["password", "api_key", "apiKey", "PasswordHash", "refresh_token", "card_cvv"] {
        assert_eq!(Meaning::of(column), Meaning::Secret, "{column}");
    }
}

#[test]
fn what_is_no_schema_is_said_and_nothing_breaks() {
    for (text, error) in [
        ("", SchemaError::NoTable),
        ("SELECT 1", SchemaError::NoTable),
        ("-- CREATE TABLE t (a int)", SchemaError::NoTable),
        ("CREATE TABLE t (a int", SchemaError::Unclosed),
        ("CREATE TABLE t (a text default 'x)", SchemaError::Unclosed),
        ("CREATE TABLE t (a int) /* ", SchemaError::Unclosed),
    ] {
        assert_eq!(contract("c", text).unwrap_err(), error, "{text}");
        assert!(!is_schema(text), "{text}");
    }
    for odd in [
        "CREATE",
        "CREATE TABLE",
        "CREATE TABLE IF NOT EXISTS",
        "CREATE TABLE .",
        "CREATE TABLE t ()",
        "$",
        "$a",
        "[",
        "é (",
    ] {
        let _ = contract("c", odd);
    }
    let many = "CREATE TABLE t (".to_owned() + &"a int,".repeat(10) + "b int)";
    assert_eq!(contract("c", &many).unwrap().withheld.len(), 9, "a column twice");
}
